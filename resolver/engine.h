/*
 * engine.h - the trip of a question, from a client's bytes to its reply: what a worker does between its
 * listeners and its upstream connections.
 *
 *   engine_ask (ask.c)     the message is judged; local names, filter and cache may give a reply at once
 *   query_join (query.c)   else the client waits, together with all who ask the same
 *   upstream.h             whose turn it is to be asked, and whether anybody may be
 *   answer_class.h         is what came back the answer, or another one to be asked?
 *   deliver.c              the answer is kept, and given to all who wait
 *
 * There is one owner of "this client must get an answer" at any time: the listener until engine_ask returns
 * ASK_WAITS, then the waiter in its query, which calls the client back exactly once, in at most
 * QUERY_TIME_MS, unless the client has gone (engine_forget). It knows no sockets; tests drive it with a
 * scripted clock and transport.
 */
#ifndef RESOLVER_ENGINE_H
#define RESOLVER_ENGINE_H

#include "resolver/admission.h"
#include "resolver/cache.h"
#include "resolver/filter.h"
#include "resolver/hosts.h"
#include "resolver/local.h"
#include "resolver/client_quota.h"
#include "resolver/upstream_set.h"

#define QUERY_TIME_MS     4000 /* interface: within the client's own time-out (5 s in glibc) */
#define QUERY_STALE_MS    1800 /* RFC 8767, 5: when a stale answer is given instead of a late one */
#define QUERY_STALE_TTL_S 30   /* RFC 8767, 4 */
#define QUERY_STALL_MS    1500 /* nothing at all came back for so long: the connection counts as dead */
#define QUERY_OPEN_MAX    3    /* of one question, on their way at the same time */
#define QUERIES_MAX                                                                                          \
	4096 /* different questions in flight, a worker; those that give way still count in their turn */
#define QUERIES_PRESSED    3072  /* beyond, one gives way for each that comes (admission.h) */
#define WAITERS_MAX        16384 /* clients waiting, a worker; of one address: client_quota.h */
#define WAITERS_PRESSED    8192  /* beyond, a question and all who wait for it give way for each that comes */
#define STALE_RECHECK_MS   30000 /* RFC 8767, 5: what is served stale is not asked for again before this */
#define FAILURE_MS         1000  /* RFC 9520, 3.2: a failure of ours is kept this long, the least allowed */
#define FAILURE_RELAYED_MS 5000  /* ... and a SERVFAIL of an upstream, which has done its own trying */
#define DETACHED_MAX       64    /* late answers of one server that are listened for, to learn its health */

struct engine;
struct waiter;

/* Who asks, as the listener knows it. Copied when it must wait. */
struct client {
	/* The reply, later; lent bytes. It may forget clients of any owner, not start questions. */
	void (*on_reply)(const struct client *, struct span reply);
	void *owner;             /* the listener's, or the connection's */
	struct waiter **waiting; /* TCP: head of the list of this connection's waiters; UDP: NULL */
	bool tcp;
	struct addr addr;   /* of the client, with port */
	struct addr local;  /* UDP on a wildcard: the address that was asked; ADDR_NONE otherwise */
	uint32_t interface; /* ... and where */
};

struct engine_hooks {
	void (*on_verdict)(void *ctx, const struct server *); /* for the log: once per change */
	void (*on_ready)(void *ctx, const struct server *);
	void *ctx;
};

/* The plan is taken (a reference). */
enum res engine_new(struct engine **, struct loop *, struct counters *, struct plan *,
		    const struct engine_hooks *);
void engine_free(struct engine *); /* whoever waits is not called back any more */
/* A reload: questions in flight go on under the new plan; the cache is emptied. The reference is taken. */
enum res engine_plan_set(struct engine *, struct plan *);

enum ask { ASK_REPLIED, ASK_WAITS, ASK_DROPPED };
/* One message of a client. ASK_REPLIED: the reply was appended to out (room for MSG_UDP_PAYLOAD bytes over
 * UDP, MSG_MAX over TCP). */
enum ask engine_ask(struct engine *, struct span wire, const struct client *, struct buf *out);
/* The owner of these waiters goes: nobody of them is called back. */
void engine_forget(struct engine *, struct waiter **waiting);

size_t engine_in_flight(const struct engine *); /* questions, with or without somebody who waits */
size_t engine_waiting(const struct engine *);   /* clients */
struct cache *engine_cache(struct engine *);
struct upstreams *engine_upstreams(struct engine *);
/* Woken, or on another network. */
void engine_network_changed(struct engine *);

#endif
