/* Versions in Debian's order (policy, 5.6.12); tests/functional/test_about.py compares more of them with dpkg itself. */
#include "about/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static const struct {
	const char *what, *a, *b;
	int order;
} orders[] = {
	{"the same", "3.7.9", "3.7.9", 0},
	{"numbers count as numbers", "3.7.9", "3.7.10", -1},
	{"leading zeros do not count", "1.08", "1.8", 0},
	{"more parts are later", "3.8", "3.8.0", -1},
	{"a tilde is before the end", "2.1.13-stable-1~deb13u1", "2.1.13-stable-1", -1},
	{"a plus is after the end", "3.7.9-2+deb12u4", "3.7.9-2", 1},
	{"updates count", "3.7.9-2+deb12u4", "3.7.9-2+deb12u10", -1},
	{"a letter is after the end", "1.0a", "1.0", 1},
	{"a letter is before other characters", "1.0a", "1.0+", -1},
	{"an epoch is before everything", "1:1.2", "2.0", 1},
	{"no epoch is epoch 0", "0:2.0", "2.0", 0},
	{"no revision is before each revision", "1.0", "1.0-1", -1},
	{"revision 0 is no revision", "1.0", "1.0-0", 0},
	{"only the last hyphen begins the revision", "2.1.12-stable-8", "2.1.12-stable-8+deb12u1", -1},
	{"a number of more digits than a word has", "1.99999999999999999999", "1.100000000000000000000", -1},
};

static void
order_is_debians(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
		int ab = version_compare(orders[i].a, orders[i].b), ba = version_compare(orders[i].b, orders[i].a);

		if ((ab > 0) - (ab < 0) != orders[i].order || (ba > 0) - (ba < 0) != -orders[i].order)
			fail_msg("%s: %s and %s: %d, %d", orders[i].what, orders[i].a, orders[i].b, ab, ba);
	}
}

static void
package_holds_a_library(void **state)
{
	(void)state;
	assert_true(version_holds("3.7.9-2+deb12u7", "3.7.9"));
	assert_true(version_holds("1:1.2.13.dfsg-1", "1.2.13"));
	assert_true(version_holds("3.8.1-2", "3.8"));
	assert_false(version_holds("3.81-2", "3.8"));
	assert_false(version_holds("3.7.9-2", "3.7.90"));
	assert_false(version_holds("3.7.9-2", "3.7.8"));
	assert_false(version_holds("", "3.7.8"));
}

static void
upstream_part_is_compared_alone(void **state)
{
	(void)state;
	assert_true(version_same_upstream("1.52.0-1+deb12u2", "1.52.0-1"));
	assert_true(version_same_upstream("2:1.2-1", "1.2"));
	assert_false(version_same_upstream("1.52.0-1", "1.52.1-1"));
	assert_false(version_same_upstream("1.52.0-1", "1.64.0-1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_debians),
		cmocka_unit_test(package_holds_a_library),
		cmocka_unit_test(upstream_part_is_compared_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
