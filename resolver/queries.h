/*
 * queries.h - the doors to the questions in flight: a client joins one, the cache asks ahead, a reload moves them, news of
 * upstreams wakes them. What the loop and the transport call is in here too: each step of a query is settled here.
 */
#ifndef RESOLVER_QUERIES_H
#define RESOLVER_QUERIES_H

#include "resolver/query.h"

#define QUERY_STALE_MS  1800 /* RFC 8767, 5: when a stale answer is given instead of a late one */
#define QUERIES_PRESSED 3072 /* in flight; beyond, each new one makes another give way (admission.h) */

/* Makes the client wait for the answer. stale: the cache has a stale answer. ASK_REPLIED: no upstream will answer,
 * so the reply was appended at once. */
enum ask queries_join(struct engine *, const struct query_subject *, const struct client *, bool stale,
		      struct buf *out);
/* Sends the question to refresh the cache. */
void queries_prefetch(struct engine *, const struct query_subject *);
/* Moves all queries to the engine's new plan. */
void queries_reroute(struct engine *);
/* All of them fail now. */
void queries_fail(struct engine *);
void queries_free(struct engine *);

/* Hooks of the upstreams; ctx: the engine. */
void queries_on_server_gone(void *engine, struct server *);
/* There is news of a server, or something is due: waiting queries look for a server again. */
void queries_on_change(void *engine);
/* What no query waits for any more must not be repeated on another network. */
void queries_on_network(void *engine);

#endif
