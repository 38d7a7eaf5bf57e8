/*
 * query.h - a question in flight: who waits for it, where it was sent, and when its time is up.
 *
 * The inside of engine.h. Equal questions (name, type, class, DO, CD) are one query; each waiter keeps its
 * own id, spelling and flags. A query without waiters (a prefetch, or all have gone) goes on and fills the
 * cache.
 *
 *   query_new -> query_send -> [attempt in flight] -> query_on_message -> query_deliver
 *                    ^                |  failed, mismatched, malformed, lame, a failure once, TC once
 *                    +----------------+  or slow: another is asked as well
 *                    |-> nobody may be asked now: query_wait, until something is learned or due
 *                    `-> nobody will do, or time is up: query_fail (stale answer, or SERVFAIL that says why)
 */
#ifndef RESOLVER_QUERY_H
#define RESOLVER_QUERY_H

#include "resolver/engine.h"
#include "resolver/lane.h"
#include "resolver/tries.h"

#include "base/random.h"

#define QUERY_WIRE_MAX    (MSG_HEADER + MSG_NAME_MAX + 4 + 64) /* header, question, our OPT */
#define QUERY_SECTION_MAX (MSG_NAME_MAX + 4)
#define QUERY_BUCKETS     4096
#define QUERY_HELD_MAX                                                                                       \
	2048 /* bytes of an answer that was no good: those of all questions are 8 MiB; a longer one is not kept */
#define TCP_KEEPALIVE_DS 300 /* what RFC 7828 clients are told: our idle time-out, in 100 ms */
#define QUERY_LANE_MS                                                                                        \
	500 /* an unknown zone waits so long for a lane while there is harm about, then shares */
#define QUERY_SENDS_MAX 16  /* of one question, to whomever: a bound for what a storm of faults can cost */
#define POOL_MAX        512 /* objects kept for the next question, of each kind */

struct waiter {
	struct query *query;
	struct waiter *next, **prev;             /* of the query */
	struct waiter *owner_next, **owner_prev; /* of the connection */
	struct client client;
	uint16_t id, flags;
	struct msg_edns edns; /* options are not kept */
	uint16_t section_n;
	uint8_t section[QUERY_SECTION_MAX]; /* as spelled */
};

struct attempt {
	struct query *query; /* NULL: it went on without this one */
	struct server *server;
	struct engine *engine;
	struct tp_exchange *tp;
	enum manner manner;
	int lane;      /* of the server; -1: the shared connection */
	uint64_t zone; /* of the question */
	int64_t sent_ms, deadline_ms;
	bool was_ready;     /* the connection stood already */
	struct buf section; /* a trial: the question, which is judged by even when nobody waits for it */
	struct attempt *next, **prev; /* of the server */
	struct attempt *query_next, **query_prev;
};

struct query {
	struct engine *engine;
	struct query *chain; /* of the bucket */
	uint32_t bucket;
	struct query *next, **prev; /* all of the engine */
	const struct route *route;
	struct waiter *waiters;
	struct attempt *attempts;
	unsigned open; /* attempts */
	struct tries tries;
	struct loop_timer timer;
	int64_t deadline_ms, next_ms, stale_ms, stall_ms, wait_ms; /* 0: none */
	uint64_t zone;                                             /* keyed hash of its registered domain */
	unsigned sends; /* attempts made, QUERY_SENDS_MAX at most */
	uint32_t avoid; /* upstream whose answer was no good */
	bool soft;      /* failed over once for an answer that was a failure (answer_class.h) */
	bool lame;      /* the one that is blamed does not recurse */
	bool truncated; /* ... or TC */
	bool limited;   /* somebody could not take it for want of room */
	bool suspect;   /* connections ended under it */
	bool again;     /* asked a second time on the connection that gave no good answer */
	bool tried;     /* ... and on a fresh one */
	struct admission_entry admission;
	struct query *doomed_next, **doomed_prev; /* gives way at the end of the turn */
	struct buf held; /* the answer that was no good, in case nobody has a better one */
	const struct server *held_server;
	const struct server *blamed; /* who failed this question last */
	enum reason blame;
	uint16_t type, class;
	bool do_bit, cd;
	uint8_t name_n;
	uint8_t name[MSG_NAME_MAX]; /* lower case */
	uint16_t section_n, wire_n;
	uint8_t wire[QUERY_WIRE_MAX]; /* as sent, id 0 */
};

struct engine {
	struct loop *loop;
	struct counters *counters;
	struct engine_hooks hooks;
	struct plan *plan;
	struct cache *cache;
	struct hosts *hosts;
	struct upstreams *upstreams;
	struct client_quota *quota;
	struct admission *admission;
	struct query *doomed;
	uint32_t doomed_waiters; /* who wait for them */
	struct loop_defer shed;
	struct buf scratch; /* local answers */
	struct buf reply;   /* replies to those who wait */
	uint16_t *ttl_at;
	struct hash_key hash;
	int64_t asleep_ms; /* boot clock - monotonic clock */
	int64_t ahead_ms;  /* wall clock - boot clock */
	struct query **bucket;
	struct query *queries;
	size_t n_queries;
	struct query *spare_query;
	struct waiter *spare_waiter;
	struct attempt *spare_attempt;
	unsigned n_spare_query, n_spare_waiter, n_spare_attempt;
};

/* The client waits for the answer. ASK_REPLIED when it is known at once that there is none. */
enum ask query_join(struct engine *, const struct msg_question *, const struct route *, const struct client *,
		    bool stale, struct buf *out);
/* Asks for the sake of the cache. */
void query_prefetch(struct engine *, const struct msg_question *, const struct route *);
void query_free_all(struct engine *);
/* Under the engine's new plan. */
void query_reroute_all(struct engine *);
void query_on_server_gone(void *engine, struct server *);
/* A cached answer too old to be given except in need is there. */
bool query_has_stale(const struct query *);
/* Tries the next server; with nobody left and nothing in flight the query waits or ends. wait: only when nothing is in
 * flight. */
void query_retry(struct query *, bool wait);
/* Something was learned, or is due: those that wait look again. */
void query_wake_all(void *engine);
/* Nothing is in flight: somebody is asked, or it waits. False: neither. */
bool query_look(struct query *);
void query_arm(struct query *); /* for whatever comes first of its times */
void query_on_due(void *query);
void query_fail(struct query *);
void query_end(struct query *);
bool query_send(struct query *);

/* attempt.c: one question on its way to one server */
bool attempt_new(struct query *, struct server *, enum manner);
void attempt_detach(struct engine *, struct attempt *);
void attempt_cancel(struct attempt *);

/* deliver.c: answers on their way to those who wait */
/* The answer is whole and for this question: it is kept and given to all, and the query ends. */
void query_deliver(struct query *, const struct msg_answer *, const struct server *, uint32_t age_s);
/* A reload took the name's upstreams away: it exists here or nowhere. The query ends. */
void query_stay_here(struct query *);

/* waiter.c: those who wait, and the replies made for them */
struct waiter *waiter_new(struct query *, const struct msg_question *, const struct client *);
void waiter_drop(struct engine *, struct waiter *); /* without a reply */
bool waiter_is_there(const struct query *, const struct msg_question *, const struct client *);
struct msg_finish finish_for(const struct msg_question *, bool tcp);
void waiters_answer(struct query *, const struct msg_answer *, uint32_t age_s, uint32_t ttl_floor,
		    uint32_t ttl_cap, bool ad, const struct msg_ede *, size_t n_ede);
void waiters_empty(struct query *, uint16_t rcode, const struct msg_ede *, size_t n_ede);
/* A stale answer for all who wait, if there is one. */
bool waiters_stale(struct query *);
struct msg_ede stale_ede(const struct cache_hit *); /* that says how old the answer is */

/* What is known here of names, under the plan. */
struct local_view engine_local(const struct engine *);
/* Bounds of the TTLs given out, in seconds, as configured. */
uint32_t engine_ttl_floor(const struct engine *);
uint32_t engine_ttl_cap(const struct engine *, const struct msg_answer *);
/* Noticed here, for nothing wakes us when a sleep ends (the boot clock ran on, the monotonic one did not) or when
 * somebody sets the wall clock. */
void engine_notice_clocks(struct engine *);

#endif
