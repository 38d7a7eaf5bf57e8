#include "resolver/query_send.h"

#include "resolver/deliver.h"
#include "resolver/maintain.h"
#include "resolver/order.h"

void
query_blame(struct query *q, const struct server *s, enum reason reason)
{
	q->blame = (struct blame){.server = s, .reason = reason};
}

bool
query_attempt(struct query *q, struct server *s, enum manner manner)
{
	enum res res = attempt_new(&q->attempts, s, manner);

	if (res == RES_LIMIT)
		q->limited = true;
	return res == RES_OK;
}

/* Asks this server, if it may be asked at all. True: it was. */
static bool
query_send_to(struct query *q, struct server *s)
{
	struct engine *e = q->engine;
	bool waited = engine_awake_ms(e) >= q->deadline_ms - QUERY_TIME_MS + QUERY_LANE_MS;
	enum manner manner = server_manner(s, q->zone, q->suspect, waited);

	if (manner == MANNER_NEVER) {
		tries_spend(&q->tries, s->id);
		query_blame(q, s, REASON_CLOSED);
		q->suspect = true;
	}
	return manner != MANNER_NEVER && manner != MANNER_NOT && query_attempt(q, s, manner);
}

/* When an answer of this server counts as late. 0: it does not matter. */
static int64_t
query_behind_ms(const struct query *q, const struct server *s, int64_t now)
{
	if (!q->engine->plan->snapshot->settings->hedge || s->slot == NULL)
		return 0;
	return now + tp_slot_late_after_ms(s->slot);
}

void
query_look_behind(struct query *q)
{
	int64_t now = engine_awake_ms(q->engine);
	struct server *s;

	q->behind_ms = 0;
	if (!attempts_wait(&q->attempts))
		return;
	s = attempts_blocked_by(&q->attempts);
	if (s != NULL && !q->suspect && q->behind < QUERY_BEHIND_MAX && query_attempt(q, s, MANNER_SHARED))
		q->behind++;
	q->behind_ms = query_behind_ms(q, LIST_FIRST(&q->attempts.list)->server,
				       now); /* there may be room for it later */
}

static bool
query_has_sends(const struct query *q)
{
	return q->attempts.sends - q->behind < QUERY_SENDS_MAX;
}

static bool
query_has_place(const struct query *q)
{
	return attempts_servers(&q->attempts, QUERY_STALL_MS) < QUERY_OPEN_MAX;
}

/* When a silent server no longer holds a place. 0: it does not matter. */
static int64_t
query_place_ms(const struct query *q, int64_t now)
{
	int64_t ms = attempts_silent_in_ms(&q->attempts, QUERY_STALL_MS);

	return query_has_place(q) || !query_has_sends(q) || ms == INT64_MAX ? 0 : now + ms;
}

bool
query_send(struct query *q)
{
	struct engine *e = q->engine;
	int64_t now = engine_awake_ms(e);

	while (query_has_place(q) && q->tries.n < TRIES_MAX && query_has_sends(q)) {
		struct server *s = upstreams_next(e->upstreams, q->route, &q->tries, q->avoid);

		if (s == NULL)
			break;
		tries_add(&q->tries, s->id);
		if (!query_send_to(q, s))
			continue;
		q->next_ms = now + server_patience_ms(s, e->plan->snapshot->settings->hedge);
		if (q->stall_ms == 0)
			q->stall_ms = now + QUERY_STALL_MS;
		if (q->behind_ms == 0)
			q->behind_ms = query_behind_ms(q, s, now);
		q->place_ms = 0;
		return true;
	}
	q->next_ms = 0;
	q->place_ms = query_place_ms(q, now);
	return false;
}

/* Sends to the next server, or again to one that never had the question: a connection that ended says little about
 * it. */
static bool
query_send_anew(struct query *q)
{
	if (query_send(q))
		return true;
	if (q->attempts.open == 0)
		tries_forget_unspent(&q->tries);
	return q->attempts.open == 0 && query_send(q);
}

bool
query_send_beside(struct query *q)
{
	struct attempt *a;

	if (query_send(q))
		return true;
	tries_forget_unspent(&q->tries);
	LIST_FOREACH(a, &q->attempts.list, query_link)
	tries_add(&q->tries, a->server->id);
	if (query_send(q))
		return true;
	upstreams_maintain_for_stranded(q->engine->upstreams, q->route);
	return false;
}

/* No server can be asked now: waits for one. False: no server will do later either. */
static bool
query_wait_for_news(struct query *q)
{
	struct engine *e = q->engine;
	int64_t due;

	if (q->held.n > 0 || q->limited || !query_has_sends(q))
		return false;
	if (query_has_stale(q) &&
	    !upstreams_all_refused(e->upstreams, q->route)) /* a stale answer is better than waiting */
		return false;
	upstreams_maintain_for_stranded(e->upstreams, q->route);
	due = upstreams_due_ms(e->upstreams, q->route, &q->tries, q->zone);
	if (due == INT64_MAX || query_is_late(q))
		return false;
	tries_forget_unspent(&q->tries);
	q->wait_ms = engine_awake_ms(e) + due - loop_now_ms(e->loop);
	return true;
}

bool
query_look(struct query *q)
{
	q->wait_ms = 0;
	if (!query_send(q) && !query_wait_for_news(q))
		return false;
	query_arm(q);
	return true;
}

enum query_step
query_retry(struct query *q, bool wait)
{
	bool late = query_is_late(q);

	if (q->attempts.open > 0 && wait) {
		query_arm(q);
		return QUERY_GOES_ON;
	}
	if (!late && query_send_anew(q))
		counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
	if (q->attempts.open == 0 && (late || !query_wait_for_news(q)))
		return query_fail(q);
	query_arm(q);
	return QUERY_GOES_ON;
}
