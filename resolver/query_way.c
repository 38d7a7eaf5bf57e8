/* The way of a query: who is asked next, and what it waits for while nobody can be. */
#include "resolver/query.h"
#include "resolver/health.h"
#include "resolver/maintain.h"
#include "resolver/order.h"

void
query_arm(struct query *q)
{
	int64_t now = loop_now_ms(q->engine->loop), due = q->deadline_ms;

	if (q->next_ms != 0 && q->next_ms < due)
		due = q->next_ms;
	if (q->stale_ms != 0 && q->stale_ms < due)
		due = q->stale_ms;
	if (q->stall_ms != 0 && q->stall_ms < due)
		due = q->stall_ms;
	if (q->wait_ms != 0 && q->wait_ms < due)
		due = q->wait_ms;
	loop_timer_set(&q->timer, due > now ? due - now : 0);
}

/* Sends it to the next one whose turn it is. False: there is nobody. */
bool
query_send(struct query *q)
{
	struct engine *e = q->engine;
	int64_t now = loop_now_ms(e->loop);

	while (q->open < QUERY_OPEN_MAX && q->tries.n < TRIES_MAX && q->sends < QUERY_SENDS_MAX) {
		struct server *s = upstreams_next(e->upstreams, q->route, &q->tries, q->avoid);
		enum manner manner;

		if (s == NULL)
			break;
		tries_add(&q->tries, s->id);
		manner = server_manner(s, q->zone, q->suspect,
				       now >= q->deadline_ms - QUERY_TIME_MS + QUERY_LANE_MS);
		if (manner == MANNER_NEVER) {
			tries_spend(&q->tries, s->id);
			q->blamed = s;
			q->blame = REASON_CLOSED;
			q->lame = false;
			q->suspect = true;
		}
		if (manner == MANNER_NEVER || manner == MANNER_NOT || !attempt_new(q, s, manner))
			continue;
		if (q->tries.n == 1 || q->next_ms == 0 || q->next_ms <= now)
			q->next_ms = now + server_patience_ms(s, e->plan->snapshot->settings->hedge);
		if (q->stall_ms == 0)
			q->stall_ms = now + QUERY_STALL_MS;
		return true;
	}
	q->next_ms = 0;
	return false;
}

/* The next one, or again one of those that never had the question: connections that end say little. */
static bool
query_send_anew(struct query *q)
{
	if (query_send(q))
		return true;
	if (q->open == 0)
		tries_forget_unspent(&q->tries);
	return q->open == 0 && query_send(q);
}

/* Nobody can be asked now. False: nor later. */
static bool
query_wait(struct query *q)
{
	struct engine *e = q->engine;
	int64_t due;

	if (q->held.n > 0 || q->limited || q->sends >= QUERY_SENDS_MAX)
		return false;
	if (query_has_stale(q) && !upstreams_all_refused(e->upstreams, q->route)) /* better than to wait */
		return false;
	due = upstreams_due_ms(e->upstreams, q->route, &q->tries, q->zone);
	if (due == INT64_MAX || loop_now_ms(e->loop) >= q->deadline_ms)
		return false;
	tries_forget_unspent(&q->tries);
	q->wait_ms = due;
	return true;
}

bool
query_look(struct query *q)
{
	q->wait_ms = 0;
	if (query_send(q) || query_wait(q)) {
		query_arm(q);
		return true;
	}
	return false;
}

void
query_retry(struct query *q, bool wait)
{
	bool late = loop_now_ms(q->engine->loop) >= q->deadline_ms;

	if (q->open > 0 && wait) {
		query_arm(q);
		return;
	}
	if (!late && query_send_anew(q))
		counter_add(q->engine->counters, COUNTER_FAILED_OVER, 1);
	if (q->open == 0 && (late || !query_wait(q)))
		query_fail(q);
	else
		query_arm(q);
}

/* Some upstream has answered questions of this zone: it goes first when there is little room. */
static bool
query_is_known(const struct query *q)
{
	return upstreams_know(q->engine->upstreams, q->route, q->zone);
}

static void
query_wake_some(struct engine *e, bool known)
{
	struct query *q, *next;

	for (q = e->queries; q != NULL; q = next) {
		next = q->next;
		if (q->wait_ms != 0 && q->open == 0 && query_is_known(q) == known && !query_look(q))
			query_fail(q);
	}
}

void
query_wake_all(void *engine)
{
	query_wake_some(engine, true);
	query_wake_some(engine, false);
}

void
query_on_due(void *ctx)
{
	struct query *q = ctx;
	struct engine *e = q->engine;
	int64_t now = loop_now_ms(e->loop);
	bool late = q->next_ms != 0 && now >= q->next_ms, stalled = q->stall_ms != 0 && now >= q->stall_ms;

	for (struct attempt *a = q->attempts; a != NULL; a = a->query_next) {
		struct server *s = a->server;

		if (s->answered_ms >= a->sent_ms)
			continue;
		if (late || now >= q->deadline_ms)
			server_is_slow(s);
		/* An open connection that swallows questions: most likely it is not there any more. One that took
		 * its place, or is on its way to it, has its own chance. */
		if (stalled && a->was_ready && server_is_ready(s) && s->ready_ms < a->sent_ms)
			server_stalled(s);
	}
	if (now >= q->deadline_ms) {
		query_fail(q);
		return;
	}
	if (stalled)
		q->stall_ms = INT64_MAX;
	if (q->stale_ms != 0 && now >= q->stale_ms) {
		q->stale_ms = 0;
		waiters_stale(q);
	}
	if (q->wait_ms != 0 && now >= q->wait_ms && q->open == 0) {
		upstreams_maintain(e->upstreams, q->route);
		if (!query_look(q))
			query_fail(q);
		return;
	}
	if (late && query_send(q))
		counter_add(e->counters, COUNTER_HEDGED, 1);
	query_arm(q);
}
