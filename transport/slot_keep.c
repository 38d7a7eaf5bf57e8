/* A slot keeps a connection open while there are no questions. */
#include "transport/slot.h"

#define KEEP_ANSWER_MS 3000 /* as long as a handshake may take; a later answer means that the path is bad */

/* ". SOA" with RD and an empty OPT record, which is padded like any other: an answer that every resolver has at hand and
 * that tells it nothing of what its client does. */
static const uint8_t keep_question[] = {
    0, 0, 1,  0,    0,    1, 0, 0, 0, 0, 0, 1, /* header */
    0, 0, 6,  0,    1,                         /* question */
    0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0,    /* OPT, 1232 bytes */
};

void
tp_slot_keep(struct tp_slot *slot, int64_t until_ms)
{
	slot->keep.until_ms = until_ms;
}

static bool
slot_is_kept(const struct tp_slot *slot)
{
	return loop_now_ms(slot->shared.loop) < slot->keep.until_ms;
}

static void
slot_on_kept(void *arg, const struct tp_answer *answer)
{
	struct tp_slot *slot = arg;

	slot->keep.exchange = NULL;
	slot->keep.failed = answer->failure != REASON_NONE;
	if (slot->keep.failed)
		slot->keep.until_ms = 0;
}

/* Is the connection within its idle limit, and is that long enough? After a suspend it is past the limit: the peer
 * has closed it by now. */
static bool
conn_can_be_kept(const struct conn *c)
{
	int64_t use = conn_use_ms(c);
	int64_t idle = loop_now_ms(c->shared->loop) - c->used_ms;

	return use >= TP_KEEP_EVERY_MS && idle < use + use / 10;
}

bool
slot_keep_ask(struct tp_slot *slot, struct conn *c)
{
	struct tp_exchange *x;

	if (!slot_is_kept(slot) || slot->keep.exchange != NULL || !conn_can_be_kept(c))
		return false;
	x = slot_new_exchange(slot, span_of(keep_question, sizeof keep_question),
			      loop_now_ms(slot->shared.loop) + KEEP_ANSWER_MS, slot_on_kept, slot);
	if (x == NULL)
		return false;
	conn_count_use(c);
	slot->shared.stats.kept++;
	x->own = true;
	slot->keep.exchange = x;
	slot_queue_exchange(slot, x, false);
	slot_want_flush(slot);
	return true;
}

void
slot_keep_died(struct tp_slot *slot)
{
	struct tp_exchange *x = slot->keep.exchange;

	slot->keep.exchange = NULL;
	loop_timer_stop(&x->deadline);
	x->place = EXCHANGE_DONE;
	exchange_give(&slot->pool, x);
}

bool
slot_keep_reopens(struct tp_slot *slot, const struct conn *c, bool asked)
{
	bool failed = asked && !c->outdated;
	bool again = failed && slot->keep.failed; /* connection after connection ended on this question */

	slot->keep.failed |= failed;
	if (again)
		slot->keep.until_ms = 0;
	if (!slot_is_kept(slot) || slot->shared.waiting.n > 0)
		return false;
	return asked || loop_now_ms(slot->shared.loop) - c->used_ms >= TP_KEEP_EVERY_MS;
}
