#include "transport/slot.h"

#include "transport/stall.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

static struct tp_slot *
slot_of_shared(struct conn_shared *shared)
{
	return (struct tp_slot *)(void *)((char *)shared - offsetof(struct tp_slot, shared));
}

/* ---- connections */

static void
slot_forget(struct tp_slot *slot, struct conn *c)
{
	if (slot->conn == c) {
		slot->conn = NULL;
	} else {
		TAILQ_REMOVE(&slot->draining, c, beside);
		slot->n_draining--;
	}
	TAILQ_INSERT_HEAD(&slot->gone, c, beside);
	slot_want_flush(slot);
}

static void
slot_free_gone(struct tp_slot *slot)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&slot->gone)) != NULL) {
		TAILQ_REMOVE(&slot->gone, c, beside);
		conn_free(c);
	}
}

/* Closes without an event; its questions wait again. */
static void
slot_drop_conn(struct tp_slot *slot, struct conn *c)
{
	conn_shut(c);
	slot_take_back(slot, c, false, false);
	slot_forget(slot, c);
}

static void
slot_start_draining(struct tp_slot *slot)
{
	struct conn *c = slot->conn;

	c->draining = true;
	slot->conn = NULL;
	TAILQ_INSERT_HEAD(&slot->draining, c, beside);
	if (++slot->n_draining > SLOT_DRAINING_MAX)
		slot_drop_conn(slot, TAILQ_LAST(&slot->draining, conn_list));
}

static void
slot_report_event(struct tp_slot *slot, struct tp_event *event)
{
	if (slot->hooks.on_event != NULL)
		slot->hooks.on_event(slot->hooks.ctx, slot, event);
}

static void
slot_describe_tls(struct tp_event *event, const struct conn *c)
{
	event->tls_version = tls_version(c->tls);
	event->cipher = tls_cipher(c->tls);
	event->group = tls_group(c->tls);
	event->alpn = tls_alpn(c->tls);
}

/* An event about a peer that was accepted; the kind is still to be set. */
static struct tp_event
slot_event_accepted(struct conn *c)
{
	struct tp_event event = {
	    .verdict = &c->verdict,
	    .presented = buf_span(&c->presented),
	    .resumed = tls_resumed(c->tls),
	};

	slot_describe_tls(&event, c);
	return event;
}

static void
slot_on_ready(struct conn_shared *shared, struct conn *c)
{
	struct tp_slot *slot = slot_of_shared(shared);
	struct tp_event event = slot_event_accepted(c);

	event.kind = TP_EVENT_READY;
	event.handshake_ms = loop_now_ms(slot->shared.loop) - c->start_ms;
	slot->wanted = false;
	slot->shared.stats.handshakes++;
	slot->shared.stats.resumed += event.resumed;
	slot->shared.stats.handshake_ms = event.handshake_ms;
	nat_on_fresh(&slot->shared.nat, c->start_ms,
		     !stall_is_due(event.handshake_ms, slot->shared.stats.srtt_us / 1000));
	slot_want_flush(slot);
	slot_report_event(slot, &event);
	buf_free(&c->presented);
}

static void
slot_on_judged(struct conn_shared *shared, struct conn *c)
{
	struct tp_event event = slot_event_accepted(c);

	event.kind = TP_EVENT_JUDGED;
	slot_report_event(slot_of_shared(shared), &event);
}

/* A failed resumption does not count against the peer: a full handshake follows at once. */
static bool
slot_tries_in_full(struct tp_slot *slot, const struct conn *c, enum reason reason)
{
	if (c == NULL || !c->offered)
		return false;
	if (!c->refused && reason != REASON_TLS_ALERT && reason != REASON_TLS_FAILED &&
	    reason != REASON_CLOSED)
		return false;
	tickets_clear(&slot->shared.tickets);
	slot->wanted = true;
	slot_want_flush(slot);
	return true;
}

/* Called when a ready connection ends or takes no more questions. True: the waiting questions fail, because several
 * connections in a row did so before any question was written. A server may do that without end, and a handshake costs
 * more than an answer. */
static bool
slot_gives_up(struct tp_slot *slot, const struct conn *c)
{
	int64_t idle_ms = loop_now_ms(slot->shared.loop) - c->used_ms;

	if (c->carried)
		slot->unused = 0;
	if (c->carried || slot->shared.waiting.n == 0 || idle_ms >= IDLE_LEARN_MIN_MS)
		return false;
	return ++slot->unused >= SLOT_UNUSED_MAX;
}

/* c may be NULL: there was no memory for one. */
static void
slot_on_gone(struct conn_shared *shared, struct conn *c, bool was_ready, enum reason reason,
	     const char *detail)
{
	struct tp_slot *slot = slot_of_shared(shared);
	struct tp_event event = {
	    .kind = was_ready ? TP_EVENT_CLOSED : TP_EVENT_FAILED,
	    .reason = reason,
	    .refused = c != NULL && c->refused,
	    .detail = detail,
	    .tls_version = "",
	    .cipher = "",
	    .group = "",
	    .alpn = "",
	};
	bool current = c == NULL || slot->conn == c;
	bool starved = reason == REASON_OUT_OF_MEMORY && !event.refused;
	bool by_us = event.refused || (c != NULL && c->outdated); /* no question ended the connection */
	bool asked = c != NULL && slot->keep.exchange != NULL && slot->keep.exchange->conn == c;

	if (c != NULL) {
		event.verdict = event.refused ? &c->verdict : NULL;
		if (event.verdict != NULL)
			event.presented = buf_span(&c->presented);
		event.handshake_ms = loop_now_ms(slot->shared.loop) - c->start_ms;
		event.resumed = was_ready && tls_resumed(c->tls);
		slot_describe_tls(&event, c);
		if (c->in_flight.n > asked && !by_us && !starved) {
			slot->barren += c->answered == 0;
			if (was_ready && reason == REASON_CLOSED)
				quota_on_close(&slot->shared.quota, c->silent ? 0 : c->answered);
		}
		slot_take_back(slot, c, !by_us, !starved);
		slot_forget(slot, c);
	}
	if (was_ready && current && reason == REASON_CLOSED && slot_keep_reopens(slot, c, asked))
		slot->wanted = true;
	if (was_ready && current && !by_us && slot_gives_up(slot, c))
		slot_fail_waiting(slot);
	if (!was_ready && slot_tries_in_full(slot, c, reason))
		return;
	if (!was_ready) {
		nat_on_fresh(&slot->shared.nat, 0, false);
		slot->wanted = false;
		slot->keep.until_ms = 0;
		if (current)
			slot_fail_waiting(slot);
	}
	if (event.refused)
		slot->shared.stats.refused++;
	else if (!was_ready)
		slot->shared.stats.failures++;
	if (event.refused)
		tickets_clear(&slot->shared.tickets);
	slot_report_event(slot, &event);
	slot_fail_failing(slot, reason);
}

static void
slot_on_answer(struct conn_shared *shared, struct conn *c, struct tp_exchange *x, struct tp_answer *answer)
{
	struct tp_slot *slot = slot_of_shared(shared);

	if (x != exchange_list_first(&c->in_flight))
		slot->shared.unordered = true;
	exchange_list_remove(&c->in_flight, x);
	x->conn = NULL;
	if (answer->failure == REASON_NONE) {
		quota_on_answer(&slot->shared.quota, ++c->answered);
		slot->barren = 0;
		if (x != slot->keep.exchange)
			slot_count_answer(slot, answer->rtt_us);
	}
	slot_finish_exchange(slot, x, answer);
}

static void
slot_on_unprocessed(struct conn_shared *shared, struct conn *c, struct tp_exchange *x)
{
	struct tp_slot *slot = slot_of_shared(shared);
	struct tp_answer answer = {.failure = REASON_CLOSED, .retry_safe = true};

	exchange_list_remove(&c->in_flight, x);
	answer.retired = c->retired;
	if (c->retired || ++x->deaths >= SLOT_DEATHS_MAX) {
		slot_finish_exchange(slot, x, &answer);
		return;
	}
	slot->shared.stats.repeated++;
	slot_queue_exchange(slot, x, true);
	slot_want_flush(slot);
}

static bool
slot_on_idle(struct conn_shared *shared, struct conn *c)
{
	struct tp_slot *slot = slot_of_shared(shared);

	return slot->conn == c && slot_keep_ask(slot, c);
}

static void
slot_on_want_flush(struct conn_shared *shared)
{
	slot_want_flush(slot_of_shared(shared));
}

static const struct conn_ops slot_conn_ops = {
    .on_ready = slot_on_ready,
    .on_judged = slot_on_judged,
    .on_gone = slot_on_gone,
    .on_answer = slot_on_answer,
    .on_unprocessed = slot_on_unprocessed,
    .on_idle = slot_on_idle,
    .want_flush = slot_on_want_flush,
};

static void
slot_open_conn(struct tp_slot *slot)
{
	struct conn_shared *shared = &slot->shared;

	shared->stats.connects++;
	slot->conn = conn_create(shared, tickets_take(&shared->tickets, loop_now_ms(shared->loop)));
	if (slot->conn == NULL)
		slot_on_gone(shared, NULL, false, REASON_OUT_OF_MEMORY, NULL);
	else
		(void)conn_start(slot->conn);
}

/* Another connection is needed, and there may be one. */
static bool
slot_needs_another(const struct tp_slot *slot)
{
	return slot->conn != NULL && conn_needs_another(slot->conn) && slot->n_draining < SLOT_DRAINING_MAX;
}

/* Takes the connection out of use if its peer accepts no new questions, or if it was idle for too long. */
static void
slot_refresh_conn(struct tp_slot *slot)
{
	struct conn *c = slot->conn;

	if (c == NULL || c->state != CONN_READY)
		return;
	if (c->proto->ops->is_draining(c->proto)) {
		if (c->in_flight.n == 0) /* a GOAWAY, for being idle */
			conn_learn_idle(c);
		slot->wanted |= slot_keep_reopens(slot, c, false);
		slot_start_draining(slot);
		if (slot_gives_up(slot, c)) {
			slot_fail_waiting(slot);
			slot_fail_failing(slot, REASON_CLOSED);
		}
	} else if (slot_needs_another(slot)) {
		slot_start_draining(slot);
	} else if (slot->shared.waiting.n > 0 && slot->keep.exchange == NULL && conn_is_stale(c)) {
		conn_close_idle(c);
	}
}

static void
slot_on_flush(void *ctx)
{
	struct tp_slot *slot = ctx;
	struct conn *c, *next;

	slot_free_gone(slot);
	slot_fail_failing(slot, REASON_CLOSED); /* retired */
	slot_refresh_conn(slot);
	if (slot->conn == NULL && (slot->shared.waiting.n > 0 || slot->wanted))
		slot_open_conn(slot);
	if (slot->conn != NULL)
		conn_flush(slot->conn);
	for (c = TAILQ_FIRST(&slot->draining); c != NULL; c = next) {
		next = TAILQ_NEXT(c, beside);
		conn_flush(c);
	}
	if (slot_needs_another(slot))
		slot_want_flush(slot);
}

void
slot_want_flush(struct tp_slot *slot)
{
	loop_defer(&slot->flush, slot->shared.loop, slot_on_flush, slot);
}

/* ---- the slot */

enum res
tp_slot_new(struct tp_slot **out, struct loop *loop, const struct tp_target *target,
	    const struct tp_hooks *hooks)
{
	struct tp_slot *slot = calloc(1, sizeof *slot);

	if (slot == NULL)
		return RES_NOMEM;
	slot->shared.ops = &slot_conn_ops;
	slot->shared.loop = loop;
	slot->shared.target = target;
	slot->shared.unordered = target->protocol == TP_DOH;
	exchange_list_start(&slot->shared.waiting);
	exchange_list_start(&slot->failing);
	TAILQ_INIT(&slot->draining);
	TAILQ_INIT(&slot->gone);
	if (hooks != NULL) {
		slot->hooks = *hooks;
		slot->shared.known = hooks->known;
	}
	slot->shared.stats.handshake_ms = slot->shared.stats.srtt_us = slot->shared.stats.median_us = -1;
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
	while ((x = exchange_list_first(&slot->failing)) != NULL ||
	       (x = exchange_list_first(&slot->shared.waiting)) != NULL)
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

static void
slot_drop_all(struct tp_slot *slot, bool forget_tickets)
{
	struct conn *c;

	while ((c = TAILQ_FIRST(&slot->draining)) != NULL)
		slot_drop_conn(slot, c);
	if (slot->conn != NULL)
		slot_drop_conn(slot, slot->conn);
	slot->barren = slot->unused = 0;
	if (forget_tickets)
		tickets_clear(&slot->shared.tickets);
}

void
tp_slot_drop(struct tp_slot *slot, bool forget_tickets)
{
	slot_drop_all(slot, forget_tickets);
	slot->wanted = false;
}

void
tp_slot_give_back(struct tp_slot *slot)
{
	struct tp_exchange *x;

	while ((x = exchange_list_last(&slot->shared.waiting)) != NULL) {
		exchange_list_remove(&slot->shared.waiting, x);
		if (x == slot->keep.exchange)
			slot_keep_died(slot);
		else
			slot_retire_exchange(slot, x);
	}
	slot_want_flush(slot);
}

void
tp_slot_retire(struct tp_slot *slot)
{
	struct conn *c = slot->conn;

	if (c != NULL && c->state == CONN_READY)
		slot_start_draining(slot);
	else if (c != NULL)
		slot_drop_conn(slot, c);
	TAILQ_FOREACH(c, &slot->draining, beside)
	c->retired = true;
	tp_slot_give_back(slot);
	slot->wanted = false;
	tickets_clear(&slot->shared.tickets);
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
	c->shared = &slot->shared;
	slot->conn = c;
	slot->wanted = false;
	slot->barren = slot->unused = 0;
	slot_want_flush(slot);
	slot_want_flush(from); /* what waited there for room needs another connection */
}

static bool
slot_text_differs(const char *a, const char *b)
{
	return strcmp(a != NULL ? a : "", b != NULL ? b : "") != 0;
}

void
tp_slot_retarget(struct tp_slot *slot, const struct tp_target *target)
{
	const struct tp_target *before = slot->shared.target;
	bool other_peer = slot_text_differs(before->name, target->name) ||
			  before->identity != target->identity || !addr_equal(&before->addr, &target->addr) ||
			  before->protocol != target->protocol;
	bool other_request = target->protocol == TP_DOH && (before->method != target->method ||
							    slot_text_differs(before->path, target->path));
	struct conn *c;

	slot->shared.target = target;
	if (other_peer)
		slot->shared.quota = (struct quota){0};
	if (other_peer || other_request) { /* a connection that is wanted stays wanted */
		slot_drop_all(slot, other_peer);
		return;
	}
	while ((c = TAILQ_FIRST(&slot->draining)) != NULL) /* not worth judging again */
		slot_drop_conn(slot, c);
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
