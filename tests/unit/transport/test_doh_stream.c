/* The pool of requests, and the list of those that are finished. */
#include "transport/doh_stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void
one_that_ends_again_after_it_was_taken_is_reported_again(void **state)
{
	struct doh_streams all;
	struct doh_stream *s;

	(void)state;
	doh_streams_start(&all);
	s = doh_stream_new(&all);
	assert_non_null(s);
	doh_stream_mark_done(s);
	assert_ptr_equal(doh_stream_take_done(&all), s);
	assert_null(doh_stream_take_done(&all));
	doh_stream_mark_done(s); /* the session has forgotten it: it can be freed now */
	assert_ptr_equal(doh_stream_take_done(&all), s);
	assert_null(doh_stream_take_done(&all));
	doh_streams_end(&all);
}

static void
one_that_ends_twice_before_it_is_taken_is_reported_once(void **state)
{
	struct doh_streams all;
	struct doh_stream *s;

	(void)state;
	doh_streams_start(&all);
	s = doh_stream_new(&all);
	assert_non_null(s);
	doh_stream_break(s, "first");
	doh_stream_break(s, "second");
	assert_string_equal(s->broken, "first");
	assert_ptr_equal(doh_stream_take_done(&all), s);
	assert_null(doh_stream_take_done(&all));
	doh_streams_end(&all);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_that_ends_again_after_it_was_taken_is_reported_again),
	    cmocka_unit_test(one_that_ends_twice_before_it_is_taken_is_reported_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
