#include "transport/doh_fields.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static void
content_types(void **state)
{
	static const struct {
		const char *says, *value;
		bool dns;
	} rows[] = {
	    {"H02: the type alone", "application/dns-message", true},
	    {"H02: with a parameter", "application/dns-message; x=y", true},
	    {"H02: without the space", "application/dns-message;x=y", true},
	    {"in another case", "Application/DNS-Message", true},
	    {"H02: HTML", "text/html", false},
	    {"H02: JSON", "application/dns-json", false},
	    {"longer", "application/dns-messages", false},
	    {"a blank before the parameter", "application/dns-message ;x=y", true},
	    {"a blank at the end", "application/dns-message ", true},
	    {"two words", "application/dns-message x", false},
	    {"two types", "application/dns-message, text/html", false},
	    {"shorter", "application/dns-messag", false},
	    {"empty", "", false},
	    {"a list", "text/html, application/dns-message", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(doh_type_is_dns(span_str(rows[i].value)), rows[i].dns);
	}
}

static void
seconds_and_status(void **state)
{
	static const struct {
		const char *says, *value;
		uint32_t seconds;
	} rows[] = {
	    {"H05: a number", "50", 50},
	    {"H05: garbage", "soon", 0},
	    {"H05: negative", "-1", 0},
	    {"H05: 2^40 is the largest", "1099511627776", UINT32_MAX},
	    {"longer than 64 bits", "99999999999999999999999999", UINT32_MAX},
	    {"empty", "", 0},
	    {"a date", "Fri, 31 Dec 1999 23:59:59 GMT", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(doh_seconds(span_str(rows[i].value)), rows[i].seconds);
	}
	assert_int_equal(doh_status(span_str("200")), 200);
	assert_int_equal(doh_status(span_str("2000")), 0);
	assert_int_equal(doh_status(span_str("20x")), 0);
	assert_int_equal(doh_status(span_str("")), 0);
}

static void
ages(void **state) /* H05 */
{
	static const struct {
		const char *says, *value;
		uint32_t seconds;
	} rows[] = {
	    {"a number", "50", 50},
	    {"the first of a list (RFC 9111, 5.1)", "50, 60", 50},
	    {"a list without blanks", "50,60", 50},
	    {"a blank before the comma", "50 ,60", 50},
	    {"a tab before the comma", "50\t,60", 50},
	    {"a comma at the end", "50,", 50},
	    {"the first of three", "1, 2, 3", 1},
	    {"the first is not a number", "old, 60", 0},
	    {"the first is negative", "-1, 60", 0},
	    {"the first is missing", ", 60", 0},
	    {"a blank between digits", "5 0", 0},
	    {"a fraction", "50.5", 0},
	    {"2^40", "1099511627776, 1", UINT32_MAX},
	    {"empty", "", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(doh_age(span_str(rows[i].value)), rows[i].seconds);
	}
}

static void
retry_after(void **state) /* H01 */
{
	static const struct {
		const char *says, *value;
		uint32_t seconds;
	} rows[] = {
	    {"seconds", "120", 120},
	    {"none", "0", 0},
	    {"a date", "Sat, 21 Nov 2026 18:00:30 GMT", 30},
	    {"part of a second counts", "Sat, 21 Nov 2026 18:00:01 GMT", 1},
	    {"a date of RFC 850", "Saturday, 21-Nov-26 18:01:00 GMT", 60},
	    {"a date of asctime", "Sat Nov 21 19:00:00 2026", 3600},
	    {"a date of asctime, first half of a month", "Tue Dec  1 18:00:00 2026", 864000},
	    {"now", "Sat, 21 Nov 2026 18:00:00 GMT", 0},
	    {"a date that is past", "Sun, 06 Nov 1994 08:49:37 GMT", 0},
	    {"the farthest date", "Fri, 31 Dec 9999 23:59:59 GMT", UINT32_MAX},
	    {"no such day", "Sat, 31 Nov 2026 18:00:00 GMT", 0},
	    {"another zone", "Sat, 21 Nov 2026 18:00:30 CET", 0},
	    {"cut short", "Sat, 21 Nov 2026 18:00", 0},
	    {"text after it", "Sat, 21 Nov 2026 18:00:30 GMT+1", 0},
	    {"longer than any date", "Sat, 21 Nov 2026 18:00:30 GMT                           ", 0},
	    {"a negative number", "-5", 0},
	    {"empty", "", 0},
	};
	int64_t now_ms;

	(void)state;
	assert_int_equal(time_read(&now_ms, "2026-11-21T18:00:00.250Z"), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		assert_int_equal(doh_retry_after(span_str(rows[i].value), now_ms - 250), rows[i].seconds);
		if (rows[i].seconds > 0 && rows[i].seconds < UINT32_MAX) /* rounded up, never down */
			assert_int_equal(doh_retry_after(span_str(rows[i].value), now_ms), rows[i].seconds);
	}
}

static void
authorities(void **state)
{
	static const struct {
		const char *says, *addr, *name, *authority;
	} rows[] = {
	    {"an IPv4 literal on the usual port", "192.0.2.1:443", "", "192.0.2.1"},
	    {"another port is written", "192.0.2.1:8443", "", "192.0.2.1:8443"},
	    {"IPv6 in brackets", "[2001:db8::1]:443", "", "[2001:db8::1]"},
	    {"IPv6 with a port", "[2001:db8::1]:8443", "", "[2001:db8::1]:8443"},
	    {"the configured name", "192.0.2.1:443", "dns.test", "dns.test"},
	    {"the configured name with a port", "192.0.2.1:8443", "dns.test", "dns.test:8443"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tp_target target = {.name = rows[i].name};
		struct buf b = buf_max(256);

		print_message("%s\n", rows[i].says);
		assert_int_equal(addr_read(&target.addr, rows[i].addr, 0), RES_OK);
		doh_authority(&b, &target);
		assert_string_equal(buf_cstr(&b), rows[i].authority);
		buf_free(&b);
	}
}

static void
paths(void **state)
{
	static const struct {
		const char *says, *path, *question, *whole;
	} rows[] = {
	    {"POST: the path", "/dns-query", NULL, "/dns-query"},
	    {"H24: a template", "/q{?dns}", NULL, "/q"},
	    {"H24: GET, base64url without padding", "/dns-query", "\xff\xfe\xfd\xfc",
	     "/dns-query?dns=__79_A"},
	    {"H24: GET at another path by template", "/p/q{?dns}", "ab", "/p/q?dns=YWI"},
	    {"a path with a query of its own", "/q?token=1", "ab", "/q?token=1&dns=YWI"},
	    {"no path", "", NULL, "/"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct span question = span_str(rows[i].question);
		struct buf b = buf_max(256);

		print_message("%s\n", rows[i].says);
		doh_path(&b, rows[i].path, rows[i].question != NULL ? &question : NULL);
		assert_string_equal(buf_cstr(&b), rows[i].whole);
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(content_types),
	    cmocka_unit_test(seconds_and_status),
	    cmocka_unit_test(ages),
	    cmocka_unit_test(retry_after),
	    cmocka_unit_test(authorities),
	    cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
