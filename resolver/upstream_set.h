/*
 * upstream_set.h - the inside of upstream.h, shared by its files: upstream.c (the set and what is said of
 * it), order.c (whose turn it is), health.c (what becomes of connections and questions), lane.c (questions apart).
 */
#ifndef RESOLVER_UPSTREAM_SET_H
#define RESOLVER_UPSTREAM_SET_H

#include "resolver/quarantine.h"
#include "resolver/upstream.h"

#define EDE_TEXT_MAX 160 /* title, address and reason; message.c cuts it to what goes out */

struct upstreams {
	struct loop *loop;
	struct counters *counters;
	struct upstreams_hooks hooks;
	const struct plan *plan;
	struct server **server; /* by upstream, then by address as configured */
	size_t n;
	size_t *first; /* of each upstream, in server */
	uint32_t next_id;
	enum addr_family family_first; /* what won the last race on this network */
	int64_t explore_at_ms;
	int64_t captive_until_ms;
	struct loop_timer captive;
	struct log_limit log_limit;
	struct quarantine quarantine;
	char ede_text[UPSTREAM_EDE_MAX][EDE_TEXT_MAX];
};

/* Over the servers of a route, in the order of the configuration. */
struct walk {
	const struct upstreams *set;
	const struct route *route;
	size_t i; /* upstream in the route */
	size_t p; /* address in the upstream */
};
struct walk upstreams_walk(const struct upstreams *, const struct route *);
/* NULL at the end. *i: its upstream's place in the route. */
struct server *walk_next(struct walk *, size_t *i);

bool server_rests(const struct server *, int64_t now);
/* Another address of the same upstream, of the other family, that may be asked: the two are raced. */
bool server_has_rival(const struct server *);
void server_connect(struct server *); /* without a question */
/* A connection was asked for, and there is no news of it. */
bool server_connects(const struct server *);
/* When some address of its upstream was last turned to; INT64_MIN: never. */
int64_t upstream_tried_ms(const struct upstreams *, uint32_t upstream);
/* Connection after connection ended without an answer, and nobody had one lately. */
bool server_is_barren(const struct server *);
void server_log(struct server *, enum log_level, const char *event, enum reason, const char *detail);
/* Lanes may still make connections to tell bad names from a bad server. */
bool server_has_lane_budget(const struct server *);
void server_lanes_drop(struct server *);
/* The last verdict becomes the server's. */
bool server_verdict_take(struct server *, struct tp_event *);
void upstreams_on_refused(struct server *, struct tp_event *);
void upstreams_on_event(void *server, struct tp_slot *, struct tp_event *);

#endif
