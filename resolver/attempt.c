#include "resolver/attempt.h"

#include "base/clock.h"
#include "resolver/answer_class.h"
#include "resolver/beside.h"
#include "resolver/health.h"
#include "resolver/keep_warm.h"
#include "resolver/order.h"
#include "resolver/server_slot.h"

static void attempt_on_answer(void *, const struct tp_answer *);

static void
attempt_leave(struct attempt *a)
{
	LIST_REMOVE(a, server_link);
	if (a->query != NULL) {
		LIST_REMOVE(a, query_link);
		a->query->open--;
	} else {
		a->server->detached--;
	}
}

static void
attempt_free(struct attempt *a)
{
	attempt_leave(a);
	if (a->lane >= 0)
		server_lane_give(a->server, a->lane);
	buf_free(&a->section);
	pool_give(&a->engine->attempt_pool, a);
}

void
attempt_detach(struct attempt *a)
{
	if (a->server->detached >= ATTEMPTS_DETACHED_MAX) {
		attempt_cancel(a);
		return;
	}
	LIST_REMOVE(a, query_link);
	a->query->open--;
	a->query = NULL;
	a->server->detached++;
}

void
attempt_cancel(struct attempt *a)
{
	tp_cancel(a->exchange);
	attempt_free(a);
}

void
attempts_detach(struct attempts *as)
{
	while (!LIST_EMPTY(&as->list))
		attempt_detach(LIST_FIRST(&as->list));
}

void
attempts_cancel(struct attempts *as)
{
	while (!LIST_EMPTY(&as->list))
		attempt_cancel(LIST_FIRST(&as->list));
}

static void
server_attempts_forget(struct server *s, bool all)
{
	struct attempt *a, *next;

	for (a = LIST_FIRST(&s->attempts); a != NULL; a = next) {
		next = LIST_NEXT(a, server_link);
		if (a->query == NULL && (all || tp_waits(a->exchange)))
			attempt_cancel(a);
	}
}

void
attempts_forget(struct engine *e, bool all)
{
	for (size_t i = 0; i < e->upstreams->n; i++)
		server_attempts_forget(e->upstreams->server[i], all);
}

/* ---- on its way */

static void
attempt_enter(struct attempt *a)
{
	LIST_INSERT_HEAD(&a->server->attempts, a, server_link);
	LIST_INSERT_HEAD(&a->query->list, a, query_link);
	a->query->open++;
	a->query->sends++;
}

static bool
attempts_have(const struct attempts *as, const struct tp_slot *slot)
{
	const struct attempt *a;

	LIST_FOREACH(a, &as->list, query_link)
	if (a->slot == slot)
		return true;
	return false;
}

/* Over HTTP/2, where a connection has room for a limited number of questions: are so many of the zone in flight that
 * others would have to wait for them? */
static bool
server_has_many(const struct server *s, uint64_t zone)
{
	const struct attempt *a = LIST_FIRST(&s->attempts);
	unsigned n = 0;

	if (s->target->protocol != TP_DOH)
		return false;
	for (unsigned i = 0; a != NULL && i < UPSTREAM_BESIDE_LOOK; a = LIST_NEXT(a, server_link), i++)
		n += a->zone == zone;
	return n >= UPSTREAM_BESIDE_ZONE;
}

/* The connection that a question goes to. False: none. */
static bool
attempt_place(struct attempt *a, struct attempts *as)
{
	if (a->server->health == HEALTH_REFUSED) /* also over a connection that was open before */
		return false;
	if (a->manner == MANNER_SHARED) {
		bool stays = server_is_blocked(a->server) && server_has_many(a->server, as->zone);

		a->slot = server_shared_slot(a->server, stays, &a->beside);
		return a->slot != NULL && !attempts_have(as, a->slot);
	}
	a->lane = server_lane_take(a->server, as->zone);
	if (a->lane >= 0)
		a->slot = a->server->lane[a->lane].slot;
	return a->lane >= 0;
}

static void
attempt_tap_sent(struct attempt *a)
{
	const struct tap *tap = a->engine->tap;

	a->sent_us = clock_mono_us();
	tap->on_sent(tap->ctx, a->server, a->query->wire);
}

static void
attempt_tap_received(const struct attempt *a, const struct tp_answer *answer)
{
	const struct tap *tap = a->engine->tap;

	if (tap != NULL && tap->on_received != NULL && answer->failure == REASON_NONE)
		tap->on_received(tap->ctx, a->server, a->sent_us, answer->message);
}

static uint64_t
killer_bit(const struct server *s)
{
	return UINT64_C(1) << s->id % 64;
}

static enum res
attempt_send(struct attempt *a)
{
	struct server *s = a->server;
	bool first = a->lane < 0 && !a->beside;
	enum res res;

	a->was_ready = first && server_is_ready(s);
	a->convict = a->lane < 0 && server_quarantine(s, a->zone) != QUARANTINE_NONE;
	if (a->manner == MANNER_TRIAL)
		buf_put(&a->section, a->query->section);
	res = tp_send(&a->exchange, a->slot, a->query->wire, a->deadline_ms, attempt_on_answer, a);
	/* RFC 9520, 3.1: no more than three times to a server. It had two already. A convict's neighbours are repeated
	 * without it. */
	if (res == RES_OK && (a->convict || (a->query->killers & killer_bit(s)) != 0))
		tp_send_once(a->exchange);
	if (res == RES_OK && a->engine->tap != NULL && a->engine->tap->on_sent != NULL)
		attempt_tap_sent(a);
	if (res != RES_OK || !first)
		return res;
	server_keep_warm(s);
	return RES_OK;
}

enum res
attempt_new(struct attempts *as, struct server *s, enum manner manner)
{
	struct engine *e = as->engine;
	struct attempt *a = pool_take(&e->attempt_pool);
	enum res res;

	if (a == NULL)
		return RES_NOT_FOUND;
	*a = (struct attempt){.query = as,
			      .server = s,
			      .engine = e,
			      .manner = manner,
			      .lane = -1,
			      .zone = as->zone,
			      .section = buf_max(MSG_NAME_MAX + 4),
			      .sent_ms = loop_now_ms(e->loop),
			      .deadline_ms = engine_boot_of_awake_ms(e, as->deadline_ms)};
	res = attempt_place(a, as) ? attempt_send(a) : RES_NOT_FOUND;
	if (res == RES_OK) {
		attempt_enter(a);
		counter_add(e->counters, COUNTER_FORWARDED, 1);
		counter_add(e->counters, COUNTER_BESIDE, a->beside);
		return RES_OK;
	}
	buf_free(&a->section);
	if (a->lane >= 0)
		server_lane_give(s, a->lane);
	pool_give(&e->attempt_pool, a);
	return res;
}

/* ---- waiting */

bool
attempt_is_silent(const struct attempt *a)
{
	return a->server->answered_ms < a->sent_ms;
}

int64_t
attempt_age_ms(const struct attempt *a)
{
	return loop_now_ms(a->engine->loop) - a->sent_ms;
}

bool
attempt_is_late(const struct attempt *a)
{
	return attempt_age_ms(a) >= server_patience_ms(a->server, a->engine->plan->snapshot->settings->hedge);
}

unsigned
attempts_servers(const struct attempts *as, int64_t stall_ms)
{
	const struct attempt *a, *before;
	unsigned n = 0;

	LIST_FOREACH(a, &as->list, query_link)
	{
		before = LIST_FIRST(&as->list);
		while (before->server != a->server)
			before = LIST_NEXT(before, query_link);
		n += before == a && !(attempt_is_silent(a) && attempt_age_ms(a) >= stall_ms);
	}
	return n;
}

int64_t
attempts_silent_in_ms(const struct attempts *as, int64_t stall_ms)
{
	const struct attempt *a;
	int64_t least = INT64_MAX, left;

	LIST_FOREACH(a, &as->list, query_link)
	{
		left = stall_ms - attempt_age_ms(a);
		if (attempt_is_silent(a) && left > 0 && left < least)
			least = left;
	}
	return least;
}

bool
attempts_wait(const struct attempts *as)
{
	const struct attempt *a;

	LIST_FOREACH(a, &as->list, query_link)
	if (a->lane >= 0 || !tp_waits(a->exchange))
		return false;
	return !LIST_EMPTY(&as->list);
}

struct server *
attempts_blocked_by(const struct attempts *as)
{
	const struct attempt *a;

	LIST_FOREACH(a, &as->list, query_link)
	if (a->beside || (server_is_blocked(a->server) && !server_has_many(a->server, as->zone)))
		return a->server;
	return NULL;
}

/* ---- what came back */

/* Did the fresh connection of a trial bring a good answer? */
static bool
trial_is_good(const struct attempt *a, const struct tp_answer *answer)
{
	struct msg_answer m;

	return answer->failure == REASON_NONE && engine_answer_read(a->engine, &m, answer->message) &&
	       msg_answer_matches(&m, buf_span(&a->section)) && answer_classify(&m) == ANSWER_DECISION;
}

bool
attempt_answer_is_bad(const struct attempt_outcome *o)
{
	const struct tp_answer *answer = o->answer;

	if (answer->killed || answer->lost || answer->retry_safe || o->timed_out)
		return false;
	return answer->failure == REASON_DOH_STATUS || answer->failure == REASON_DOH_TYPE ||
	       answer->failure == REASON_DOH_REDIRECT || answer->failure == REASON_DOH_MALFORMED ||
	       answer->failure == REASON_ANSWER_MALFORMED || answer->failure == REASON_ANSWER_MISMATCH ||
	       answer->failure == REASON_CLOSED; /* a stream that was reset */
}

/* How many of its connections ended because of the question. A convict is to blame also if it was not alone, and the zone but
 * once if several of its questions were there. */
static unsigned
outcome_kills(const struct attempt_outcome *o, uint64_t zone)
{
	if (o->answer->alone > 0 || !o->convict)
		return o->answer->alone;
	return server_quarantine(o->server, zone) != QUARANTINE_OUT;
}

/* What a failure says of the server. silent: nothing came from it since the question was sent, for longer than usual. */
static void
server_on_failure(const struct attempt_outcome *o, uint64_t zone, bool silent)
{
	const struct tp_answer *answer = o->answer;
	struct server *s = o->server;
	bool bad = attempt_answer_is_bad(o);
	/* The shared connection is open, but the attempt's own one could not be made, or was not used. */
	bool unmade = (answer->lost || answer->retry_safe) && server_is_ready(s);

	if (answer->retired)
		return;
	if (bad && o->manner == MANNER_SHARED)
		server_answered_poorly(s);
	if (answer->retry_after_s > 0)
		server_asked_to_wait(s, answer->failure, (int64_t)answer->retry_after_s * 1000);
	else if (bad)
		server_answered_badly(s, zone, answer->failure);
	else if (answer->killed)
		server_killed(s, zone, outcome_kills(o, zone), o->manner != MANNER_SHARED);
	else if (o->manner != MANNER_SHARED && unmade)
		server_lane_failed(s);
	else if (o->beside && unmade)
		return; /* beside.c knows */
	else if (!o->timed_out)
		server_failed(s, answer->failure, false, NULL); /* a refusal came with the connection */
	else if (silent)
		server_is_slow(s);
}

static void
attempt_on_answer(void *arg, const struct tp_answer *answer)
{
	struct attempt *a = arg;
	struct server *s = a->server;
	struct attempts *query = a->query;
	const struct attempt_outcome o = {.server = s,
					  .manner = a->manner,
					  .beside = a->beside,
					  .convict = a->convict,
					  .repeated = query != NULL && (query->killers & killer_bit(s)) != 0,
					  .timed_out = loop_now_ms(a->engine->loop) >= a->deadline_ms,
					  .sent_ms = a->sent_ms,
					  .answer = answer};
	uint64_t zone = a->zone;
	bool silent = attempt_is_silent(a) && attempt_is_late(a), apart = a->lane >= 0;

	attempt_tap_received(a, answer);
	if (o.manner == MANNER_TRIAL)
		server_tried(s, zone, a->lane, trial_is_good(a, answer));
	if (apart && o.timed_out) /* nothing came, and it may be dead: the next question gets a new one */
		tp_slot_drop(a->slot, false);
	attempt_free(a);
	if (query != NULL && (answer->killed || answer->lost))
		query->killers |= killer_bit(s);
	if (answer->failure != REASON_NONE)
		server_on_failure(&o, zone, silent);
	if (query != NULL)
		query->on_outcome(query, &o);
	else if (answer->failure == REASON_NONE)
		server_answered_zone(s, zone, o.sent_ms);
	server_beside_tidy(s);
	if (apart) { /* a lane is free */
		s->set->hooks.on_change(s->set->hooks.ctx);
		server_lanes_tidy(s, zone);
	}
}
