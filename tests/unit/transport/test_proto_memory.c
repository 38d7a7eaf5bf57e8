/* DoT and DoH when an allocation fails: a driver is not made, a question is not accepted, or the connection ends; no answer is wrong. */
#include "tests/unit/failing_alloc.h"
#include "tests/unit/transport/doh_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *what;
	enum tp_protocol protocol;
	enum tp_method method;
	const char *path, *name;
} drivers[] = {
    {"DoT", TP_DOT, TP_POST, "", ""},
    {"DoH with POST", TP_DOH, TP_POST, "/dns-query", ""},
    {"DoH with GET", TP_DOH, TP_GET, "/q{?dns}", "dns.test"},
    {"DoH with GET, after another variable", TP_DOH, TP_GET, "/q?a=b{&dns}", NULL},
    {"DoH with a path that has variables of its own", TP_DOH, TP_GET, "/q?a=b", NULL},
    {"DoH without a path", TP_DOH, TP_POST, NULL, "dns.test"},
};

/* Makes a driver, asks it one question and has it write. RES_OK: all of it worked. */
static enum res
driver_run(size_t row, struct tp_exchange *q)
{
	struct buf out = buf_max(4096);
	struct proto *p = NULL;
	const char *detail = NULL;
	enum res res;

	target.method = drivers[row].method;
	target.path = drivers[row].path;
	target.name = drivers[row].name;
	res = drivers[row].protocol == TP_DOT ? dot_new(&p, &recorder_hooks, &recorder)
					      : doh_new(&p, &target, &recorder_hooks, &recorder);
	if (res == RES_OK)
		res = p->ops->take(p, q, &out);
	if (res == RES_OK && p->ops->collect(p, &out, &detail) != REASON_NONE)
		res = RES_NOMEM;
	if (p != NULL)
		p->ops->free(p);
	buf_free(&out);
	return res;
}

static void
every_allocation_of_a_driver_may_fail(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof drivers / sizeof drivers[0]; row++) {
		for (size_t at = 0, needed = 1; at <= needed; at++) {
			struct tp_exchange *q = recorder_question(&recorder, "a", 7, true);
			enum res res;

			failing_alloc_begin(at);
			res = driver_run(row, q);
			if (at == 0)
				needed = failing_alloc_end();
			else
				(void)failing_alloc_end();
			if ((res == RES_OK) != (at == 0) || (at > 0 && res != RES_NOMEM && res != RES_LIMIT))
				fail_msg("%s: %s when allocation %zu of %zu fails", drivers[row].what, res_text(res), at, needed);
			assert_int_equal(recorder.n_heard, 0);
			recorder_drop(&recorder, q);
		}
	}
}

/* When an allocation fails, the answer is right, or the question fails, or the connection ends. */
static void
every_allocation_of_an_answer_may_fail(void **state)
{
	for (size_t at = 1, needed = 1; at <= needed; at++) {
		const char *detail = NULL;
		enum reason reason;

		server_anew(state);
		client_ask(7);
		assert_true(client_flush());
		server_start_with(NULL, 0);
		server_respond(server.request[0].stream, OK_FIELDS, dns, sizeof dns);
		failing_alloc_begin(at);
		reason = client->ops->feed(client, server.out.p, server.out.n, &detail);
		needed = failing_alloc_end();
		if (needed >= at && recorder.n_heard == 1 && recorder.heard[0].failure == REASON_NONE)
			assert_memory_equal(recorder.heard[0].message + 2, dns + 2, sizeof dns - 2);
		else if (needed >= at)
			assert_true(reason != REASON_NONE || recorder.n_heard == 1);
		buf_clear(&server.out);
	}
}

static void
a_question_without_memory_is_not_made(void **state)
{
	static uint8_t large[EXCHANGE_INLINE + 1] = {0, 7, 1, 0, 0, 1};
	struct exchange_pool pool = {0};
	struct tp_exchange *x;

	(void)state;
	for (size_t at = 1; at <= 2; at++) {
		failing_alloc_begin(at);
		x = exchange_take(&pool, span_of(large, sizeof large));
		failing_alloc_end();
		assert_null(x);
	}
	x = exchange_take(&pool, span_of(large, sizeof large));
	assert_non_null(x);
	assert_memory_equal(x->message, large, sizeof large);
	exchange_give(&pool, x);
	exchange_pool_free(&pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(every_allocation_of_a_driver_may_fail, server_setup, server_teardown),
	    cmocka_unit_test_setup_teardown(every_allocation_of_an_answer_may_fail, server_setup, server_teardown),
	    cmocka_unit_test(a_question_without_memory_is_not_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
