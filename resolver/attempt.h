/*
 * attempt.h - one question on its way to one server.
 *
 * An attempt belongs to a query until the query continues without it. Its answer is still awaited then, to learn whether the
 * server is alive. What an attempt shows about its server is reported to health.h here; its result for the question is handled
 * by the query.
 */
#ifndef RESOLVER_ATTEMPT_H
#define RESOLVER_ATTEMPT_H

#include "resolver/engine_state.h"
#include "resolver/lane.h"

#define ATTEMPTS_DETACHED_MAX 64 /* per server: awaited although no query needs them any more */

/* The outcome of an attempt, for its query. Lent. */
struct attempt_outcome {
	struct server *server;
	enum manner manner;
	bool beside;    /* it was on a connection beside the first one (beside.h) */
	bool convict;   /* it shared a connection, although its zone was in quarantine */
	bool repeated;  /* the server had it before, on a connection that ended */
	bool timed_out; /* its time was up */
	int64_t sent_ms;
	const struct tp_answer *answer;
};

/* The attempts of one query. Embedded in it. */
struct attempts {
	struct engine *engine;
	struct attempt_list list;
	unsigned open;       /* in the list */
	unsigned sends;      /* made, in all */
	uint64_t killers;    /* a bit for each server (id modulo 64) that had it on a connection that ended */
	uint64_t zone;       /* of the question */
	int64_t deadline_ms; /* of engine_awake_ms */
	struct span wire;    /* the whole message with one question, id 0 */
	struct span section; /* its question */
	/* The attempt is over and out of the list. May end the query. */
	void (*on_outcome)(struct attempts *, const struct attempt_outcome *);
};

struct attempt {
	struct attempts *query; /* NULL: it went on without this one */
	struct server *server;
	struct engine *engine;
	struct tp_exchange *exchange;
	enum manner manner;
	int lane; /* of the server; -1: a shared connection */
	struct tp_slot *slot;
	bool beside;  /* not the first of the shared ones */
	bool convict; /* on a shared connection, although its zone is in quarantine */
	uint64_t zone;
	int64_t sent_ms, deadline_ms; /* boot clock */
	int64_t sent_us;              /* monotonic clock; only with a tap */
	bool was_ready;               /* the connection was ready already */
	struct buf section; /* a trial: the question, by which it is judged even when nobody waits for it */
	LIST_ENTRY(attempt) server_link, query_link;
};

/* Sends the question. RES_LIMIT: there is no room on the connection. RES_NOT_FOUND: there is no connection, no lane,
 * or only the connection that already carries an attempt of the query. */
enum res attempt_new(struct attempts *, struct server *, enum manner);
/* Its query continues without it. */
void attempt_detach(struct attempt *);
void attempt_cancel(struct attempt *);
/* Cancels what no query waits for any more: all of it, or what waits for a connection or behind a late answer. */
void attempts_forget(struct engine *, bool all);
/* Its server has sent nothing at all since it was asked. */
bool attempt_is_silent(const struct attempt *);
int64_t attempt_age_ms(const struct attempt *);
/* It has waited for longer than answers of its server usually take (server_patience_ms). */
bool attempt_is_late(const struct attempt *);

void attempts_detach(struct attempts *);
void attempts_cancel(struct attempts *);

/* The number of servers with an attempt of the query, except those that have sent nothing for stall_ms since they
 * were asked. One server may have several attempts: on connections beside its first. */
unsigned attempts_servers(const struct attempts *, int64_t stall_ms);
/* In how many ms the next of these servers will have sent nothing for stall_ms. INT64_MAX: there is none. */
int64_t attempts_silent_in_ms(const struct attempts *, int64_t stall_ms);
/* All of a query's attempts wait for connections or behind late answers. */
bool attempts_wait(const struct attempts *);
/* While attempts wait: a server that may get the question over another connection as well (beside.h). NULL: none. */
struct server *attempts_blocked_by(const struct attempts *);

/* The connection works, but brought no usable answer. */
bool attempt_answer_is_bad(const struct attempt_outcome *);

#endif
