#include "base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
cursor_error_sticks(void **state)
{
	static const uint8_t wire[] = {0x01, 0x02, 0x03};
	struct cursor in = cursor_over(span_of(wire, sizeof wire));

	(void)state;
	assert_int_equal(cursor_u16(&in), 0x0102);
	assert_int_equal(cursor_u16(&in), 0);
	assert_false(cursor_ok(&in));
	assert_int_equal(cursor_u8(&in), 0); /* a byte is left, the error stays */
	assert_int_equal(cursor_left(&in), 0);
	assert_false(cursor_done(&in));
}

static void
cursor_reads_vectors(void **state)
{
	static const uint8_t wire[] = {0, 2, 'a', 'b', 1, 'c', 0, 0, 0};
	struct cursor in = cursor_over(span_of(wire, sizeof wire));

	(void)state;
	assert_true(span_equal(cursor_vec16(&in), span_str("ab")));
	assert_true(span_equal(cursor_vec8(&in), span_str("c")));
	assert_int_equal(cursor_vec24(&in).n, 0);
	assert_true(cursor_done(&in));
}

static void
cursor_over_nothing_is_done(void **state)
{
	struct cursor in = cursor_over((struct span){NULL, 0});

	(void)state;
	assert_true(cursor_done(&in));
	assert_int_equal(cursor_take(&in, 0).n, 0);
	assert_true(cursor_ok(&in));
	cursor_take(&in, 1);
	assert_false(cursor_ok(&in));
}

static void
buf_stops_at_its_maximum(void **state)
{
	struct buf b = buf_max(8);

	(void)state;
	buf_text(&b, "12345");
	buf_u32(&b, 1);
	assert_false(buf_ok(&b));
	assert_int_equal(b.n, 5);
	buf_u8(&b, 'x'); /* would fit; the error sticks */
	assert_int_equal(b.n, 5);
	buf_clear(&b);
	buf_format(&b, "%08d", 7);
	assert_string_equal(buf_cstr(&b), "00000007");
	buf_free(&b);
}

static void
an_empty_part_can_be_handed_to_memcpy(void **state)
{
	struct span abc = span_str("abc");
	struct cursor in = cursor_over(abc);

	(void)state;
	assert_int_equal(cursor_take(&in, 4).n, 0);
	assert_non_null(cursor_take(&in, 0).p); /* bad since the line before */
	assert_non_null(span_slice(abc, 4, 1).p);
	assert_non_null(span_slice(span_of(abc.p, 0), 1, 1).p);
}

static void
span_compare_orders_by_bytes_then_length(void **state)
{
	(void)state;
	assert_true(span_compare(span_str("a"), span_str("b")) < 0);
	assert_true(span_compare(span_str("ab"), span_str("a")) > 0);
	assert_int_equal(span_compare(span_str(""), span_str("")), 0);
	assert_int_equal(span_slice(span_str("abc"), 4, 1).n, 0);
	assert_int_equal(span_slice(span_str(NULL), 1, 1).n, 0);
	assert_true(span_equal(span_slice(span_str("abc"), 1, 9), span_str("bc")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cursor_error_sticks),
	    cmocka_unit_test(cursor_reads_vectors),
	    cmocka_unit_test(cursor_over_nothing_is_done),
	    cmocka_unit_test(buf_stops_at_its_maximum),
	    cmocka_unit_test(an_empty_part_can_be_handed_to_memcpy),
	    cmocka_unit_test(span_compare_orders_by_bytes_then_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
