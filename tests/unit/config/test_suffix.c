/* The registered domain of a name. */
#include "config/suffix.h"

#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *zone, *why;
} rows[] = {
    {"example.com", "example.com", "a registered domain is its own zone"},
    {"www.example.com", "example.com", "a name below it belongs to it"},
    {"x1.x2.x3.x4.x5.x6.x7.x8.example.com", "example.com", "however deep"},
    {"www.example.co.uk", "example.co.uk", "a suffix may have two labels"},
    {"x.a.s3.dualstack.us-east-1.amazonaws.com", "a.s3.dualstack.us-east-1.amazonaws.com", "a suffix may have five labels"},
    {"co.uk", "co.uk", "a public suffix is its own zone"},
    {"com", "com", "a top-level domain too"},
    {".", ".", "the root is its own zone"},
    {"a.b.evil.test", "evil.test", "an unlisted top-level domain is a suffix of one label"},
    {"a.someone.github.io", "someone.github.io", "private registries hand names to strangers"},
    {"github.io", "github.io", "the private registry itself"},
    {"www.ck", "www.ck", "an exception in the list is registered"},
    {"a.www.ck", "www.ck", "and has names below it"},
    {"a.b.anything.ck", "b.anything.ck", "a wildcard in the list makes each label a suffix"},
    {"4.3.2.1.in-addr.arpa", "1.in-addr.arpa", "the reverse tree is delegated by label"},
    {"a\\.b.evil.test", "evil.test", "a dot inside a label separates nothing"},
    {"x.e\\000vil.test", "e\\000vil.test", "a zero byte ends nothing"},
};

static void
check_zones(struct suffix_memo *memo)
{
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t name[MSG_NAME_MAX], want[MSG_NAME_MAX], n, want_n;

		assert_int_equal(msg_name_read(name, &n, rows[i].name), RES_OK);
		assert_int_equal(msg_name_read(want, &want_n, rows[i].zone), RES_OK);
		if (!span_equal(suffix_zone(memo, span_of(name, n)), span_of(want, want_n)))
			fail_msg("%s: %s", rows[i].name, rows[i].why);
	}
}

static void
zones_are_registered_domains(void **state)
{
	(void)state;
	check_zones(NULL);
}

static void
a_memo_changes_no_zone(void **state)
{
	static struct suffix_memo memo;

	(void)state;
	suffix_memo_init(&memo);
	for (int round = 0; round < 3; round++)
		check_zones(&memo);
}

/* More domains than the memo has slots: each replaces another. */
static void
a_memo_that_is_full_changes_no_zone(void **state)
{
	static struct suffix_memo memo;
	char text[64];

	(void)state;
	suffix_memo_init(&memo);
	for (int i = 0; i < 40 * SUFFIX_MEMO_SLOTS; i++) {
		uint8_t name[MSG_NAME_MAX], n;

		(void)snprintf(text, sizeof text, "h%d.d%d.%s", i, i, i % 2 == 0 ? "com" : "co.uk");
		assert_int_equal(msg_name_read(name, &n, text), RES_OK);
		if (suffix_zone(&memo, span_of(name, n)).n != suffix_zone(NULL, span_of(name, n)).n)
			fail_msg("%s has another zone", text);
	}
	check_zones(&memo);
}

static void
a_name_of_127_labels_has_a_zone(void **state)
{
	uint8_t name[255] = {0};

	(void)state;
	for (size_t i = 0; i + 1 < sizeof name; i += 2) {
		name[i] = 1;
		name[i + 1] = 'a';
	}
	assert_int_equal(suffix_zone(NULL, span_of(name, sizeof name)).n, 5);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(zones_are_registered_domains),
	    cmocka_unit_test(a_memo_changes_no_zone),
	    cmocka_unit_test(a_memo_that_is_full_changes_no_zone),
	    cmocka_unit_test(a_name_of_127_labels_has_a_zone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
