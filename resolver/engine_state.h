/*
 * engine_state.h - the state of an engine that the files of a question's life share. The inside of engine.h.
 */
#ifndef RESOLVER_ENGINE_STATE_H
#define RESOLVER_ENGINE_STATE_H

#include "base/log.h"
#include "base/pool.h"
#include "base/random.h"
#include "config/suffix.h"
#include "resolver/admission.h"
#include "resolver/cache.h"
#include "resolver/client_quota.h"
#include "resolver/clock_shift.h"
#include "resolver/counters.h"
#include "resolver/hosts.h"
#include "resolver/local.h"
#include "resolver/pace.h"
#include "resolver/plan.h"
#include "resolver/tap.h"
#include "transport/loop.h"

#include <sys/queue.h>

/* RFC 8767, 5: a question answered with stale data is not asked again before this */
#define STALE_RECHECK_MS 30000

LIST_HEAD(query_list, query); /* query.h */

struct engine {
	struct loop *loop;
	struct counters *counters;
	const struct tap *tap; /* NULL: nobody listens */
	struct plan *plan;
	struct cache *cache;
	struct hosts *hosts;
	struct reader *reader;       /* reader.h; NULL: none */
	struct upstreams *upstreams; /* upstreams.h */
	struct portal *portal;       /* portal.h */
	struct client_quota *quota;  /* of clients that wait */
	struct admission *admission; /* of questions in flight */

	struct query_list *bucket; /* QUERY_BUCKETS of them, by key */
	struct query_list queries; /* all; the newest first */
	size_t n_queries;
	struct query_list doomed; /* those that give way at the end of the turn */
	uint32_t doomed_waiters;  /* who wait for them */
	struct loop_defer shed;
	struct pool query_pool, waiter_pool, attempt_pool;

	struct buf scratch; /* messages made here; this and the next have room for the largest */
	struct buf reply;   /* replies to those who wait */
	uint16_t *ttl_at;   /* MSG_RRS_MAX offsets of TTLs, of the message being read */
	struct hash_key hash;
	struct suffix_memo suffixes;     /* for engine_zone */
	struct log_limit strangers;      /* lines about clients that may not ask */
	int64_t asleep_ms;               /* boot clock - monotonic clock, when a sleep was last acted upon */
	int64_t slept_ms;                /* the same, when a question last looked (engine_awake_ms) */
	unsigned steps;                  /* that are under way, one within the other (engine_step_begin) */
	int64_t awake_ms, asleep_now_ms; /* of the step: the monotonic clock; boot clock - monotonic clock */
	struct loop_defer woken;
	int64_t ahead_ms;                        /* wall clock - boot clock */
	struct clock_shifts own_shifts, *shifts; /* what was reported of them: lent, or its own */
	/* time_names.h */
	struct engine *by_floor; /* owned; NULL while it is not needed */
	struct pace time_pace;
	bool is_by_floor; /* this is one */
};

/* The names that are answered locally, under the plan. */
struct local_view engine_local(const struct engine *);
/* Bounds of the TTLs given out, in seconds, as configured. */
uint32_t engine_ttl_floor(const struct engine *);
uint32_t engine_ttl_cap(const struct engine *, const struct msg_answer *);
/* The registered domain of a name, as a keyed hash. */
uint64_t engine_zone(struct engine *, struct span name);
/* The cached answer, as of now; lent as by cache_get. A failure on the last network is none: this one may have an answer. */
enum cache_state engine_cached(struct engine *, const struct cache_key *, struct cache_hit *);
/* Reads a message with the engine's room for TTL offsets. */
bool engine_answer_read(struct engine *, struct msg_answer *, struct span wire);
/* The reply from the complete message in the engine's scratch, which is parsed into *m; lent from both, and the
 * error too. SERVFAIL with a matching error if there was no room for the message. */
struct reply engine_reply_made(struct engine *, struct msg_answer *m, const struct msg_ede *, enum counter);
/* Detects a sleep or a clock that was set. Nothing tells the process that a sleep has ended (the boot clock ran on,
 * the monotonic one did not), so each new question checks. */
void engine_notice_clocks(struct engine *);
/* A step is one stage of handling a question. All of it counts as one moment: the clocks are read when it begins.
 * Steps may be nested. */
void engine_step_begin(struct engine *);
void engine_step_end(struct engine *);
/* The clock for questions in flight. It stops while the machine sleeps, like the time-out of a client (the C library
 * uses the monotonic clock), which still waits afterwards. Outside a step it is read anew each time, because the
 * loop's time may be from before the sleep. */
int64_t engine_awake_ms(struct engine *);
/* That time as one of the boot clock, as loop and transport take it. */
int64_t engine_boot_of_awake_ms(struct engine *, int64_t awake_ms);

#endif
