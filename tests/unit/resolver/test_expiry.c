#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resolver/expiry.h"

#define DAY 86400000LL

static const struct {
	const char *what;
	int64_t life_ms, left_ms;
	enum expiry want;
} rows[] = {
    {"a new certificate", 90 * DAY, 90 * DAY, EXPIRY_FAR},
    {"a moment more than 14 days", 90 * DAY, 14 * DAY + 1, EXPIRY_FAR},
    {"14 days are the first mark", 90 * DAY, 14 * DAY, EXPIRY_NEAR},
    {"a moment more than 3 days", 90 * DAY, 3 * DAY + 1, EXPIRY_NEAR},
    {"3 days are the second mark", 90 * DAY, 3 * DAY, EXPIRY_URGENT},
    {"the last moment", 90 * DAY, 0, EXPIRY_URGENT},
    {"after its end", 90 * DAY, -1, EXPIRY_OVER},
    {"a certificate for ten days has the same marks", 10 * DAY, 10 * DAY, EXPIRY_NEAR},
    {"one for six days is far from its end at first", 6 * DAY, 6 * DAY, EXPIRY_FAR},
    {"near at half of its life", 6 * DAY, 3 * DAY, EXPIRY_NEAR},
    {"urgent at a quarter", 6 * DAY, 6 * DAY / 4, EXPIRY_URGENT},
    {"and over after its end", 6 * DAY, -1, EXPIRY_OVER},
};

static void
steps(void **state)
{
	const int64_t now = 1764316800000LL;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		int64_t end = now + rows[i].left_ms;
		enum expiry got = expiry_of(end - rows[i].life_ms, end, now);

		if (got != rows[i].want)
			fail_msg("%s: %s", rows[i].what, expiry_text(got));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(steps)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
