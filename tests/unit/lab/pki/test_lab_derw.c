#include "contrib/lab/pki/derw.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/text.h"

static void
assert_hex(struct buf *b, const char *hex)
{
	char *have = malloc(2 * b->n + 1);

	assert_true(buf_ok(b));
	assert_non_null(have);
	assert_string_equal(hex_write(have, buf_span(b)), hex);
	free(have);
	buf_free(b);
}

struct length_row {
	size_t n;
	const char *head; /* tag and length */
};

static const struct length_row length_rows[] = {
    {0, "0400"},     {1, "0401"},       {127, "047f"},       {128, "048180"},
    {255, "0481ff"}, {256, "04820100"}, {65535, "0482ffff"}, {65536, "0483010000"},
};

static void
lengths_are_the_shortest_form(void **state)
{
	static const uint8_t zeros[65536];

	(void)state;
	for (size_t i = 0; i < sizeof length_rows / sizeof *length_rows; i++) {
		struct buf b = buf_max(100000);
		char head[16];

		derw_tlv(&b, DERW_OCTETS, span_of(zeros, length_rows[i].n));
		assert_true(buf_ok(&b));
		assert_int_equal(b.n, strlen(length_rows[i].head) / 2 + length_rows[i].n);
		hex_write(head, span_slice(buf_span(&b), 0, strlen(length_rows[i].head) / 2));
		assert_string_equal(head, length_rows[i].head);
		buf_free(&b);
	}
}

static void
a_long_inner_value_moves_the_outer_ones(void **state)
{
	static const uint8_t zeros[200];
	struct buf b = buf_max(1000);
	size_t outer = derw_open(&b, DERW_SEQUENCE), inner = derw_open(&b, DERW_SET);

	(void)state;
	buf_put(&b, span_of(zeros, sizeof zeros));
	derw_close(&b, inner);
	derw_close(&b, outer);
	assert_int_equal(b.n, 3 + 3 + sizeof zeros);
	assert_memory_equal(b.p, "\x30\x81\xcb\x31\x81\xc8", 6);
	buf_free(&b);
}

static void
a_buffer_that_is_full_stays_bad(void **state)
{
	struct buf b = buf_max(10);
	size_t outer = derw_open(&b, DERW_SEQUENCE);

	(void)state;
	derw_text(&b, DERW_UTF8, "far too long for ten bytes");
	derw_close(&b, outer);
	assert_false(buf_ok(&b));
	buf_free(&b);
}

static void
integers_have_no_needless_zero_and_no_sign(void **state)
{
	struct buf b = buf_max(100);

	(void)state;
	derw_unsigned(&b, span_of("\0\0\x7f", 3));
	derw_unsigned(&b, span_of("\x80", 1));
	derw_unsigned(&b, span_of("\0", 1));
	derw_number(&b, DERW_INTEGER, 256);
	derw_number(&b, DERW_ENUM, 3);
	assert_hex(&b, "02017f"
		       "02020080"
		       "020100"
		       "02020100"
		       "0a0103");
}

static void
oids_are_packed_by_seven_bits(void **state)
{
	struct buf b = buf_max(100);

	(void)state;
	derw_oid(&b, "2.5.29.17");
	derw_oid(&b, "1.3.6.1.4.1.11129.2.4.2");
	derw_oid(&b, "1.2.840.10045.4.3.2");
	assert_hex(&b, "0603551d11"
		       "060a2b06010401d679020402"
		       "06082a8648ce3d040302");
}

static void
times_change_their_form_in_2050(void **state)
{
	struct buf b = buf_max(100);
	int64_t ms;

	(void)state;
	assert_int_equal(time_read(&ms, "2049-12-31T23:59:59Z"), RES_OK);
	derw_time(&b, ms);
	derw_time(&b, ms + 1000);
	derw_general_time(&b, ms);
	assert_true(buf_ok(&b));
	assert_true(span_equal(buf_span(&b), span_str("\x17\x0d"
						      "491231235959Z"
						      "\x18\x0f"
						      "20500101000000Z"
						      "\x18\x0f"
						      "20491231235959Z")));
	buf_free(&b);
}

static void
names_are_written_in_order_and_read_backwards(void **state)
{
	struct buf der = buf_max(200), text = buf_max(200);

	(void)state;
	derw_name(&der, "C=HR/O=Toy/CN=a", DERW_UTF8);
	assert_hex(&der, "3027"
			 "310b3009060355040613024852"
			 "310c300a060355040a0c03546f79"
			 "310a300806035504030c0161");
	derw_name(&der, "", DERW_UTF8);
	assert_hex(&der, "3000");
	derw_name_rfc4514(&text, "C=HR/O=Toy, Inc./CN=a+b");
	assert_string_equal(buf_cstr(&text), "CN=a\\+b,O=Toy\\, Inc.,C=HR");
	buf_free(&text);
}

static void
bits_say_how_many_are_unused(void **state)
{
	struct buf b = buf_max(100);

	(void)state;
	derw_bits(&b, span_of("\x80", 1), 7);
	derw_bool(&b, true);
	derw_null(&b);
	assert_hex(&b, "03020780"
		       "0101ff"
		       "0500");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lengths_are_the_shortest_form),
	    cmocka_unit_test(a_long_inner_value_moves_the_outer_ones),
	    cmocka_unit_test(a_buffer_that_is_full_stays_bad),
	    cmocka_unit_test(integers_have_no_needless_zero_and_no_sign),
	    cmocka_unit_test(oids_are_packed_by_seven_bits),
	    cmocka_unit_test(times_change_their_form_in_2050),
	    cmocka_unit_test(names_are_written_in_order_and_read_backwards),
	    cmocka_unit_test(bits_say_how_many_are_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
