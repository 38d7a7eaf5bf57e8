#include "transport/ticket.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
put(struct tickets *all, const char *session, const char *staple, int64_t saved_ms)
{
	struct ticket *t;

	assert_int_equal(ticket_new(&t, span_str(session), span_str(staple)), RES_OK);
	t->saved_ms = saved_ms;
	tickets_put(all, t);
}

static void
each_is_used_once_newest_first(void **state)
{
	struct tickets all = {.n = 0};
	struct ticket *t;

	(void)state;
	put(&all, "one", "", 1);
	put(&all, "two", "staple", 2);
	t = tickets_take(&all, 3);
	assert_true(span_equal(t->session, span_str("two")));
	assert_true(span_equal(t->staple, span_str("staple")));
	ticket_free(t);
	t = tickets_take(&all, 3);
	assert_true(span_equal(t->session, span_str("one")));
	assert_int_equal(t->staple.n, 0);
	ticket_free(t);
	assert_null(tickets_take(&all, 3));
}

static void
the_oldest_makes_room(void **state)
{
	struct tickets all = {.n = 0};
	char name[2] = "a";

	(void)state;
	for (int i = 0; i < TICKETS_MAX + 3; i++, name[0]++)
		put(&all, name, "", i);
	assert_int_equal(all.n, TICKETS_MAX);
	assert_true(span_equal(all.ticket[0]->session, span_str("d")));
	tickets_clear(&all);
	assert_int_equal(all.n, 0);
}

static void
old_ones_are_not_used(void **state)
{
	struct tickets all = {.n = 0};

	(void)state;
	put(&all, "one", "", 0);
	put(&all, "two", "", 1000);
	assert_null(tickets_take(&all, 1000 + TICKET_LIFE_MS));
	assert_int_equal(all.n, 0);
}

static void
sizes_have_a_limit(void **state)
{
	uint8_t *big = calloc(1, TICKET_BYTES_MAX + 1);
	struct ticket *t;

	(void)state;
	assert_non_null(big);
	assert_int_equal(ticket_new(&t, span_of(big, TICKET_BYTES_MAX + 1), span_str("")), RES_LIMIT);
	assert_int_equal(ticket_new(&t, span_str(""), span_of(big, TICKET_BYTES_MAX + 1)), RES_LIMIT);
	assert_int_equal(ticket_new(&t, span_of(big, TICKET_BYTES_MAX), span_str("")), RES_OK);
	ticket_free(t);
	ticket_free(NULL);
	free(big);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_is_used_once_newest_first),
	    cmocka_unit_test(the_oldest_makes_room),
	    cmocka_unit_test(old_ones_are_not_used),
	    cmocka_unit_test(sizes_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
