/*
 * engine.h - handles a query, from the client's bytes to its reply: what a worker does between its listeners and its
 * upstream connections.
 *
 *   engine_ask (engine.c)   the message is read; a malformed one is answered
 *   ask.h                   local names, filter and cache may answer at once
 *   portal.h                a window for a captive portal may take it
 *   queries.h               else the client waits, together with all that sent the same question (query.h)
 *   order.h, attempt.h      which server is asked, and how
 *   answer_class.h          is what came back the answer, or is another server asked?
 *   deliver.h, reply.h      the answer is kept, and given to all who wait
 *
 * There is one owner of "this client must get an answer" at any time: the listener until engine_ask returns ASK_WAITS, then
 * the waiter in its query, which calls the client back exactly once, in at most QUERY_TIME_MS, unless the client has gone
 * (engine_forget). It knows no sockets; tests drive it with a scripted clock and transport.
 */
#ifndef RESOLVER_ENGINE_H
#define RESOLVER_ENGINE_H

#include "resolver/client.h"
#include "resolver/counters.h"
#include "resolver/plan.h"
#include "resolver/server.h"
#include "resolver/tap.h"

struct engine;
struct cache;
struct cache_limits; /* cache_terms.h */
struct cache_store;  /* cache_store.h */
struct portal;
struct upstreams;

/* The plan is taken (a reference). hooks: of the servers. The store of cached answers is lent, so that several
 * engines can share their answers; NULL: the engine has its own store. */
enum res engine_new(struct engine **, struct loop *, struct counters *, struct plan *,
		    const struct server_hooks *, struct cache_store *);
/* What the plan allows the cache of all engines together. */
struct cache_limits engine_cache_limits(const struct plan *);
void engine_free(struct engine *); /* clients that wait are not called back any more */
/* A reload: questions in flight go on under the new plan; the cache is emptied. The reference is taken. */
enum res engine_plan_set(struct engine *, struct plan *);

/* Sets the tap from now on; lent. NULL: none. */
void engine_tap_set(struct engine *, const struct tap *);
/* Sets the reader, which reads large files while questions are answered (reader.h). Lent; set before the first
 * question. */
struct reader;
void engine_reader_set(struct engine *, struct reader *);
/* Several engines report a sleep, and a wall clock that was set, once. Lent; set before the first question. */
struct clock_shifts;
void engine_shifts_set(struct engine *, struct clock_shifts *);

/* One message of a client, or of the daemon itself (a client without an address; it is not counted and not logged).
 * ASK_REPLIED: the reply was appended to out (room for MSG_UDP_PAYLOAD bytes over UDP, MSG_MAX over TCP). */
enum ask engine_ask(struct engine *, struct span wire, const struct client *, struct buf *out);
/* May this client ask, under the plan in force? If not, engine_ask replies REFUSED. */
bool engine_allows(const struct engine *, const struct addr *client);
/* The owner of these waiters is freed: none of them is called back. */
void engine_forget(struct engine *, struct waiter_list *waiting);

size_t engine_in_flight(const struct engine *); /* questions, with or without clients that wait */
size_t engine_waiting(const struct engine *);   /* clients */
struct cache *engine_cache(struct engine *);
struct upstreams *engine_upstreams(struct engine *);
struct portal *engine_portal(struct engine *);
/* In force; lent until the next engine_plan_set. */
const struct plan *engine_plan(const struct engine *);
/* The machine woke from sleep, or is on another network. */
void engine_network_changed(struct engine *);
/* The wall clock may have been set. If it was, certificates are judged again, and refused servers are tried again. */
void engine_clock_set(struct engine *);

#endif
