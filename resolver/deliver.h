/*
 * deliver.h - the end of a query: replies for the clients that wait, and an entry for the cache.
 *
 * Each function ends the query but does not free it: the caller does (query_end).
 */
#ifndef RESOLVER_DELIVER_H
#define RESOLVER_DELIVER_H

#include "resolver/query.h"

#define FAILURE_MS         1000 /* RFC 9520, 3.2: a failure of ours is kept this long, the least allowed */
#define FAILURE_RELAYED_MS 5000 /* ... and a SERVFAIL of an upstream, which has made its own attempts */

/* The answer is complete and for this question: it is cached and sent to all waiters. */
enum query_step query_deliver(struct query *, const struct msg_answer *, const struct server *,
			      uint32_t age_s);
/* There is no good answer: delivers the first unusable one, or stale data, or SERVFAIL with the reason. */
enum query_step query_fail(struct query *);

/* The answer in the cache that may be given for it without asking: a fresh one, which another worker got meanwhile, or a stale
 * one. Lent, as cache_get lends it. */
enum cache_state query_find_cached(const struct query *, struct cache_hit *);
/* Sends that answer to all waiters; the query continues. CACHE_MISS: there is none. */
enum cache_state query_give_cached(struct query *);
/* Why there is no answer, at least one error. Text lent until the next local answer. */
size_t query_explain(struct query *, struct msg_ede ede[UPSTREAM_EDE_MAX]);
/* What its SERVFAIL counts as: shed, if some limit is the reason. */
enum counter query_failure_counts_as(const struct query *);
/* Caches the failure for a moment, unless asking again costs nothing. ede: why it failed. */
void query_keep_failure(struct query *, const struct msg_ede *ede);

#endif
