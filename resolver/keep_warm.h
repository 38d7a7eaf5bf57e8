/*
 * keep_warm.h - acts on warm.h: keeps connections open between questions, and opens them again after a sleep or a change of
 * network before the first question comes.
 */
#ifndef RESOLVER_KEEP_WARM_H
#define RESOLVER_KEEP_WARM_H

#include "resolver/upstream_set.h"

/* A question was sent over its shared connection. */
void server_keep_warm(struct server *);
/* The option keep-warm has changed. */
void upstreams_keep_set(struct upstreams *);
/* All connections were dropped. While somebody uses the machine, connects to the server that would get the next
 * question, and to one of the same upstream with an address of the other family. The first that is ready wins the
 * race on this network. */
void upstreams_reopen(struct upstreams *);

#endif
