#include "transport/slot.h"

#include "transport/conn.h"

#include <stdlib.h>
#include <string.h>

/* ---- questions */

static void
exchange_finish(struct tp_slot *slot, struct tp_exchange *x, const struct tp_answer *answer)
{
	loop_timer_stop(&x->deadline);
	x->place = EXCHANGE_DONE;
	x->fn(x->arg, answer);
	exchange_give(&slot->pool, x);
}

static void
exchange_fail(struct tp_slot *slot, struct tp_exchange *x, enum reason reason)
{
	struct tp_answer answer = {
	    .failure = reason, .retry_safe = !x->written, .killed = x->killed, .alone = x->alone};

	exchange_finish(slot, x, &answer);
}

static void
exchange_wait(struct tp_slot *slot, struct tp_exchange *x, bool first)
{
	x->place = EXCHANGE_WAITING;
	x->conn = NULL;
	if (first)
		exchange_list_prepend(&slot->waiting, x);
	else
		exchange_list_append(&slot->waiting, x);
}

/* Out of whatever list it is in. */
static void
exchange_detach(struct tp_exchange *x)
{
	switch (x->place) {
	case EXCHANGE_WAITING:
		exchange_list_remove(&x->slot->waiting, x);
		break;
	case EXCHANGE_FAILING:
		exchange_list_remove(&x->slot->failing, x);
		break;
	case EXCHANGE_IN_FLIGHT:
		conn_cancel(x->conn, x);
		slot_want_flush(x->slot);
		break;
	case EXCHANGE_DONE:
	case EXCHANGE_FREE:
		break;
	}
}

static void
exchange_on_deadline(void *ctx)
{
	struct tp_exchange *x = ctx;
	struct tp_slot *slot = x->slot;
	bool connected = x->written || (slot->conn != NULL && slot->conn->state == CONN_READY);

	exchange_detach(x);
	exchange_fail(slot, x, connected ? REASON_CLOSED : REASON_CONNECT_TIMEOUT);
}

enum res
tp_send(struct tp_exchange **out, struct tp_slot *slot, struct span message, int64_t deadline_ms,
	tp_answer_fn fn, void *arg)
{
	struct tp_exchange *x;

	if (message.n < 12 || message.n > TP_MESSAGE_MAX)
		return RES_MALFORMED;
	if (slot->waiting.n >= TP_QUEUE_MAX)
		return RES_LIMIT;
	x = exchange_take(&slot->pool, message);
	if (x == NULL)
		return RES_NOMEM;
	x->slot = slot;
	x->fn = fn;
	x->arg = arg;
	loop_timer_init(&x->deadline, slot->loop, exchange_on_deadline, x);
	loop_timer_set(&x->deadline, deadline_ms - loop_now_ms(slot->loop));
	exchange_wait(slot, x, false);
	slot->stats.questions++;
	slot_want_flush(slot);
	*out = x;
	return RES_OK;
}

void
tp_cancel(struct tp_exchange *x)
{
	if (x->place == EXCHANGE_DONE) /* inside its own callback */
		return;
	loop_timer_stop(&x->deadline);
	exchange_detach(x);
	exchange_give(&x->slot->pool, x);
}

/* ---- connections */

static void
conn_list_remove(struct conn **list, struct conn *c)
{
	while (*list != NULL && *list != c)
		list = &(*list)->next;
	if (*list != NULL)
		*list = c->next;
	c->next = NULL;
}

static void
slot_forget(struct tp_slot *slot, struct conn *c)
{
	if (slot->conn == c)
		slot->conn = NULL;
	else
		conn_list_remove(&slot->draining, c);
	c->next = slot->gone;
	slot->gone = c;
	slot_want_flush(slot);
}

static void
slot_free_gone(struct tp_slot *slot)
{
	struct conn *c;

	while ((c = slot->gone) != NULL) {
		slot->gone = c->next;
		conn_free(c);
	}
}

/* Everything the connection carried waits again, in its order; with count, the questions that have seen too
 * many connections end fail instead. */
static void
slot_take_back(struct tp_slot *slot, struct conn *c, bool count)
{
	unsigned most = slot->barren > SLOT_BARREN_MAX ? 1 : SLOT_DEATHS_MAX;
	bool alone = count && c->in_flight.n == 1;
	struct tp_exchange *x;

	while ((x = c->in_flight.last) != NULL) {
		exchange_list_remove(&c->in_flight, x);
		x->alone += alone;
		if (count && ++x->deaths >= most) {
			x->killed = true;
			x->place = EXCHANGE_FAILING;
			exchange_list_prepend(&slot->failing, x);
		} else {
			slot->stats.repeated++;
			exchange_wait(slot, x, true);
		}
	}
}

static void
slot_fail_waiting(struct tp_slot *slot)
{
	struct tp_exchange *x;

	while ((x = slot->waiting.first) != NULL) {
		exchange_list_remove(&slot->waiting, x);
		x->place = EXCHANGE_FAILING;
		exchange_list_append(&slot->failing, x);
	}
}

static void
slot_fail_failing(struct tp_slot *slot, enum reason reason)
{
	struct tp_exchange *x;

	while ((x = slot->failing.first) != NULL) {
		exchange_list_remove(&slot->failing, x);
		exchange_fail(slot, x, reason);
	}
}

/* Closes without an event; its questions wait again. */
static void
slot_drop_conn(struct tp_slot *slot, struct conn *c)
{
	conn_shut(c);
	slot_take_back(slot, c, false);
	slot_forget(slot, c);
}

static void
slot_start_draining(struct tp_slot *slot)
{
	struct conn *c = slot->conn, *last = c;
	unsigned n = 1;

	c->draining = true;
	slot->conn = NULL;
	c->next = slot->draining;
	slot->draining = c;
	for (; last->next != NULL; n++)
		last = last->next;
	if (n > SLOT_DRAINING_MAX)
		slot_drop_conn(slot, last);
}

static void
slot_event(struct tp_slot *slot, struct tp_event *event)
{
	if (slot->hooks.on_event != NULL)
		slot->hooks.on_event(slot->hooks.ctx, slot, event);
}

static void
event_show_tls(struct tp_event *event, const struct conn *c)
{
	event->tls_version = tls_version(c->tls);
	event->cipher = tls_cipher(c->tls);
	event->alpn = tls_alpn(c->tls);
}

void
slot_on_ready(struct tp_slot *slot, struct conn *c)
{
	struct tp_event event = {
	    .kind = TP_EVENT_READY,
	    .verdict = &c->verdict,
	    .resumed = tls_resumed(c->tls),
	    .handshake_ms = loop_now_ms(slot->loop) - c->start_ms,
	};

	event_show_tls(&event, c);
	slot->wanted = false;
	slot->stats.handshakes++;
	slot->stats.resumed += event.resumed;
	slot->stats.handshake_ms = event.handshake_ms;
	slot_want_flush(slot);
	slot_event(slot, &event);
}

/* A session that could not be resumed says nothing about the peer: a full handshake is made at once. */
static bool
slot_tries_in_full(struct tp_slot *slot, const struct conn *c, enum reason reason)
{
	if (c == NULL || !c->offered)
		return false;
	if (!reason_is_verdict(reason) && reason != REASON_TLS_ALERT && reason != REASON_TLS_FAILED &&
	    reason != REASON_CLOSED)
		return false;
	tickets_clear(&slot->tickets);
	slot->wanted = true;
	slot_want_flush(slot);
	return true;
}

void
slot_on_gone(struct tp_slot *slot, struct conn *c, bool was_ready, enum reason reason, const char *detail)
{
	struct tp_event event = {
	    .kind = was_ready ? TP_EVENT_CLOSED : TP_EVENT_FAILED,
	    .reason = reason,
	    .detail = detail,
	    .tls_version = "",
	    .cipher = "",
	    .alpn = "",
	};
	bool current = c == NULL || slot->conn == c;

	if (c != NULL) {
		event.verdict = reason_is_verdict(reason) ? &c->verdict : NULL;
		event.handshake_ms = loop_now_ms(slot->loop) - c->start_ms;
		event.resumed = was_ready && tls_resumed(c->tls);
		event_show_tls(&event, c);
		if (c->in_flight.n > 0 && !c->answered)
			slot->barren++;
		slot_take_back(slot, c, true);
		slot_forget(slot, c);
	}
	if (!was_ready && slot_tries_in_full(slot, c, reason))
		return;
	if (!was_ready) {
		slot->wanted = false;
		if (current)
			slot_fail_waiting(slot);
	}
	if (reason_is_verdict(reason))
		slot->stats.refused++;
	else if (!was_ready)
		slot->stats.failures++;
	if (reason_is_verdict(reason))
		tickets_clear(&slot->tickets);
	slot_event(slot, &event);
	slot_fail_failing(slot, reason);
}

static void
stats_on_answer(struct tp_stats *s, int64_t rtt_us)
{
	int64_t step = s->median_us / 32 + 1;

	s->answers++;
	if (s->srtt_us < 0) {
		s->srtt_us = s->median_us = rtt_us;
		return;
	}
	s->srtt_us += (rtt_us - s->srtt_us) / 8;
	/* Moves by a fixed part towards each sample: half of them lie above where it comes to rest. */
	if (rtt_us > s->median_us)
		s->median_us += step;
	else if (rtt_us < s->median_us)
		s->median_us -= step;
}

void
slot_on_answer(struct tp_slot *slot, struct conn *c, struct tp_exchange *x, struct tp_answer *answer)
{
	exchange_list_remove(&c->in_flight, x);
	x->conn = NULL;
	if (answer->failure == REASON_NONE) {
		c->answered = true;
		slot->barren = 0;
		stats_on_answer(&slot->stats, answer->rtt_us);
	}
	exchange_finish(slot, x, answer);
}

void
slot_on_unprocessed(struct tp_slot *slot, struct conn *c, struct tp_exchange *x)
{
	struct tp_answer answer = {.failure = REASON_CLOSED, .retry_safe = true};

	exchange_list_remove(&c->in_flight, x);
	if (++x->deaths >= SLOT_DEATHS_MAX) {
		exchange_finish(slot, x, &answer);
		return;
	}
	slot->stats.repeated++;
	exchange_wait(slot, x, true);
	slot_want_flush(slot);
}

static void
slot_on_flush(void *ctx)
{
	struct tp_slot *slot = ctx;
	struct conn *c, *next;

	slot_free_gone(slot);
	c = slot->conn;
	if (c != NULL && c->state == CONN_READY) {
		if (c->proto->ops->is_draining(c->proto))
			slot_start_draining(slot);
		else if (slot->waiting.n > 0 && conn_is_stale(c))
			conn_close_idle(c);
	}
	if (slot->conn == NULL && (slot->waiting.n > 0 || slot->wanted))
		(void)conn_open(slot, tickets_take(&slot->tickets, loop_now_ms(slot->loop)));
	if (slot->conn != NULL)
		conn_flush(slot->conn);
	for (c = slot->draining; c != NULL; c = next) {
		next = c->next;
		conn_flush(c);
	}
}

void
slot_want_flush(struct tp_slot *slot)
{
	loop_defer(&slot->flush, slot->loop, slot_on_flush, slot);
}

/* ---- the slot */

enum res
tp_slot_new(struct tp_slot **out, struct loop *loop, const struct tp_target *target,
	    const struct tp_hooks *hooks)
{
	struct tp_slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return RES_NOMEM;
	slot->loop = loop;
	slot->target = target;
	if (hooks != NULL)
		slot->hooks = *hooks;
	slot->stats.handshake_ms = slot->stats.srtt_us = slot->stats.median_us = -1;
	*out = slot;
	return RES_OK;
}

void
tp_slot_free(struct tp_slot *slot)
{
	struct tp_exchange *x;

	if (slot == NULL)
		return;
	tp_slot_drop(slot, true);
	while ((x = slot->failing.first) != NULL || (x = slot->waiting.first) != NULL)
		tp_cancel(x);
	loop_defer_stop(&slot->flush);
	slot_free_gone(slot);
	exchange_pool_free(&slot->pool);
	free(slot);
}

void
tp_slot_connect(struct tp_slot *slot)
{
	if (slot->conn != NULL)
		return;
	slot->wanted = true;
	slot_want_flush(slot);
}

void
tp_slot_drop(struct tp_slot *slot, bool forget_tickets)
{
	struct conn *c;

	while ((c = slot->draining) != NULL)
		slot_drop_conn(slot, c);
	if (slot->conn != NULL)
		slot_drop_conn(slot, slot->conn);
	slot->barren = 0;
	if (forget_tickets)
		tickets_clear(&slot->tickets);
}

void
tp_slot_adopt(struct tp_slot *slot, struct tp_slot *from)
{
	struct conn *c = from->conn;

	if (slot->conn != NULL)
		slot_drop_conn(slot, slot->conn);
	if (c == NULL || c->state != CONN_READY || c->in_flight.n > 0)
		return;
	from->conn = NULL;
	c->slot = slot;
	slot->conn = c;
	slot->barren = 0;
	slot_want_flush(slot);
}

static bool
text_differs(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0;
}

void
tp_slot_retarget(struct tp_slot *slot, const struct tp_target *target)
{
	const struct tp_target *before = slot->target;
	bool other_peer = text_differs(before->name, target->name) || before->identity != target->identity ||
			  !addr_equal(&before->addr, &target->addr) || before->protocol != target->protocol;
	bool other_request = target->protocol == TP_DOH &&
			     (before->method != target->method || text_differs(before->path, target->path));

	slot->target = target;
	if (other_peer || other_request) {
		tp_slot_drop(slot, other_peer);
		return;
	}
	while (slot->draining != NULL) /* not worth judging again */
		slot_drop_conn(slot, slot->draining);
	if (slot->conn != NULL && slot->conn->state == CONN_READY)
		slot->conn->judge_again = true;
	else if (slot->conn != NULL) /* it may have been judged by the old policy a moment ago */
		slot_drop_conn(slot, slot->conn);
	slot_want_flush(slot);
}

enum res
tp_global_init(void)
{
	return tls_global_init();
}
