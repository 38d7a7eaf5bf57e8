/*
 * server.h - one address of one upstream, as one worker sees it: its connections, its health, and what is remembered of
 * the questions it was asked.
 *
 * A refused server (a verdict) gets no questions; its connection is retried in the background, and only an accepted
 * certificate makes it usable again. A failing one (the network) is not tried for a while, with jitter; when all are failing,
 * the next question probes them. This file has the state; health.h changes it, and order.h chooses by it.
 */
#ifndef RESOLVER_SERVER_H
#define RESOLVER_SERVER_H

#include "resolver/pace.h"
#include "resolver/retries.h"
#include "resolver/upstream_report.h"

#include <sys/queue.h>

#define UPSTREAM_FAIL_MIN_MS    250 /* first rest after a network failure; doubles */
#define UPSTREAM_FAIL_MAX_MS    15000
#define UPSTREAM_REFUSED_MIN_MS 5000 /* first rest after a refusal; doubles */
#define UPSTREAM_REFUSED_MAX_MS (10 * 60 * 1000)
#define UPSTREAM_SUSPECT_MS     30000 /* how long others are preferred; then it gets another chance */
#define UPSTREAM_LANES          4     /* connections beside the shared one, for one question each at a time */
#define UPSTREAM_POOR_MAX       2 /* poor answers in a row; then a fresh connection is compared with this one */
/* Fresh connections for such comparisons: three at once, then four a minute, which no public resolver objects to. */
#define UPSTREAM_FRESH_MS    15000
#define UPSTREAM_FRESH_BURST 3
/* Connections of lanes: a burst that is enough for all hostile zones of one page until each is known, then one in
 * two seconds, and one more for zones known to do harm. A server that has answered nothing lately gets fewer: the fault may be
 * its own, and then more connections do not help. */
#define UPSTREAM_LANE_MS       2000
#define UPSTREAM_LANE_BURST    60
#define UPSTREAM_LANE_RETRY    30 /* the part of them for zones known to do harm */
#define UPSTREAM_LANE_UNPROVEN 10
/* Where none can be made, one trial on the shared connection in this time. */
#define UPSTREAM_LANE_NONE_MS   30000
#define UPSTREAM_LANE_PROVEN_MS 10000
/* If this many connections in a row ended without an answer, and nothing else was answered, the server is at fault. */
#define UPSTREAM_BARREN_MAX  4
#define UPSTREAM_EVIDENCE_MS 2000  /* how long an answer shows that a server lives */
#define UPSTREAM_FIRE_MS     10000 /* after a lone question ended its connection: a page has more of them */

/* Connections beside the first one while its answers are late (beside.h): a few at once, because one page may have
 * several slow names, then at most one in ten seconds. */
#define UPSTREAM_BESIDE_MAX   2
#define UPSTREAM_SLOTS        (1 + UPSTREAM_LANES + UPSTREAM_BESIDE_MAX)
#define UPSTREAM_BESIDE_MS    10000
#define UPSTREAM_BESIDE_BURST 4
/* Over DoH, a zone with this many of the last questions in flight does not get a connection beside the first: it
 * would fill that one as well. */
#define UPSTREAM_BESIDE_ZONE 32
#define UPSTREAM_BESIDE_LOOK 256 /* of the last ones are counted: thousands of questions may need the count */

struct upstreams;                 /* upstream_set.h */
LIST_HEAD(attempt_list, attempt); /* attempt.h */

/* A connection with one question at a time, in addition to the shared one. */
struct lane {
	struct tp_slot *slot; /* NULL until its first use */
	bool busy;
	uint64_t zone; /* of its question */
};

struct server {
	struct upstreams *set; /* upstream_set.h */
	struct loop *loop;
	uint32_t id;       /* never used twice by a worker */
	uint32_t upstream; /* index into snapshot.upstream */
	uint32_t position; /* of the address in its upstream */
	uint32_t turn;     /* its place among the addresses of its family there */
	bool trust_ad;
	const struct tp_target *target;
	struct tp_slot *slot; /* NULL until its first use */

	enum health health;
	enum reason reason;                   /* why it is not good */
	struct verdict verdict;               /* the last one */
	bool judged;                          /* there was one */
	struct tls_report tls;                /* of the handshake that was judged last */
	int64_t good_since_ms;                /* wall clock; valid while the health is good */
	unsigned failures;                    /* in a row */
	int64_t retry_at_ms;                  /* rests until then; 0: does not */
	int64_t wait_since_ms, wait_until_ms; /* the pause that it asked for; 0: none */
	int64_t tried_ms;                     /* when it was last chosen; INT64_MIN: never */
	int64_t answered_ms;                  /* when something last came back; INT64_MIN: never */
	int64_t ready_ms;                     /* when its connection became ready; INT64_MIN: never */
	int64_t suspect_until_ms;             /* no answer in the usual time: others are preferred; 0: no */
	/* Different zones in a row whose questions it did not answer. One bad name proves nothing about its server;
	 * this many zones in a row do. */
#define UPSTREAM_BAD_MAX 3
	uint64_t bad_zone[UPSTREAM_BAD_MAX];
	unsigned bad;
	bool at_fault;     /* it failed because its connections ended, and has answered nothing since */
	enum reason doubt; /* the failure they met; REASON_NONE: none */
	/* A question ended its connection not long ago: unknown zones go to lanes until then. 0: no. */
	int64_t fire_until_ms;
#define UPSTREAM_KNOWN_MAX 256
	/* Zones that had an answer here; a newer one replaces an older one of equal hash. */
	uint64_t known_zone[UPSTREAM_KNOWN_MAX];
	unsigned poor; /* answers in a row over the present connection: failures, or none at all */
	struct lane lane[UPSTREAM_LANES];
	struct retries retries;
	struct pace fresh_pace, lane_pace, convict_pace;
	int64_t lane_rest_until_ms;                  /* no connection of a lane is made before */
	struct tp_slot *beside[UPSTREAM_BESIDE_MAX]; /* NULL until the first use */
	struct pace beside_pace;
	unsigned beside_failures;     /* in a row */
	int64_t beside_rest_until_ms; /* no new one is made before */
	unsigned detached;            /* questions in flight that nobody waits for */
	struct attempt_list attempts; /* every attempt in flight to this server */
};

/* Hooks for logging and counting; each may be NULL. Called in the worker's thread. */
struct server_hooks {
	/* A verdict that differs from the one before in what refuses or in what it reports, the first good one after a
	 * refusal, or one over a connection that was open already. */
	void (*on_verdict)(void *ctx, const struct server *);
	/* A certificate was refused, or accepted and not what this server showed when it was last accepted. presented: the
	 * certificates as they came, each after its length of 24 bits; lent. */
	void (*on_certificate)(void *ctx, const struct server *, struct span presented);
	/* A server became ready. */
	void (*on_ready)(void *ctx, const struct server *);
	void *ctx;
};

/* A server in its initial state. NULL: no memory. */
struct server *server_new(struct upstreams *, struct loop *);
void server_free(struct server *);
/* Its connections: the shared one, those of lanes, those beside it. i < UPSTREAM_SLOTS; NULL: not used yet. */
struct tp_slot *server_slot_at(const struct server *, size_t i);
/* Every connection but the shared one. */
void server_other_slots(struct server *, void (*act)(struct tp_slot *));
/* Gives the server a new target. A verdict belongs to its policy and time, so the certificate is judged again.
 * True: the server was refused until now. It is to be connected to: nothing else brings the new verdict. */
bool server_retarget(struct server *, const struct tp_target *);
/* Its connection has failed or is gone: forgets back-off and suspicions. */
void server_forget_rest(struct server *);

/* Was that time less than ms ago? INT64_MIN stands for never. */
static inline bool
server_time_within(int64_t then_ms, int64_t now_ms, int64_t ms)
{
	return then_ms != INT64_MIN && now_ms - then_ms < ms;
}

bool server_is_ready(const struct server *); /* the connection is up */
/* A connection was started and has no outcome yet. */
bool server_connects(const struct server *);
bool server_rests(const struct server *, int64_t now_ms);
bool server_waits(const struct server *); /* it asked for a pause, which is not over */
/* Several connections in a row ended without an answer, and there was no answer lately. */
bool server_is_barren(const struct server *);
/* A question of the zone had an answer here, as far as is remembered. */
bool server_knows(const struct server *, uint64_t zone);

/* How many connections of lanes may be made at once, at most `most`: fewer for a server that has answered nothing
 * lately. */
unsigned server_lane_burst(const struct server *, unsigned most);
/* Lanes may still make connections to tell bad names from a bad server. */
bool server_has_lane_budget(const struct server *);
/* The network has changed: drops every connection, and saved sessions, with which the server could tell that its client on
 * both networks is the same (RFC 9250, 5.5.3). */
void server_leave_network(struct server *);
/* No question that waits for one of its connections is sent there: they go elsewhere. */
void server_give_back(struct server *);
void server_lanes_drop_idle(struct server *);

/* How soon the certificate that was judged last expires, as of now; EXPIRY_FAR without one. */
enum expiry server_expiry(const struct server *);
/* RES_NOMEM: what was filled is freed with upstreams_report_free. */
enum res server_report(const struct server *, struct upstream_report *, int64_t now_ms);

#endif
