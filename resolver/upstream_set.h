/*
 * upstream_set.h - the servers of one worker, and facts about several of them.
 *
 * What others do with them: upstreams.h (their life), server_slot.h (connections), health.h (news), lane.h (questions
 * apart), order.h (which one is next), maintain.h (background work), explain.h (why there is no answer).
 */
#ifndef RESOLVER_UPSTREAM_SET_H
#define RESOLVER_UPSTREAM_SET_H

#include "base/log.h"
#include "resolver/counters.h"
#include "resolver/plan.h"
#include "resolver/quarantine.h"
#include "resolver/routes.h"
#include "resolver/server.h"
#include "resolver/warm.h"

#define UPSTREAM_PROBE_MS      2000 /* while no server is usable, questions probe an upstream at most this often */
#define UPSTREAM_PROBE_AWAY_MS 1000 /* ... one that cannot be reached: a look costs it no handshake */
#define UPSTREAM_EDE_MAX       3    /* upstreams that are named in one reply */
#define UPSTREAM_EDE_TEXT_MAX  160  /* title, address and reason; message.c cuts it to what goes out */

/* For the questions in flight. */
struct upstreams_hooks {
	/* A server is about to go (a reload): questions in flight on it move elsewhere. */
	void (*on_gone)(void *ctx, struct server *);
	/* There is news of a server, good or bad: waiting queries look again. */
	void (*on_change)(void *ctx);
	/* All connections are about to be dropped, because the network is another one. */
	void (*on_network)(void *ctx);
	void *ctx;
};

struct upstreams {
	struct loop *loop;
	struct counters *counters;
	struct upstreams_hooks hooks;
	struct server_hooks server_hooks;
	const struct plan *plan;
	bool by_floor;          /* time_names.h */
	struct server **server; /* by upstream, then by address as configured */
	size_t n;
	size_t *first; /* of each upstream, in server */
	uint32_t next_id;
	enum addr_family family_first; /* the family that won the last race on this network */
	bool racing;                   /* both are being connected to (keep_warm.h) */
	int64_t network_ms; /* when that network began, or a sleep ended; INT64_MIN: before the start */
	struct warm warm;
	int64_t explore_at_ms;
	int64_t captive_until_ms;
	struct loop_timer captive;
	struct log_limit log_limit;
	struct quarantine quarantine;
	struct sigcache *known; /* signatures that hold, of whatever server; NULL: each is computed. Owned */
	char ede_text[UPSTREAM_EDE_MAX][UPSTREAM_EDE_TEXT_MAX]; /* explain.h */
};

/* Iterates over the servers of a route, in the order of the configuration. */
struct walk {
	const struct upstreams *set;
	const struct route *route;
	size_t first; /* where it began */
	size_t i;     /* upstreams of the route that are done */
	size_t p;     /* address in the upstream */
};
struct walk upstreams_walk(const struct upstreams *, const struct route *);
/* The same, starting at this place of the route and wrapping around. */
struct walk upstreams_walk_from(const struct upstreams *, const struct route *, size_t place);
/* NULL at the end. *i: its upstream's place in the route. */
struct server *walk_next(struct walk *, size_t *i);

/* When some address of the upstream was last chosen; INT64_MIN: never. */
int64_t upstream_tried_ms(const struct upstreams *, uint32_t upstream);
/* Another address of the same upstream, of the other family, that may be asked: both are connected to, and the first
 * one ready is used. NULL: none. */
struct server *server_rival(const struct server *);
bool server_has_rival(const struct server *);

/* Names that match no forward go to its upstream, among others. Where they go nowhere: true. */
bool server_is_general(const struct server *);

/* Every server of the route has been refused: the answer is known at once. */
bool upstreams_all_refused(const struct upstreams *, const struct route *);
/* No server of the route may be asked now without probing. */
bool upstreams_all_resting(const struct upstreams *, const struct route *);
/* Some server of the route is being connected to. */
bool upstreams_connecting(const struct upstreams *, const struct route *);
/* A question of the zone had an answer from some server of the route. */
bool upstreams_know(const struct upstreams *, const struct route *, uint64_t zone);

#endif
