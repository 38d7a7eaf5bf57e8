#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct base64_row {
	const char *plain, *text; /* plain NULL: malformed */
};

static const struct base64_row base64_rows[] = {
    {"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},  /* RFC 4648, 10 */
    {NULL, "Zg"}, {NULL, "Zg="}, {NULL, "Zh=="}, {NULL, "Zm9="}, {NULL, "Zg==Zg=="}, {NULL, "Zm 9"}, {NULL, "Zm9v\n"}, {NULL, "===="},
    {NULL, "Zm-_"},
};

static void
base64_is_strict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof base64_rows / sizeof *base64_rows; i++) {
		const struct base64_row *row = &base64_rows[i];
		struct buf b = buf_max(100);

		buf_text(&b, "x");
		if (row->plain == NULL) {
			if (base64_read(&b, span_str(row->text)) == RES_OK)
				fail_msg("accepted: %s", row->text);
			assert_int_equal(b.n, 1);
		} else {
			assert_int_equal(base64_read(&b, span_str(row->text)), RES_OK);
			assert_true(span_equal(span_slice(buf_span(&b), 1, 100), span_str(row->plain)));
			buf_clear(&b);
			base64_write(&b, span_str(row->plain));
			assert_string_equal(buf_cstr(&b), row->text);
		}
		buf_free(&b);
	}
}

static void
base64_beyond_the_buffer_leaves_it_as_it_was(void **state)
{
	struct buf b = buf_max(4);

	(void)state;
	buf_text(&b, "ab");
	assert_int_equal(base64_read(&b, span_str("Zm9v")), RES_LIMIT);
	assert_true(buf_ok(&b));
	assert_string_equal(buf_cstr(&b), "ab");
	buf_free(&b);
}

static void
a_hash_in_base64_is_shown_in_hex(void **state)
{
#define HASH "q6urq6urq6urq6urq6urq6urq6urq6urq6urq6urq6s="
	static const struct {
		const char *text;
		bool hint;
	} rows[] = {
	    {HASH, true},
	    {"sha256/" HASH, true},
	    {"sha256//" HASH, true},
	    {"spki-sha256 " HASH, true},
	    {"pin-sha256:" HASH, true},
	    {"pin-sha256=\"" HASH "\"", true},
	    {"sha256/", false},
	    {"", false},
	    {"\"", false},
	    {"x" HASH, false},
	    {"sha1/q6urq6urq6urq6urq6urq6urq6s=", false},
	    {"abababababababababababababababababababababababababababababababab", false},
	    {"spki-sha256 abababababababababababababababababababababa", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = buf_max(200);

		base64_sha256_hint(&b, span_str(rows[i].text));
		if ((b.n > 0) != rows[i].hint)
			fail_msg("%s: %s", rows[i].text, buf_cstr(&b));
		if (rows[i].hint)
			assert_string_equal(buf_cstr(&b), "; in hex it is abababababababababababababababababababababababababababababababab");
		buf_free(&b);
	}
}

static void
base64url_has_no_padding(void **state)
{
	static const uint8_t odd[] = {0xfb, 0xff};
	struct buf b = buf_max(100);

	(void)state;
	base64url_write(&b, span_of(odd, 2));
	assert_string_equal(buf_cstr(&b), "-_8");
	buf_free(&b);
}

struct time_row {
	const char *text;
	int64_t ms; /* -1: malformed */
};

static const struct time_row time_rows[] = {
    {"1970-01-01T00:00:00Z", 0},
    {"2026-11-21T18:00:00Z", 1795284000000},
    {"2026-11-21T18:00:00.25Z", 1795284000250},
    {"2026-11-21T19:30:00+01:30", 1795284000000},
    {"2000-02-29T00:00:00Z", 951782400000},
    {"1900-02-29T00:00:00Z", -1},
    {"2026-13-01T00:00:00Z", -1},
    {"2026-00-01T00:00:00Z", -1},
    {"2026-11-21T24:00:00Z", -1},
    {"2026-11-21T18:00:00", -1},
    {"2026-11-21", -1},
    {"2026-11-21T18:00:00.Z", -1},
    {"2026-11-21T18:00:00Zx", -1},
    {"", -1},
};

static void
times_are_read_and_written(void **state)
{
	char text[TIME_TEXT_MAX];
	int64_t ms;

	(void)state;
	for (size_t i = 0; i < sizeof time_rows / sizeof *time_rows; i++) {
		const struct time_row *row = &time_rows[i];
		bool ok = time_read(&ms, row->text) == RES_OK;

		if (ok != (row->ms != -1) || (ok && ms != row->ms))
			fail_msg("%s", row->text);
	}
	assert_string_equal(time_text(1795284000250, text), "2026-11-21T18:00:00Z");
	assert_string_equal(time_text_ms(1795284000250, text), "2026-11-21T18:00:00.250Z");
	assert_string_equal(time_text(-1000, text), "1969-12-31T23:59:59Z");
	assert_string_equal(time_text(INT64_MAX, text), "invalid");
	assert_string_equal(time_text(253402300799000, text), "9999-12-31T23:59:59Z");
}

static void
every_day_of_400_years_goes_both_ways(void **state)
{
	char text[TIME_TEXT_MAX];

	(void)state;
	for (int64_t day = -11000; day < 140000; day++) {
		int64_t back;

		time_text(day * 86400000, text);
		assert_int_equal(time_read(&back, text), RES_OK);
		assert_int_equal(back, day * 86400000);
	}
}

struct duration_row {
	const char *text;
	int64_t ms; /* -1: refused */
	const char *back;
};

static const struct duration_row duration_rows[] = {
    {"0s", 0, "0s"}, {"10ms", 10, "10ms"}, {"1500ms", 1500, "1500ms"}, {"4s", 4000, "4s"}, {"60s", 60000, "1m"},
    {"24h", 86400000, "1d"}, {"70d", 6048000000, "70d"}, {"1w", -1, NULL}, {"5", -1, NULL}, {"-5s", -1, NULL}, {"5 s", -1, NULL},
    {"999999999999999999999s", -1, NULL}, {"40000d", -1, NULL}, {"", -1, NULL}, {"s", -1, NULL},
};

static void
durations_are_exact(void **state)
{
	char text[TIME_TEXT_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof duration_rows / sizeof *duration_rows; i++) {
		const struct duration_row *row = &duration_rows[i];
		int64_t ms = -1;

		if (duration_read(&ms, row->text) != RES_OK)
			ms = -1;
		if (ms != row->ms)
			fail_msg("%s", row->text);
		if (ms >= 0)
			assert_string_equal(duration_text(ms, text), row->back);
	}
}

static void
sizes_are_exact(void **state)
{
	char text[TIME_TEXT_MAX];
	uint64_t n;

	(void)state;
	assert_int_equal(size_read(&n, "16MiB"), RES_OK);
	assert_int_equal(n, 16 << 20);
	assert_string_equal(size_text(n, text), "16MiB");
	assert_int_equal(size_read(&n, "1000KiB"), RES_OK);
	assert_int_equal(n, 1000 << 10);
	assert_string_equal(size_text(n, text), "1000KiB");
	assert_int_equal(size_read(&n, "0KiB"), RES_OK);
	assert_string_equal(size_text(0, text), "0MiB");
	assert_int_equal(size_read(&n, "16MB"), RES_MALFORMED);
	assert_int_equal(size_read(&n, "1GiB"), RES_MALFORMED);
	assert_int_equal(size_read(&n, "1000"), RES_MALFORMED);
	assert_int_equal(size_read(&n, "99999999999MiB"), RES_LIMIT);
}

static void
escaped_text_is_safe_on_a_terminal(void **state)
{
	struct buf b = buf_max(100);

	(void)state;
	text_escape(&b, span_of("a\"b\\\n\x1b\x7f\0", 8));
	assert_string_equal(buf_cstr(&b), "a\\x22b\\x5c\\x0a\\x1b\\x7f\\x00");
	buf_free(&b);
}

static const struct {
	const char *what, *text, *shown;
} shows[] = {
    {"ASCII", "a \"b\" \\", "a \"b\" \\"},
    {"letters of other scripts", "caf\u00e9 \u65e5", "caf\u00e9 \u65e5"},
    {"a control", "a\x1b[31m\n", "a\\x1b[31m\\x0a"},
    {"a control character above 0x7f (C1)", "\xc2\x9b", "\\xc2\\x9b"},
    {"an invisible character", "re\ufeffport", "re\\xef\\xbb\\xbfport"},
    {"a character that changes the direction of the text", "a\u202eb", "a\\xe2\\x80\\xaeb"},
    {"no UTF-8", "a\xff" "b\xe2\x80", "a\\xffb\\xe2\\x80"},
};

static void
shown_text_hides_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof shows / sizeof *shows; i++) {
		struct buf b = buf_max(100);

		text_show(&b, span_str(shows[i].text));
		if (strcmp(buf_cstr(&b), shows[i].shown) != 0)
			fail_msg("%s: %s", shows[i].what, buf_cstr(&b));
		buf_free(&b);
	}
}

__attribute__((format(printf, 2, 3))) static const char *
complaint(struct buf *out, const char *format, ...)
{
	const char *line;
	va_list ap;

	va_start(ap, format);
	line = text_complaint(out, format, ap);
	va_end(ap);
	return line;
}

static void
complaints_are_shown_and_bounded(void **state)
{
	struct buf b = buf_max(TEXT_SHOWN_MAX), none = buf_max(1);

	(void)state;
	assert_string_equal(complaint(&b, "%s: %d", "a\x1b", 7), "a\\x1b: 7");
	buf_free(&b);
	assert_int_equal(strlen(complaint(&b, "%*s", 2 * TEXT_COMPLAINT_MAX, "x")), TEXT_COMPLAINT_MAX - 1);
	buf_free(&b);
	assert_string_equal(complaint(&none, "%s", "longer"), "out of memory");
	buf_free(&none);
}

static void
hex_is_strict(void **state)
{
	static const char digits[] = "0123456789abcdefABCDEF";
	uint8_t out[2] = {0};
	char text[5];

	(void)state;
	assert_int_equal(hex_read(out, 2, span_str("aB0f")), RES_OK);
	assert_string_equal(hex_write(text, span_of(out, 2)), "ab0f");
	assert_int_equal(hex_read(out, 2, span_str("ab0")), RES_MALFORMED);
	assert_int_equal(hex_read(out, 2, span_str("ab0g")), RES_MALFORMED);
	assert_int_equal(hex_read(out, 2, span_str("ab0f0")), RES_MALFORMED);
	assert_string_equal(hex_write(text, span_of(out, 2)), "ab0f"); /* as it was */
	for (int c = 0; c < 256; c++) {
		const char *digit = c == 0 ? NULL : strchr(digits, c);
		long at = digit != NULL ? digit - digits : -1;
		uint8_t pair[2] = {'0', (uint8_t)c};

		if (hex_read(out, 1, span_of(pair, 2)) != (at >= 0 ? RES_OK : RES_MALFORMED) ||
		    (at >= 0 && out[0] != (at < 16 ? at : at - 6)))
			fail_msg("byte %d", c);
	}
}

/* Every byte at every place of a line that is longer than two words of the machine. */
static void
control_characters_are_found_at_every_place(void **state)
{
	(void)state;
	for (int c = 0; c < 256; c++)
		for (size_t at = 0; at < 19; at++)
			for (size_t tab = 0; tab < 19; tab++) {
				uint8_t line[19];
				bool plain = (c >= ' ' && c != 0x7f) || c == '\t';

				memset(line, at % 2 == 0 ? 'x' : 0xff, sizeof line);
				line[tab] = '\t';
				line[at] = (uint8_t)c;
				if (text_is_plain(span_of(line, sizeof line)) != plain)
					fail_msg("byte %d at %zu, a tab at %zu", c, at, tab);
			}
}

static const struct {
	const char *what;
	const char *text;
	bool good;
} pasted[] = {
    {"digits alone", "0a1b2c3d", true},
    {"upper case with colons", "0A:1B:2C:3D", true},
    {"lower case with colons", "0a:1b:2c:3d", true},
    {"hyphens", "0A-1B-2C-3D", true},
    {"spaces, also two in the middle", "0a 1b  2c 3d", true},
    {"a tab", "0a1b\t2c3d", true},
    {"groups of four digits", "0a1b:2c3d", true},
    {"0x in front", "0x0a1b2c3d", true},
    {"the mark that a certificate dialog puts in front", "\xe2\x80\x8e" "0a 1b 2c 3d", true},
    {"nothing", "", false},
    {"0x alone", "0x", false},
    {"an octet too few", "0a:1b:2c", false},
    {"an octet too many", "0a:1b:2c:3d:4e", false},
    {"half an octet too many", "0a1b2c3d4", false},
    {"a separator inside an octet", "0:a1b2c3d", false},
    {"a colon in front", ":0a1b2c3d", false},
    {"a colon at the end", "0a1b2c3d:", false},
    {"a space at the end", "0a1b2c3d ", false},
    {"two colons", "0a::1b2c3d", false},
    {"a colon and a space", "0a: 1b2c3d", false},
    {"another separator", "0a.1b.2c.3d", false},
    {"no hex digit", "0a1b2c3g", false},
};

static void
pasted_hex_is_read(void **state)
{
	static const uint8_t want[] = {0x0a, 0x1b, 0x2c, 0x3d};

	(void)state;
	for (size_t i = 0; i < sizeof pasted / sizeof pasted[0]; i++) {
		uint8_t out[4] = {0};
		enum res res = hex_read_pasted(out, sizeof out, span_str(pasted[i].text));

		if ((res == RES_OK) != pasted[i].good || (pasted[i].good && memcmp(out, want, sizeof want) != 0))
			fail_msg("%s: %s", pasted[i].what, res_text(res));
	}
}

static void
hex_numbers_have_no_leading_zeros(void **state)
{
	static const struct {
		const char *text, *want; /* NULL: refused */
	} rows[] = {{"0", ""},	     {"00:00", ""},	    {"1", "01"},	  {"01", "01"},	       {"a:bc", "0abc"},
		    {"abc", "0abc"}, {"00ab:cd", "abcd"},   {"12 34 56", "123456"}, {"0xAB-CD", "abcd"}, {"00000000000001", "01"},
		    {"", NULL},	     {":1", NULL},	    {"1:", NULL},	  {"1::2", NULL},      {"x1", NULL},
		    {"1234567", NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t out[3];
		char text[7];
		size_t n;
		enum res res = hex_number_read(out, sizeof out, &n, span_str(rows[i].text));

		if ((res == RES_OK) != (rows[i].want != NULL) ||
		    (res == RES_OK && strcmp(hex_write(text, span_of(out, n)), rows[i].want) != 0))
			fail_msg("%s: %s", rows[i].text, res_text(res));
	}
}

static void
numbers_are_whole(void **state)
{
	int64_t n;

	(void)state;
	assert_int_equal(number_read(&n, "-12"), RES_OK);
	assert_int_equal(n, -12);
	assert_int_equal(number_read(&n, "12x"), RES_MALFORMED);
	assert_int_equal(number_read(&n, ""), RES_MALFORMED);
	assert_int_equal(number_read(&n, "99999999999999999999"), RES_LIMIT);
	assert_int_equal(number_read(&n, "9223372036854775808"), RES_LIMIT);
}

/* Every byte at every place of a copy that takes whole words and a rest, between neighbours of several values. */
static void
letters_become_lower_case_at_every_place(void **state)
{
	static const uint8_t neighbours[] = {0x00, 0x7f, 0xff};

	(void)state;
	for (size_t n = 0; n < sizeof neighbours; n++) {
		for (size_t at = 0; at < 19; at++) {
			for (unsigned c = 0; c < 256; c++) {
				uint8_t from[19], to[20];

				memset(from, neighbours[n], sizeof from);
				memset(to, 0xee, sizeof to);
				from[at] = (uint8_t)c;
				ascii_lower_copy(to, from, sizeof from);
				for (size_t i = 0; i < sizeof from; i++)
					assert_int_equal(to[i], ascii_lower(from[i]));
				assert_int_equal(to[19], 0xee);
			}
		}
	}
}

static void
lines_and_words_are_taken(void **state)
{
	struct span text = span_str("one  two\r\n\n\t three\v\rfour\nlast "), line, word;

	(void)state;
	assert_true(text_line_take(&text, &line));
	assert_true(span_equal(line, span_str("one  two")));
	assert_true(text_word_take(&line, &word) && span_equal(word, span_str("one")));
	assert_true(text_word_take(&line, &word) && span_equal(word, span_str("two")));
	assert_false(text_word_take(&line, &word));
	assert_true(text_line_take(&text, &line));
	assert_int_equal(line.n, 0);
	assert_false(text_word_take(&line, &word));
	assert_true(text_line_take(&text, &line));
	assert_true(text_word_take(&line, &word) && span_equal(word, span_str("three")));
	assert_true(text_word_take(&line, &word) && span_equal(word, span_str("four")));
	assert_true(text_line_take(&text, &line));
	assert_true(span_equal(line, span_str("last ")));
	assert_false(text_line_take(&text, &line));
	text = span_str("cut\r");
	assert_true(text_line_take(&text, &line));
	assert_true(span_equal(line, span_str("cut")));
}

static const struct {
	uint64_t n;
	const char *noun, *want;
} counted[] = {
    {1, "answer", "1 answer"},
    {0, "answer", "0 answers"},
    {2, "answer", "2 answers"},
    {UINT64_MAX, "day", "18446744073709551615 days"},
    {1, "entry", "1 entry"},
    {3, "entry", "3 entries"},
    {2, "key", "2 keys"},
    {1, "address", "1 address"},
    {2, "address", "2 addresses"},
    {2, "damaged line", "2 damaged lines"},
};

static void
one_is_not_many(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof counted / sizeof *counted; i++)
		assert_string_equal(COUNTED(counted[i].n, counted[i].noun), counted[i].want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(base64_is_strict),
	    cmocka_unit_test(base64_beyond_the_buffer_leaves_it_as_it_was),
	    cmocka_unit_test(a_hash_in_base64_is_shown_in_hex),
	    cmocka_unit_test(base64url_has_no_padding),
	    cmocka_unit_test(times_are_read_and_written),
	    cmocka_unit_test(every_day_of_400_years_goes_both_ways),
	    cmocka_unit_test(durations_are_exact),
	    cmocka_unit_test(sizes_are_exact),
	    cmocka_unit_test(escaped_text_is_safe_on_a_terminal),
	    cmocka_unit_test(shown_text_hides_nothing),
	    cmocka_unit_test(complaints_are_shown_and_bounded),
	    cmocka_unit_test(hex_is_strict),
	    cmocka_unit_test(control_characters_are_found_at_every_place),
	    cmocka_unit_test(pasted_hex_is_read),
	    cmocka_unit_test(hex_numbers_have_no_leading_zeros),
	    cmocka_unit_test(numbers_are_whole),
	    cmocka_unit_test(letters_become_lower_case_at_every_place),
	    cmocka_unit_test(lines_and_words_are_taken),
	    cmocka_unit_test(one_is_not_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
