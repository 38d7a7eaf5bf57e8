/* The exchanges of a slot: sent, waiting, cancelled, ended. */
#include "transport/slot.h"

void
slot_finish_exchange(struct tp_slot *slot, struct tp_exchange *x, const struct tp_answer *answer)
{
	loop_timer_stop(&x->deadline);
	x->place = EXCHANGE_DONE;
	x->fn(x->arg, answer);
	exchange_give(&slot->pool, x);
}

void
slot_fail_exchange(struct tp_slot *slot, struct tp_exchange *x, enum reason reason)
{
	struct tp_answer answer = {.failure = reason,
				   .retry_safe = !x->written,
				   .killed = x->killed,
				   .lost = x->place == EXCHANGE_FAILING && x->written && !x->killed,
				   .retired = x->retired,
				   .alone = x->alone};

	slot_finish_exchange(slot, x, &answer);
}

void
slot_queue_exchange(struct tp_slot *slot, struct tp_exchange *x, bool first)
{
	x->place = EXCHANGE_WAITING;
	x->conn = NULL;
	if (first)
		exchange_list_prepend(&slot->shared.waiting, x);
	else
		exchange_list_append(&slot->shared.waiting, x);
}

static void
slot_let_fail(struct tp_slot *slot, struct tp_exchange *x)
{
	x->place = EXCHANGE_FAILING;
	exchange_list_prepend(&slot->failing, x);
}

void
slot_retire_exchange(struct tp_slot *slot, struct tp_exchange *x)
{
	x->retired = true;
	slot_let_fail(slot, x);
}

void
slot_take_back(struct tp_slot *slot, struct conn *c, bool count, bool blame)
{
	unsigned most = slot->barren > SLOT_BARREN_MAX ? 1 : SLOT_DEATHS_MAX;
	bool alone = count && blame && c->in_flight.n == 1;
	struct tp_exchange *x;

	while ((x = exchange_list_last(&c->in_flight)) != NULL) {
		exchange_list_remove(&c->in_flight, x);
		if (x == slot->keep.exchange) {
			slot_keep_died(slot);
			continue;
		}
		if (c->retired) {
			slot_retire_exchange(slot, x);
			continue;
		}
		x->alone += alone;
		if (count && ++x->deaths >= most) {
			x->killed = blame;
			slot_let_fail(slot, x);
		} else {
			slot->shared.stats.repeated++;
			slot_queue_exchange(slot, x, true);
		}
	}
}

void
slot_fail_waiting(struct tp_slot *slot)
{
	struct tp_exchange *x;

	while ((x = exchange_list_first(&slot->shared.waiting)) != NULL) {
		exchange_list_remove(&slot->shared.waiting, x);
		x->place = EXCHANGE_FAILING;
		exchange_list_append(&slot->failing, x);
	}
}

void
slot_fail_failing(struct tp_slot *slot, enum reason reason)
{
	struct tp_exchange *x;

	while ((x = exchange_list_first(&slot->failing)) != NULL) {
		exchange_list_remove(&slot->failing, x);
		slot_fail_exchange(slot, x, reason);
	}
}

/* Removes it from the list that it is in. */
static void
slot_detach_exchange(struct tp_exchange *x)
{
	switch (x->place) {
	case EXCHANGE_WAITING:
		exchange_list_remove(&x->slot->shared.waiting, x);
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
slot_on_deadline(void *ctx)
{
	struct tp_exchange *x = ctx;
	struct tp_slot *slot = x->slot;
	bool connected = x->written || (slot->conn != NULL && slot->conn->state == CONN_READY);

	slot_detach_exchange(x);
	slot_fail_exchange(slot, x, connected ? REASON_CLOSED : REASON_CONNECT_TIMEOUT);
}

struct tp_exchange *
slot_new_exchange(struct tp_slot *slot, struct span message, int64_t deadline_ms, tp_answer_fn fn, void *arg)
{
	struct tp_exchange *x = exchange_take(&slot->pool, message);

	if (x == NULL)
		return NULL;
	x->slot = slot;
	x->fn = fn;
	x->arg = arg;
	loop_timer_init(&x->deadline, slot->shared.loop, slot_on_deadline, x);
	loop_timer_set(&x->deadline, deadline_ms - loop_now_ms(slot->shared.loop));
	return x;
}

enum res
tp_send(struct tp_exchange **out, struct tp_slot *slot, struct span message, int64_t deadline_ms,
	tp_answer_fn fn, void *arg)
{
	struct tp_exchange *x;

	if (message.n < 12 || message.n > TP_MESSAGE_MAX)
		return RES_MALFORMED;
	if (slot->shared.waiting.n >= TP_QUEUE_MAX)
		return RES_LIMIT;
	x = slot_new_exchange(slot, message, deadline_ms, fn, arg);
	if (x == NULL)
		return RES_NOMEM;
	slot_queue_exchange(slot, x, false);
	slot_want_flush(slot);
	*out = x;
	return RES_OK;
}

void
tp_send_once(struct tp_exchange *x)
{
	x->deaths = SLOT_DEATHS_MAX - 1;
}

bool
tp_waits(const struct tp_exchange *x)
{
	switch (x->place) {
	case EXCHANGE_WAITING:
		return true;
	case EXCHANGE_IN_FLIGHT:
		return x != exchange_list_first(&x->conn->in_flight) && conn_is_late(x->conn);
	case EXCHANGE_FAILING:
	case EXCHANGE_DONE:
	case EXCHANGE_FREE:
		break;
	}
	return false;
}

void
tp_cancel(struct tp_exchange *x)
{
	if (x->place == EXCHANGE_DONE) /* inside its own callback */
		return;
	loop_timer_stop(&x->deadline);
	slot_detach_exchange(x);
	exchange_give(&x->slot->pool, x);
}
