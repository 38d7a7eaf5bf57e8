#include "tests/unit/transport/fake_transport.h"

#include "transport/late.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct tp_exchange {
	struct tp_slot *slot;
	struct tp_exchange *next;
	struct buf message;
	struct loop_timer deadline;
	tp_answer_fn fn;
	void *arg;
	bool written, claimed;
	bool carried; /* by this connection or one before */
	bool once;    /* it fails when its connection ends */
	bool retired; /* in flight on a connection that takes no more, or failing */
	int64_t written_ms;
};

struct tp_slot {
	struct loop *loop;
	const struct tp_target *target;
	struct tp_hooks hooks;
	struct fake_line *line;
	enum tp_state state;
	struct loop_timer timer;
	struct loop_timer give_back; /* what was retired and not written */
	struct tp_exchange *first, *retired;
	struct tp_stats stats;
	int64_t began_ms;
	int64_t heard_ms; /* the last answer */
	bool unordered;   /* an answer has come before that of an older question */
	struct tp_slot *beside; /* of the same line, made later */
};

static struct fake_line lines[FAKE_LINES_MAX];

struct fake_line *
fake_line(const char *name)
{
	size_t i = 0;

	while (lines[i].name[0] != '\0' && strcmp(lines[i].name, name) != 0) {
		i++;
		assert(i < FAKE_LINES_MAX);
	}
	assert(strlen(name) < sizeof lines[i].name);
	strcpy(lines[i].name, name);
	return &lines[i];
}

void
fake_transport_reset(void)
{
	memset(lines, 0, sizeof lines);
}

/* ---- questions */

static void
exchange_remove(struct tp_exchange *q)
{
	struct tp_exchange **at = q->retired ? &q->slot->retired : &q->slot->first;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	loop_timer_stop(&q->deadline);
	buf_free(&q->message);
	free(q);
}

static void slot_write_all(struct tp_slot *);

static void
exchange_finish(struct tp_exchange *q, const struct tp_answer *answer)
{
	struct tp_slot *s = q->slot;
	tp_answer_fn fn = q->fn;
	void *arg = q->arg;

	exchange_remove(q);
	fn(arg, answer);
	if (s->state == TP_READY) /* at the end of the turn */
		slot_write_all(s);
}

static void
exchange_on_deadline(void *ctx)
{
	struct tp_exchange *q = ctx;

	exchange_finish(q, &(struct tp_answer){.failure = q->written ? REASON_CLOSED : REASON_CONNECT_TIMEOUT,
			    .retry_safe = !q->carried});
}

static void
slot_write_all(struct tp_slot *s)
{
	unsigned n = 0;

	for (struct tp_exchange *q = s->first; q != NULL; q = q->next)
		n += q->written;
	for (struct tp_exchange *q = s->first; q != NULL; q = q->next)
		if (!q->written && (s->line->room == 0 || n++ < s->line->room)) {
			q->written = q->carried = true;
			q->written_ms = loop_now_ms(s->loop);
		}
}

struct tp_exchange *
fake_question(const struct fake_line *line, unsigned n)
{
	for (const struct tp_slot *s = line->slot; s != NULL; s = s->beside) {
		for (struct tp_exchange *q = s->retired; q != NULL; q = q->next)
			if (q->written && n-- == 0)
				return q;
		for (struct tp_exchange *q = s->first; q != NULL; q = q->next)
			if (q->written && n-- == 0)
				return q;
	}
	return NULL;
}

struct span
fake_question_wire(const struct tp_exchange *q)
{
	return buf_span(&q->message);
}

bool
fake_question_claim(struct tp_exchange *q)
{
	bool fresh = !q->claimed;

	q->claimed = true;
	return fresh;
}

void
fake_answer(struct tp_exchange *q, struct span message, uint32_t age_s)
{
	int64_t rtt_us = (loop_now_ms(q->slot->loop) - q->written_ms) * 1000;

	q->slot->stats.srtt_us = q->slot->stats.median_us = rtt_us;
	q->slot->stats.barren = 0;
	q->slot->heard_ms = loop_now_ms(q->slot->loop);
	q->slot->unordered |= !q->retired && q != q->slot->first;
	exchange_finish(q, &(struct tp_answer){.message = message, .age_s = age_s, .rtt_us = rtt_us});
}

void
fake_fail(struct tp_exchange *q, enum reason reason, uint32_t retry_after_s)
{
	exchange_finish(q, &(struct tp_answer){.failure = reason, .retry_after_s = retry_after_s});
}

/* Questions that callbacks ask meanwhile do not belong to this connection. */
static void
slot_fail_all(struct tp_slot *s, struct tp_answer answer)
{
	unsigned n = 0;

	for (struct tp_exchange *q = s->first; q != NULL; q = q->next)
		n++;
	if (answer.killed)
		answer.alone = n == 1 ? answer.alone : 0;
	for (; n > 0 && s->first != NULL; n--) {
		answer.retry_safe = !answer.killed && !s->first->carried;
		answer.lost = !answer.killed && s->first->carried;
		exchange_finish(s->first, &answer);
	}
}

/* ---- connections */

static void
slot_event(struct tp_slot *s, unsigned kind, enum reason reason, bool refused)
{
	struct verdict v = {.outcome = reason == REASON_NONE ? OUTCOME_ACCEPTED : OUTCOME_REFUSED};
	struct finding f = {.reason = reason, .enforced = true, .have = 1, .want = 2};
	struct tp_event e = {
	    .kind = kind, .reason = reason, .refused = refused, .handshake_ms = loop_now_ms(s->loop) - s->began_ms};

	if (refused) {
		v.findings = malloc(sizeof f);
		assert(v.findings != NULL);
		*v.findings = f;
		v.findings->text = strdup("played");
		v.n_findings = 1;
	}
	if (reason == REASON_NONE || refused)
		e.verdict = &v;
	if (kind == TP_EVENT_READY) /* as the slot: a failure takes no usual time */
		s->stats.handshake_ms = e.handshake_ms;
	if (s->hooks.on_event != NULL)
		s->hooks.on_event(s->hooks.ctx, s, &e);
	verdict_clear(&v);
}

static void
slot_on_due(void *ctx)
{
	struct tp_slot *s = ctx;
	enum reason reason = s->line->manner == FAKE_HANG ? REASON_CONNECT_TIMEOUT : s->line->reason;

	if (s->line->manner == FAKE_UP) {
		s->state = TP_READY;
		s->line->ready++;
		slot_event(s, TP_EVENT_READY, REASON_NONE, false);
		slot_write_all(s);
		return;
	}
	s->state = TP_IDLE;
	slot_event(s, TP_EVENT_FAILED, reason,
	    reason_is_verdict(reason) && (reason != REASON_OUT_OF_MEMORY || s->line->judged));
	slot_fail_all(s, (struct tp_answer){.failure = reason});
}

void
tp_slot_connect(struct tp_slot *s)
{
	if (s->state != TP_IDLE)
		return;
	s->state = TP_CONNECTING;
	s->line->connects++;
	s->began_ms = loop_now_ms(s->loop);
	loop_timer_set(&s->timer,
	    s->line->manner == FAKE_HANG ? TP_CONNECT_TIMEOUT_MS : s->line->handshake_ms);
}

/* The next turn fails what was not written. */
static void
slot_on_give_back(void *ctx)
{
	struct tp_slot *s = ctx;
	struct tp_exchange *q;

	do {
		for (q = s->retired; q != NULL && q->written; q = q->next)
			;
		if (q != NULL)
			exchange_finish(q, &(struct tp_answer){.failure = REASON_CLOSED, .retired = true,
						   .retry_safe = !q->carried, .lost = q->carried});
	} while (q != NULL);
}

/* Those that wait; with all, also those in flight. */
static void
slot_retire(struct tp_slot *s, bool all)
{
	struct tp_exchange **to = &s->retired, **from = &s->first, *q;

	while (*to != NULL)
		to = &(*to)->next;
	while ((q = *from) != NULL) {
		if (q->written && !all) {
			from = &q->next;
			continue;
		}
		*from = q->next;
		q->next = NULL;
		q->retired = true;
		*to = q;
		to = &q->next;
	}
	loop_timer_set(&s->give_back, 0);
}

void
tp_slot_give_back(struct tp_slot *s)
{
	slot_retire(s, false);
}

void
tp_slot_retire(struct tp_slot *s)
{
	slot_retire(s, true);
	s->state = TP_IDLE;
	loop_timer_stop(&s->timer);
}

static void
slot_take_back(struct tp_slot *s)
{
	for (struct tp_exchange *q = s->first; q != NULL; q = q->next)
		q->written = q->claimed = false;
}

/* Its questions wait for another connection. */
static void
slot_again(struct tp_slot *s)
{
	slot_take_back(s);
	if (s->first != NULL)
		tp_slot_connect(s);
}

/* Fails them as after the one repeat of the transport. alone: how many of the two connections would have carried one question
 * alone. */
static void
slot_close(struct tp_slot *s, unsigned alone)
{
	s->state = TP_IDLE;
	if (s->first != NULL)
		s->stats.barren += 2;
	slot_event(s, TP_EVENT_CLOSED, REASON_CLOSED, false);
	slot_fail_all(s, (struct tp_answer){.failure = REASON_CLOSED, .killed = true, .alone = alone});
}

void
fake_close(struct fake_line *line)
{
	slot_close(line->slot, 1);
}

void
fake_kill(struct tp_exchange *q)
{
	slot_close(q->slot, 2);
}

void
fake_lose(struct tp_exchange *q)
{
	struct tp_slot *s = q->slot;

	s->state = TP_IDLE;
	slot_event(s, TP_EVENT_CLOSED, REASON_CLOSED, false);
	slot_again(s);
}

void
fake_end(struct fake_line *line)
{
	struct tp_slot *s = line->slot;
	struct tp_exchange *q = s->first;
	struct tp_answer answer = {.failure = REASON_CLOSED, .killed = true};

	answer.alone = q != NULL && q->next == NULL;
	s->state = TP_IDLE;
	slot_event(s, TP_EVENT_CLOSED, REASON_CLOSED, false);
	slot_again(s);
	while (q != NULL)
		if (q->once && q->carried) {
			exchange_finish(q, &answer);
			q = s->first;
		} else {
			q = q->next;
		}
}

void
fake_finish(struct fake_line *line)
{
	slot_event(line->slot, TP_EVENT_CLOSED, REASON_CLOSED, false);
}

bool
fake_refuse(struct fake_line *line, enum reason reason, bool apart)
{
	struct tp_slot *s = line->slot;

	if (s != NULL && apart)
		s = s->beside;
	if (s == NULL || s->state != TP_READY)
		return false;
	s->state = TP_IDLE;
	slot_take_back(s);
	slot_event(s, TP_EVENT_CLOSED, reason, true);
	if (s->first != NULL) /* at the end of the turn */
		tp_slot_connect(s);
	return true;
}

bool
fake_question_is_apart(const struct tp_exchange *q)
{
	return q->slot != q->slot->line->slot;
}

enum res
tp_slot_new(
    struct tp_slot **out, struct loop *loop, const struct tp_target *target, const struct tp_hooks *hooks)
{
	struct tp_slot *s = calloc(1, sizeof *s);
	char text[ADDR_TEXT_MAX];

	if (s == NULL)
		return RES_NOMEM;
	s->loop = loop;
	s->target = target;
	s->hooks = *hooks;
	s->line = fake_line(addr_ip_text(&target->addr, text));
	s->line->generation = target->generation;
	if (s->line->slot == NULL) {
		s->line->slot = s;
	} else {
		s->beside = s->line->slot->beside;
		s->line->slot->beside = s;
	}
	s->stats.srtt_us = s->stats.median_us = s->stats.handshake_ms = s->stats.idle_limit_ms = -1;
	loop_timer_init(&s->timer, loop, slot_on_due, s);
	loop_timer_init(&s->give_back, loop, slot_on_give_back, s);
	*out = s;
	return RES_OK;
}

void
tp_slot_free(struct tp_slot *s)
{
	if (s == NULL)
		return;
	s->state = TP_IDLE;
	while (s->first != NULL)
		exchange_remove(s->first);
	while (s->retired != NULL)
		exchange_remove(s->retired);
	loop_timer_stop(&s->timer);
	loop_timer_stop(&s->give_back);
	for (struct tp_slot **at = &s->line->slot; *at != NULL; at = &(*at)->beside)
		if (*at == s) {
			*at = s->beside;
			break;
		}
	free(s);
}

enum res
tp_send(struct tp_exchange **out, struct tp_slot *s, struct span message, int64_t deadline_ms, tp_answer_fn fn,
    void *arg)
{
	struct tp_exchange *q = calloc(1, sizeof *q), **at = &s->first;

	assert(s->target->generation == s->line->generation); /* no slot is left with an old one */
	if (q == NULL)
		return RES_NOMEM;
	q->slot = s;
	q->message = buf_max(TP_MESSAGE_MAX);
	buf_put(&q->message, message);
	q->fn = fn;
	q->arg = arg;
	loop_timer_init(&q->deadline, s->loop, exchange_on_deadline, q);
	loop_timer_set(&q->deadline, deadline_ms - loop_now_ms(s->loop));
	while (*at != NULL)
		at = &(*at)->next;
	*at = q;
	tp_slot_connect(s);
	if (s->state == TP_READY)
		slot_write_all(s);
	*out = q;
	return RES_OK;
}

void
tp_send_once(struct tp_exchange *q)
{
	q->once = true;
}

void
tp_cancel(struct tp_exchange *q)
{
	struct tp_slot *s = q->slot;

	exchange_remove(q);
	if (s->state == TP_READY)
		slot_write_all(s);
}

bool
tp_slot_is_late(const struct tp_slot *s)
{
	int64_t now = loop_now_ms(s->loop), heard = s->heard_ms;
	struct late_facts facts = {.oldest_ms = -1, .second_ms = -1, .unordered = s->unordered};

	if (s->state != TP_READY || s->first == NULL)
		return false;
	facts.oldest_ms = now - s->first->written_ms;
	if (s->first->next != NULL)
		facts.second_ms = now - s->first->next->written_ms;
	facts.quiet_ms = now - (heard > s->first->written_ms ? heard : s->first->written_ms);
	return late_judge(&facts, s->stats.median_us);
}

bool
tp_slot_is_full(const struct tp_slot *s)
{
	unsigned n = 0;

	for (const struct tp_exchange *q = s->first; q != NULL; q = q->next)
		n += q->written;
	return s->state == TP_READY && s->line->room != 0 && n >= s->line->room;
}

int64_t
tp_slot_late_after_ms(const struct tp_slot *s)
{
	return late_after_ms(s->stats.median_us);
}

bool
tp_waits(const struct tp_exchange *q)
{
	return !q->retired && (!q->written || (q != q->slot->first && tp_slot_is_late(q->slot)));
}

void
tp_slot_learn_anew(struct tp_slot *s)
{
	s->line->anew++; /* here the last answer is the usual one */
}

void
tp_slot_drop(struct tp_slot *s, bool forget_tickets)
{
	(void)forget_tickets;
	s->line->drops++;
	loop_timer_stop(&s->timer);
	s->state = TP_IDLE;
	slot_again(s);
}

void
tp_slot_keep(struct tp_slot *s, int64_t until_ms)
{
	s->line->kept_until_ms = until_ms;
}

void
tp_slot_adopt(struct tp_slot *s, struct tp_slot *from)
{
	tp_slot_drop(s, false);
	if (from->state != TP_READY || from->first != NULL)
		return;
	from->state = TP_IDLE;
	loop_timer_stop(&s->timer);
	s->state = TP_READY;
	slot_write_all(s);
}

void
tp_slot_retarget(struct tp_slot *s, const struct tp_target *target)
{
	s->target = target;
	s->line->generation = target->generation;
}

enum tp_state
tp_slot_state(const struct tp_slot *s)
{
	return s->state;
}

const char *
tp_state_text(enum tp_state state)
{
	static const char *const names[] = {"idle", "connecting", "handshake", "ready"};

	return names[state];
}

void
tp_slot_stats(const struct tp_slot *s, struct tp_stats *out)
{
	*out = s->stats;
}

enum res
tp_identity_new(struct tp_identity **out, struct span cert, struct span key, const char **why)
{
	(void)out;
	(void)cert;
	(void)key;
	*why = "the fake transport has no client certificates";
	return RES_UNSUPPORTED;
}

void
tp_identity_free(struct tp_identity *identity)
{
	(void)identity;
}
