#include "tests/unit/transport/slot_fixture.h"

#include "base/clock.h"
#include "tests/unit/transport/fake_unacked.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct fixture *f;

/* The certificates of an event; all of them must be there to their last byte. */
static void
count_presented(struct span presented)
{
	struct cursor in = cursor_over(presented);

	for (f->presented = 0; cursor_left(&in) > 0; f->presented++)
		f->last_certificate = cursor_vec24(&in).n;
	assert_true(cursor_done(&in));
}

static void
on_event(void *ctx, struct tp_slot *slot, struct tp_event *event)
{
	(void)ctx;
	assert_ptr_equal(slot, f->slot);
	f->last_resumed = event->resumed;
	snprintf(f->cipher, sizeof f->cipher, "%s", event->cipher);
	count_presented(event->presented);
	if (event->kind == TP_EVENT_READY || event->kind == TP_EVENT_JUDGED) {
		f->ready += event->kind == TP_EVENT_READY;
		f->judged += event->kind == TP_EVENT_JUDGED;
		assert_non_null(event->verdict);
		assert_true(verdict_accepted(event->verdict));
		assert_true(f->presented > 0 || f->starved);
		if (event->kind == TP_EVENT_JUDGED && f->drop_when_judged)
			tp_slot_drop(slot, false);
		return;
	}
	if (event->kind == TP_EVENT_FAILED)
		f->failed++;
	else
		f->closed++;
	f->last = event->reason;
	f->last_verdict = event->verdict != NULL;
	f->last_refused = event->refused;
	snprintf(f->detail, sizeof f->detail, "%s", event->detail != NULL ? event->detail : "");
}

void
fixture_on_answer(void *arg, const struct tp_answer *answer)
{
	struct asked *a = arg;

	a->calls++;
	a->failure = answer->failure;
	a->retry_safe = answer->retry_safe;
	a->killed = answer->killed;
	a->lost = answer->lost;
	a->retired = answer->retired;
	a->alone = answer->alone;
	a->n = answer->message.n;
	if (a->n > 0)
		memcpy(a->message, answer->message.p, a->n < sizeof a->message ? a->n : sizeof a->message);
	f->n_done++;
	f->n_failed += answer->failure != REASON_NONE;
	if (f->drop_in_callback)
		tp_slot_drop(f->slot, false);
}

unsigned
fixture_ask_until(int64_t deadline_ms)
{
	unsigned i = f->n_asked++;
	struct asked *a = &f->asked[i % ASKED_MAX];
	uint8_t m[64];
	int n;

	memset(a, 0, sizeof *a);
	memcpy(m, "\0\0\1\0\0\1\0\0\0\0\0\0", 12);
	be16_write(m, (uint16_t)(i * 7 + 1));
	n = snprintf((char *)m + 13, 16, "q%u", i);
	m[12] = (uint8_t)n;
	memcpy(m + 13 + n, "\0\0\1\0\1\0\0\51\4\320\0\0\0\0\0", 16);
	m[11] = f->with_opt; /* then it is padded */
	assert_int_equal(tp_send(&a->exchange, f->slot, span_of(m, (size_t)(18 + n) + (f->with_opt ? 11 : 0)),
				 deadline_ms, fixture_on_answer, a),
			 RES_OK);
	return i;
}

unsigned
fixture_ask(void)
{
	return fixture_ask_until(clock_boot_ms() + 4000);
}

void
fixture_pump(void)
{
	static unsigned quiet;

	/* Loopback is quick: wait for real time only after nothing happened in a few rounds. */
	quiet = dot_server_pump(&f->server) || fake_loop_turn(f->loop, quiet < 4 ? 0 : 1) ? 0 : quiet + 1;
}

void
fixture_pump_a_while(void)
{
	for (int i = 0; i < 20; i++)
		fixture_pump();
}

void
fixture_let_pass(int64_t ms, int64_t step)
{
	for (int64_t at = 0; at < ms; at += step) {
		fake_loop_advance(f->loop, step);
		for (int i = 0; i < 3; i++)
			fixture_pump();
	}
}

int
fixture_setup(void **state)
{
	const struct tp_hooks hooks = {.on_event = on_event};

	f = calloc(1, sizeof *f);
	if (f == NULL || tp_global_init() != RES_OK || loop_new(&f->loop) != RES_OK)
		return -1;
	dot_server_start(&f->server);
	memset(&fake_judge, 0, sizeof fake_judge);
	fake_unacked = false;
	f->target = (struct tp_target){
	    .upstream = "server", .addr = f->server.addr, .name = "", .path = "", .policy = &f->policy};
	f->target2 = f->target;
	f->target2.policy = &f->policy2;
	f->target2.generation = 1;
	*state = f;
	return tp_slot_new(&f->slot, f->loop, &f->target, &hooks) == RES_OK ? 0 : -1;
}

int
fixture_teardown(void **state)
{
	unsigned timers, fds;

	(void)state;
	tp_slot_free(f->slot);
	timers = fake_loop_timers(f->loop);
	fds = fake_loop_fds(f->loop);
	dot_server_stop(&f->server);
	loop_free(f->loop);
	free(f);
	return timers == 0 && fds == 0 ? 0 : -1;
}

void
fixture_renew(void **state)
{
	assert_int_equal(fixture_teardown(state), 0);
	assert_int_equal(fixture_setup(state), 0);
}
