#include "verify/x509/der.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Hex with blanks, as bytes. */
static struct span
bytes(uint8_t *out, const char *hex)
{
	char packed[4096];
	size_t n = 0;

	for (; *hex != '\0'; hex++)
		if (*hex != ' ')
			packed[n++] = *hex;
	assert_int_equal(hex_read(out, n / 2, span_of(packed, n)), RES_OK);
	return span_of(out, n / 2);
}

static void
elements_are_strict(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		bool good;
	} rows[] = {
	    {"a short element", "04 02 aabb", true},
	    {"an empty one", "05 00", true},
	    {"nothing at all", "", false},
	    {"an identifier without a length", "04", false},
	    {"a length beyond the end", "04 03 aabb", false},
	    {"a byte after the element", "04 01 aa 00", false},
	    {"a long length where a short one suffices (X.690, 10.1)", "04 81 02 aabb", false},
	    {"a long length with a leading zero", "04 82 0002 aabb", false},
	    {"the indefinite length", "04 80 aabb 0000", false},
	    {"a length of 2^64 - 1", "04 88 ffffffffffffffff aabb", false},
	    {"a tag above 30", "1f 81 02 02 aabb", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t raw[64];
		struct der_reader in = der_over(bytes(raw, rows[i].hex));

		der_any(&in);
		if (der_done(&in) != rows[i].good)
			fail_msg("%s", rows[i].what);
	}
}

static void
long_lengths_are_read_in_their_shortest_form(void **state)
{
	static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536};

	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		struct buf b = buf_max(70000);
		struct der_reader in;

		der_header(&b, DER_OCTET_STRING, sizes[i]);
		assert_non_null(buf_room(&b, sizes[i] + 1));
		memset(b.p + b.n, 0x5a, sizes[i]);
		buf_added(&b, sizes[i]);
		in = der_over(buf_span(&b));
		assert_int_equal(der_take(&in, DER_OCTET_STRING).body.n, sizes[i]);
		assert_true(der_done(&in));
		buf_free(&b);
	}
}

static void
an_error_sticks(void **state)
{
	uint8_t raw[16];
	struct der_reader in = der_over(bytes(raw, "02 01 05 04 01 aa"));

	(void)state;
	assert_int_equal(der_take(&in, DER_OCTET_STRING).whole.n, 0); /* there is an INTEGER */
	assert_int_equal(der_take(&in, DER_INTEGER).whole.n, 0);
	assert_false(der_more(&in));
	assert_false(der_done(&in));
	assert_true(der_enter(&in, DER_INTEGER).bad);
}

static void
numbers_are_minimal(void **state)
{
	static const struct {
		const char *hex;
		enum res res;
		uint32_t value;
	} rows[] = {
	    {"00", RES_OK, 0},
	    {"7f", RES_OK, 127},
	    {"0080", RES_OK, 128},
	    {"00ffffffff", RES_OK, UINT32_MAX},
	    {"0100000000", RES_LIMIT, 0},
	    {"80", RES_MALFORMED, 0},   /* negative */
	    {"0001", RES_MALFORMED, 0}, /* not minimal */
	    {"", RES_MALFORMED, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t raw[8];
		uint32_t value = 0;

		assert_int_equal(der_uint(&value, bytes(raw, rows[i].hex)), rows[i].res);
		assert_int_equal(value, rows[i].value);
	}
	assert_true(der_integer_ok(span_of("\xff", 1)));
	assert_false(der_integer_ok(span_of("\xff\x80", 2)));
}

static void
booleans_are_all_or_nothing(void **state)
{
	bool b = false;

	(void)state;
	assert_int_equal(der_bool(&b, span_of("\xff", 1)), RES_OK);
	assert_true(b);
	assert_int_equal(der_bool(&b, span_of("\x00", 1)), RES_OK);
	assert_false(b);
	assert_int_equal(der_bool(&b, span_of("\x01", 1)), RES_MALFORMED);
	assert_int_equal(der_bool(&b, span_of("\xff\xff", 2)), RES_MALFORMED);
	assert_int_equal(der_bool(&b, span_of("", 0)), RES_MALFORMED);
}

/* X.690, 8.6.2 and 11.2.1; a key or a signature is whole octets. */
static void
unused_bits_are_zero(void **state)
{
	static const struct {
		const char *what;
		const char *hex;
		bool bits, whole;
	} rows[] = {
	    {"nothing, not even the count", "", false, false},
	    {"no bits", "00", true, false},
	    {"unused bits of no octet", "01", false, false},
	    {"an octet", "00ff", true, true},
	    {"two octets", "0000ff", true, true},
	    {"one bit", "0780", true, false},
	    {"a bit beyond the one in use", "07c0", false, false},
	    {"the last bit, which is not in use", "0781", false, false},
	    {"seven bits", "01fe", true, false},
	    {"seven bits and the eighth", "01ff", false, false},
	    {"nine bits", "07ff80", true, false},
	    {"nine bits and one beyond", "070040", false, false},
	    {"a named bit that is zero at the end", "0700", true, false},
	    {"eight unused bits", "0800", false, false},
	    {"more of them than a shift takes", "ff00", false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t raw[8];
		struct span all = bytes(raw, rows[i].hex), bits = all, whole = all;

		if ((der_bits(&bits) == RES_OK) != rows[i].bits || (der_bits_whole(&whole) == RES_OK) != rows[i].whole)
			fail_msg("%s", rows[i].what);
		assert_int_equal(bits.n, all.n - rows[i].bits);
		assert_int_equal(whole.n, all.n - rows[i].whole);
		if (rows[i].bits && bits.n > 0)
			assert_ptr_equal(bits.p, raw + 1);
	}
}

/* TBSCertificates in small: some fields, then [3] with extensions whose OID is one byte. */
static void
one_extension_is_cut_out(void **state)
{
	static const struct {
		const char *what;
		const char *tbs;
		enum res res;
		const char *without; /* of 2a */
	} rows[] = {
	    {"the first of two", "30 17 020101 a3 12 30 10 30 06 06012a 040101 30 06 06012b 040102", RES_OK,
	        "30 0f 020101 a3 0a 30 08 30 06 06012b 040102"},
	    {"the last of two", "30 17 020101 a3 12 30 10 30 06 06012b 040102 30 06 06012a 040101", RES_OK,
	        "30 0f 020101 a3 0a 30 08 30 06 06012b 040102"},
	    {"the only one takes [3] with it", "30 0f 020101 a3 0a 30 08 30 06 06012a 040101", RES_OK, "30 03 020101"},
	    {"a critical one", "30 12 020101 a3 0d 30 0b 30 09 06012a 0101ff 040101", RES_OK, "30 03 020101"},
	    {"no extension of that kind", "30 0f 020101 a3 0a 30 08 30 06 06012b 040101", RES_NOT_FOUND, ""},
	    {"no extensions", "30 03 020101", RES_NOT_FOUND, ""},
	    {"two extensions of that kind", "30 17 020101 a3 12 30 10 30 06 06012a 040101 30 06 06012a 040102", RES_MALFORMED, ""},
	    {"a field after [3]", "30 12 020101 a3 0a 30 08 30 06 06012a 040101 020102", RES_MALFORMED, ""},
	    {"a byte after all", "30 0f 020101 a3 0a 30 08 30 06 06012a 040101 00", RES_MALFORMED, ""},
	    {"a list cut short", "30 0f 020101 a3 0a 30 09 30 06 06012a 040101", RES_MALFORMED, ""},
	    {"two lists", "30 11 020101 a3 0c 30 08 30 06 06012a 040101 3000", RES_MALFORMED, ""},
	    {"an invalid extension", "30 0c 020101 a3 07 30 05 30 03 020101", RES_MALFORMED, ""},
	    {"not a SEQUENCE", "31 03 020101", RES_MALFORMED, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t raw[64], want[64];
		struct buf out = buf_max(256);
		enum res r = der_tbs_without(&out, bytes(raw, rows[i].tbs), span_of("\x2a", 1));

		if (r != rows[i].res || !span_equal(buf_span(&out), bytes(want, rows[i].without)))
			fail_msg("%s: %s, %zu bytes", rows[i].what, res_text(r), out.n);
		buf_free(&out);
	}
}

static size_t
header_size(size_t n)
{
	return n < 128 ? 2 : n < 256 ? 3 : 4;
}

/* The cut changes how many bytes a length takes: sizes around 127 and 128, 255 and 256. */
static void
lengths_are_mended_at_every_size(void **state)
{
	(void)state;
	for (size_t filler = 0; filler < 300; filler++) {
		struct buf kept = buf_max(1024), list = buf_max(1024), ext3 = buf_max(1024), tbs = buf_max(1024);
		struct buf out = buf_max(1024), want = buf_max(1024);

		der_header(&kept, DER_SEQUENCE, 3 + header_size(filler) + filler);
		buf_put(&kept, span_of("\x06\x01\x2b", 3));
		der_header(&kept, DER_OCTET_STRING, filler);
		for (size_t i = 0; i < filler; i++)
			buf_u8(&kept, 0x77);
		buf_put(&list, buf_span(&kept));
		buf_put(&list, span_of("\x30\x06\x06\x01\x2a\x04\x01\x01", 8));
		der_header(&ext3, DER_SEQUENCE, list.n);
		buf_put(&ext3, buf_span(&list));
		der_header(&tbs, DER_SEQUENCE, ext3.n + header_size(ext3.n));
		der_header(&tbs, DER_CONTEXT_CONS(3), ext3.n);
		buf_put(&tbs, buf_span(&ext3));
		assert_int_equal(der_tbs_without(&out, buf_span(&tbs), span_of("\x2a", 1)), RES_OK);

		buf_clear(&ext3);
		der_header(&ext3, DER_SEQUENCE, kept.n);
		buf_put(&ext3, buf_span(&kept));
		der_header(&want, DER_SEQUENCE, ext3.n + header_size(ext3.n));
		der_header(&want, DER_CONTEXT_CONS(3), ext3.n);
		buf_put(&want, buf_span(&ext3));
		assert_true(span_equal(buf_span(&out), buf_span(&want)));
		buf_free(&kept);
		buf_free(&list);
		buf_free(&ext3);
		buf_free(&tbs);
		buf_free(&out);
		buf_free(&want);
	}
}

static void
a_full_buffer_is_reported(void **state)
{
	uint8_t raw[64];
	struct buf out = buf_max(8);

	(void)state;
	assert_int_equal(der_tbs_without(&out,
	                     bytes(raw, "30 17 020101 a3 12 30 10 30 06 06012a 040101 30 06 06012b 040102"),
	                     span_of("\x2a", 1)),
	    RES_NOMEM);
	buf_free(&out);
}

static void
times_are_read(void **state)
{
	static const struct {
		const char *what;
		const char *der;
		const char *want; /* RFC 3339; NULL: refused */
	} rows[] = {
	    {"UTCTime", "\x17\x0d" "261121120000Z", "2026-11-21T12:00:00Z"},
	    {"UTCTime 49 is 2049", "\x17\x0d" "491231235959Z", "2049-12-31T23:59:59Z"},
	    {"UTCTime 50 is 1950", "\x17\x0d" "500101000000Z", "1950-01-01T00:00:00Z"},
	    {"GeneralizedTime", "\x18\x0f" "20500101000000Z", "2050-01-01T00:00:00Z"},
	    {"GeneralizedTime before 2050 is tolerated", "\x18\x0f" "20261121120000Z", "2026-11-21T12:00:00Z"},
	    {"no end (RFC 5280, 4.1.2.5)", "\x18\x0f" "99991231235959Z", "9999-12-31T23:59:59Z"},
	    {"29 February", "\x17\x0d" "240229000000Z", "2024-02-29T00:00:00Z"},
	    {"29 February in a common year", "\x17\x0d" "250229000000Z", NULL},
	    {"month 13", "\x17\x0d" "261321120000Z", NULL},
	    {"hour 24", "\x17\x0d" "261121240000Z", NULL},
	    {"a leap second", "\x17\x0d" "261121235960Z", NULL},
	    {"no seconds", "\x17\x0b" "2611211200Z", NULL},
	    {"parts of a second", "\x18\x11" "20261121120000.5Z", NULL},
	    {"another zone", "\x17\x11" "261121120000+0100", NULL},
	    {"no zone", "\x18\x0e" "20261121120000", NULL},
	    {"a sign", "\x17\x0d" "26112112000+Z", NULL},
	    {"another type", "\x16\x0d" "261121120000Z", NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct der_reader in = der_over(span_str(rows[i].der));
		int64_t have = 0, want = 0;
		enum res res = der_time(&have, &in);

		if (rows[i].want != NULL)
			assert_int_equal(time_read(&want, rows[i].want), RES_OK);
		if ((res == RES_OK) != (rows[i].want != NULL) || (res == RES_OK && have != want))
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(elements_are_strict),
	    cmocka_unit_test(long_lengths_are_read_in_their_shortest_form),
	    cmocka_unit_test(an_error_sticks),
	    cmocka_unit_test(numbers_are_minimal),
	    cmocka_unit_test(booleans_are_all_or_nothing),
	    cmocka_unit_test(unused_bits_are_zero),
	    cmocka_unit_test(times_are_read),
	    cmocka_unit_test(one_extension_is_cut_out),
	    cmocka_unit_test(lengths_are_mended_at_every_size),
	    cmocka_unit_test(a_full_buffer_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
