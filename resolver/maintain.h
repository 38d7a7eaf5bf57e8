/*
 * maintain.h - background work on the servers of a route: refused ones are tried again, others are measured.
 */
#ifndef RESOLVER_MAINTAIN_H
#define RESOLVER_MAINTAIN_H

#include "resolver/upstream_set.h"

#define UPSTREAM_EXPLORE_MS 60000 /* strategy fastest: how often another address is measured */

/* Called for each question that is sent, or would be sent if a server were usable. */
void upstreams_maintain(struct upstreams *, const struct route *);
/* For a question that no other server of the route can take: tries a refused server again as soon as its upstream
 * may be probed, even if other servers can take other questions. */
void upstreams_maintain_for_stranded(struct upstreams *, const struct route *);

#endif
