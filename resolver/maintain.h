/*
 * maintain.h - background work on the servers of a route: refused ones are tried again, others are measured.
 */
#ifndef RESOLVER_MAINTAIN_H
#define RESOLVER_MAINTAIN_H

#include "resolver/upstream_set.h"

#define UPSTREAM_EXPLORE_MS 60000 /* strategy fastest: how often another address is measured */

/* Called with each question that goes out or would. */
void upstreams_maintain(struct upstreams *, const struct route *);

#endif
