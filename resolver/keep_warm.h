/*
 * keep_warm.h - acts on warm.h: keeps connections open between questions, and opens them again after a sleep or a change of
 * network before the first question comes.
 */
#ifndef RESOLVER_KEEP_WARM_H
#define RESOLVER_KEEP_WARM_H

#include "resolver/upstream_set.h"

/* A question was sent over its shared connection. */
void server_keep_warm(struct server *);
/* The option keep-warm is another. */
void upstreams_keep_set(struct upstreams *);
/* All connections were dropped. While somebody uses the machine, the server that the next question would go to is
 * connected to, and with it one of its upstream's other family: the first that is ready has won the race on this network. */
void upstreams_reopen(struct upstreams *);

#endif
