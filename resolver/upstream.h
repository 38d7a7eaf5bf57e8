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

#include "resolver/routes.h"
#include "resolver/daemon/worker.h"

#define UPSTREAM_FAIL_MIN_MS    250 /* first rest after a network failure; doubles */
#define UPSTREAM_FAIL_MAX_MS    15000
#define UPSTREAM_REFUSED_MIN_MS 5000 /* first rest after a refusal; doubles */
#define UPSTREAM_REFUSED_MAX_MS (10 * 60 * 1000)
#define UPSTREAM_RECHECK_MS     1500 /* while nothing else may be used, questions bring a re-check this often */
#define UPSTREAM_PROBE_MS       200 /* while all rest, one address is probed by questions this often */
#define UPSTREAM_RACE_MS        250 /* RFC 8305, 8: head start of the preferred family */
#define UPSTREAM_HEDGE_MIN_MS   250
#define UPSTREAM_SUSPECT_MS     30000 /* how long others go first; then it has its chance again */
#define UPSTREAM_EXPLORE_MS     60000 /* strategy fastest: how often another address is measured */
#define UPSTREAM_CAPTIVE_MS     2000  /* captive mode: how often what does not work is tried */

struct upstreams;
struct attempt;

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
	unsigned bad;             /* answers in a row that were no answers */
	unsigned detached;        /* questions in flight that nobody waits for */
	struct attempt *attempts; /* query.h: all that is in flight here */
};

struct upstreams_hooks {
	/* A server is about to go (a reload): questions in flight on it are to be taken elsewhere. */
	void (*on_gone)(void *ctx, struct server *);
	/* A verdict that differs from the one before in what refuses or in what it reports, or the first good one after a
	 * refusal; for the log. May be NULL. */
	void (*on_verdict)(void *ctx, const struct server *);
	/* Some server became ready: what waits for better times may try. May be NULL. */
	void (*on_ready)(void *ctx, const struct server *);
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
	unsigned n;
	uint32_t spin; /* strategy spread: where this question begins */
};

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

/* News of a server from questions. Connection failures and verdicts come from the transport's events by
 * themselves. */
void server_answered(struct server *);
void server_failed(struct server *, enum reason);
/* It lives, but this was no answer. One is the fault of a question, UPSTREAM_BAD_MAX in a row are the
 * server's. */
#define UPSTREAM_BAD_MAX 3
void server_answered_badly(struct server *, enum reason);
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
