/*
 * upstream.h - the upstream addresses as one worker sees them: their connections, their health, and whose
 * turn it is.
 *
 * A server is one address of one upstream. A refused one (a verdict) is never asked anything; its connection
 * is tried again in the background, and only an accepted certificate brings it back. A failing one (the
 * network) rests for a while, with jitter; when all rest, the next question probes them. What a question
 * means is query.h's.
 */
#ifndef RESOLVER_UPSTREAM_H
#define RESOLVER_UPSTREAM_H

#include "base/dns/message.h"
#include "resolver/counters.h"
#include "resolver/plan.h"
#include "resolver/routes.h"
#include "resolver/upstream_report.h"

#define UPSTREAM_FAIL_MIN_MS    250 /* first rest after a network failure; doubles */
#define UPSTREAM_FAIL_MAX_MS    15000
#define UPSTREAM_REFUSED_MIN_MS 5000 /* first rest after a refusal; doubles */
#define UPSTREAM_REFUSED_MAX_MS (10 * 60 * 1000)
#define UPSTREAM_PROBE_MS       2000 /* while nobody is left, questions probe an upstream this often at most */
#define UPSTREAM_RACE_MS        250  /* RFC 8305, 8: head start of the preferred family */
#define UPSTREAM_HEDGE_MIN_MS   250
#define UPSTREAM_SUSPECT_MS     30000 /* how long others go first; then it has its chance again */
#define UPSTREAM_EXPLORE_MS     60000 /* strategy fastest: how often another address is measured */
#define UPSTREAM_CAPTIVE_MS     2000  /* captive mode: how often what does not work is tried */
#define UPSTREAM_LANES          4     /* connections beside the shared one, for one question each at a time */
#define UPSTREAM_POOR_MAX       2 /* poor answers in a row; then a fresh connection is compared with this one */
/* Fresh connections for such comparisons: three at once, then four a minute; a public resolver minds no more. */
#define UPSTREAM_FRESH_MS    15000
#define UPSTREAM_FRESH_BURST 3
/* Connections of lanes: what a page's hostile zones cost at once before each is known, then one in two seconds. A server
 * that answered nobody lately gets less credit: the fault may be its own, and connections that it closes are no use. */
#define UPSTREAM_LANE_MS        2000
#define UPSTREAM_LANE_BURST     60
#define UPSTREAM_LANE_RETRY     30 /* the part of it that zones known to do harm may spend */
#define UPSTREAM_LANE_UNPROVEN  10
#define UPSTREAM_LANE_PROVEN_MS 10000
/* So many connections in a row ended without an answer, and nothing else was answered: the server is at fault. */
#define UPSTREAM_BARREN_MAX  4
#define UPSTREAM_EVIDENCE_MS 2000  /* how long an answer shows that a server lives */
#define UPSTREAM_FIRE_MS     10000 /* after a lone question ended its connection; a page goes on */
#define UPSTREAM_LOOK_MS     100   /* how soon a question that found every lane taken looks again */

struct upstreams;
struct attempt;

/* At most one in a while, and a few at once. Zeroed before its first use. */
struct pace {
	int64_t spent_until_ms;
};
bool pace_take(struct pace *, int64_t now_ms, int64_t interval_ms, unsigned burst);

/* A connection of one question at a time, beside the one that all share. */
struct lane {
	struct tp_slot *slot; /* NULL until its first use */
	bool busy;
	uint64_t zone; /* of its question */
};

struct server {
	struct upstreams *set;
	uint32_t id;       /* never used twice by a worker */
	uint32_t upstream; /* index into snapshot.upstream */
	uint32_t position; /* of the address in its upstream */
	uint32_t turn;     /* its place among the addresses of its family there */
	bool trust_ad;
	const struct tp_target *target;
	struct tp_slot *slot; /* NULL until its first use */

	enum health health;
	enum reason reason;       /* why it is not good */
	struct verdict verdict;   /* the last one */
	bool judged;              /* there was one */
	unsigned failures;        /* in a row */
	int64_t retry_at_ms;      /* rests until then; 0: does not */
	int64_t tried_ms;         /* when it was last turned to; INT64_MIN: never */
	int64_t answered_ms;      /* when something last came back; INT64_MIN: never */
	int64_t ready_ms;         /* when its connection became ready; INT64_MIN: never */
	int64_t suspect_until_ms; /* asked, and silent for longer than usual: others go first; 0: no */
	/* Different zones in a row whose questions it did not answer. A name does not speak for its server; so many
	 * zones without an answer among them do. */
#define UPSTREAM_BAD_MAX 3
	uint64_t bad_zone[UPSTREAM_BAD_MAX];
	unsigned bad;
	enum reason doubt; /* what they met; REASON_NONE: nothing */
	int64_t
	    fire_until_ms; /* a lone question ended its connection not long ago: unknown zones go apart; 0: no */
#define UPSTREAM_KNOWN_MAX 256
	uint64_t
	    known_zone[UPSTREAM_KNOWN_MAX]; /* zones that had an answer here, by hash; the newer one stays */
	unsigned poor; /* answers in a row over the present connection: failures, or none at all */
	bool connects; /* a connection was asked for, and nothing is known of it yet */
	struct lane lane[UPSTREAM_LANES];
	struct pace fresh_pace, lane_pace;
	unsigned detached;        /* questions in flight that nobody waits for */
	struct attempt *attempts; /* query.h: all that is in flight here */
};

struct upstreams_hooks {
	/* A server is about to go (a reload): questions in flight on it are to be taken elsewhere. */
	void (*on_gone)(void *ctx, struct server *);
	/* A verdict that differs from the one before in what refuses or in what it reports, or the first good one after a
	 * refusal; for the log. May be NULL. */
	void (*on_verdict)(void *ctx, const struct server *);
	/* Some server became ready. May be NULL. */
	void (*on_ready)(void *ctx, const struct server *);
	/* Something was learned of a server, good or bad: what waits for better times looks again. */
	void (*on_change)(void *ctx);
	void *ctx;
};

enum res upstreams_new(struct upstreams **, struct loop *, struct counters *, const struct upstreams_hooks *);
void upstreams_free(struct upstreams *);
/* Takes over a plan (lent; must live until the next call). Servers of the same upstream, address and protocol
 * stay, with their connection, which the transport judges again. RES_NOMEM: all is as before. */
enum res upstreams_plan_set(struct upstreams *, const struct plan *);

/* Servers a question was already sent to. */
#define UPSTREAM_TRIES_MAX                                                                                   \
	16 /* of one question, in all; each address at most once (the transport may repeat it once) */
struct tries {
	uint32_t id[UPSTREAM_TRIES_MAX];
	bool spent[UPSTREAM_TRIES_MAX]; /* it had the question and gave no answer: not to be asked again */
	unsigned n;
	uint32_t spin; /* strategy spread: where this question begins */
};

void tries_add(struct tries *, const struct server *);
/* It had the question. */
void tries_spend(struct tries *, const struct server *);
/* Those that never had the question may be tried again. */
void tries_forget_unspent(struct tries *);

/* Whose turn it is. avoid: an upstream that comes last (UINT32_MAX: none). NULL: nobody's. */
struct server *upstreams_next(struct upstreams *, const struct route *, const struct tries *, uint32_t avoid);
/* The slot of a server, made when it is first used; NULL: no memory. Notes that it was turned to. */
struct tp_slot *server_slot(struct server *);
/* The connection is up. */
bool server_is_ready(const struct server *);
/* How long to wait for this one before another is asked as well; `hedge` as configured. */
int64_t server_patience_ms(const struct server *, bool hedge);

/* Every server of the route has been refused: the answer is known at once. */
bool upstreams_all_refused(struct upstreams *, const struct route *);
/* No server of the route may be asked now without probing. */
bool upstreams_all_resting(struct upstreams *, const struct route *);
/* Called with each question that goes out or would: re-checks of refused servers, measurement of others. */
void upstreams_tend(struct upstreams *, const struct route *);
/* Somebody of the route is being connected to. */
bool upstreams_connecting(struct upstreams *, const struct route *);
/* When to look again for somebody to ask (boot ms; what is learned meanwhile comes by on_change); INT64_MAX: everything
 * that could be known is known, and nobody will do. */
int64_t upstreams_due_ms(struct upstreams *, const struct route *, const struct tries *, uint64_t zone);

/* How a question of this zone may be put to a server. */
enum manner {
	MANNER_SHARED, /* on the connection that all share */
	MANNER_ALONE,  /* on one of its own: it, or its zone, may do harm */
	MANNER_TRIAL,  /* on a fresh one, which takes the shared one's place when it does better */
	MANNER_NOT,    /* not now: see upstreams_due_ms */
	MANNER_NEVER,  /* its zone is known to do harm */
};
/* suspect: connections ended under the question itself. waited: long enough for a free lane, when it is not. */
enum manner server_manner(struct server *, uint64_t zone, bool suspect, bool waited);
/* May the question be asked over a fresh connection as well, because this one brings nothing good? Counts it. */
bool server_takes_trial(struct server *, uint64_t zone);
/* A question of the zone had an answer here, so far as is remembered. */
bool server_knows(const struct server *, uint64_t zone);
bool upstreams_know(struct upstreams *, const struct route *, uint64_t zone);
/* May the question be put once more on the same connection, to tell a poor connection from a poor name? */
bool server_may_ask_again(struct server *, uint64_t zone);
/* A free lane, now busy; its number, or -1. */
int server_lane_take(struct server *, uint64_t zone);
void server_lane_give(struct server *, int lane);
/* Idle lanes are closed: an upstream gets one connection from us, not five. */
void server_lanes_tidy(struct server *);
/* The answer of a trial. Good: its connection becomes the shared one. */
void server_tried(struct server *, uint64_t zone, int lane, bool good);

/* News of a server from questions. zone: a keyed hash of the registered domain. Connection failures and verdicts come
 * from the transport's events by themselves. */
void server_answered(struct server *);
/* An answer to a question of this zone: it does no harm. */
void server_answered_zone(struct server *, uint64_t zone);
void server_failed(struct server *, enum reason);
/* It lives, but this was no answer. One is the fault of a question; UPSTREAM_BAD_MAX zones without an answer among them
 * send the server behind the others, and no further: its connection stands. */
void server_answered_badly(struct server *, uint64_t zone, enum reason);
/* Connections ended under the question, `alone` of them under it alone. apart: it had a connection of its own. */
void server_killed(struct server *, uint64_t zone, unsigned alone, bool apart);
/* The shared connection brought a failure, or no answer at all. */
void server_answered_poorly(struct server *);
void server_answered_well(struct server *);
/* It said itself for how long it is not to be asked (Retry-After: RFC 9110, 10.2.3). */
#define UPSTREAM_WAIT_MAX_MS 300000 /* a server's word is not taken for longer */
void server_asked_to_wait(struct server *, enum reason, int64_t ms);
/* Silent on this question for longer than usual. */
void server_is_slow(struct server *);
/* Nothing came back for so long that the connection must be dead: it is dropped, open questions are repeated.
 */
void server_stalled(struct server *);

/* Why nobody could be asked, one upstream each, in the order of the route: "cloudflare 1.1.1.1:
 * ct-too-few-scts". INFO-CODE 0 for a verdict, 22 when it was not reached, 23 when it broke. blamed (may be
 * NULL): who failed this very question, and how, where nothing is known against the upstream in general. Text
 * lent until the next call. */
#define UPSTREAM_EDE_MAX 3
size_t upstreams_explain(struct upstreams *, const struct route *, const struct server *blamed,
			 enum reason blame, struct msg_ede ede[UPSTREAM_EDE_MAX]);

/* Woken from sleep, or the network is another one: every connection is dropped, all rests and preferences
 * forgotten. */
void upstreams_network_changed(struct upstreams *);
/* The wall clock was set: a verdict is of its time, so open connections are judged again before their next use, and
 * the refused are asked for their certificate anew. */
void upstreams_clock_set(struct upstreams *);
/* Captive mode until then (boot ms); 0: off. */
void upstreams_captive_set(struct upstreams *, int64_t until_ms);

enum res upstreams_report(struct upstreams *, struct upstreams_report *);

#endif
