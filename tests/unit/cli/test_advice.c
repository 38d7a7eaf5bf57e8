#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "cli/advice.h"

#include <string.h>

static void
every_reason_has_advice(void **state)
{
	(void)state;
	for (unsigned r = REASON_NONE + 1; r < REASON_COUNT; r++) {
		const char *what = advice_of((enum reason)r);

		if (what == NULL || strlen(what) < 10)
			fail_msg("no advice for %s", reason_code((enum reason)r));
	}
	assert_null(advice_of(REASON_NONE));
}

static const struct {
	enum reason reason;
	bool portal;
} rows[] = {
    {REASON_CONNECT_REFUSED, true}, {REASON_CONNECT_TIMEOUT, true}, {REASON_PLAIN_TEXT, true},
    {REASON_UNTRUSTED, true},       {REASON_IP_MISMATCH, true},     {REASON_UNREACHABLE, false},
    {REASON_REVOKED, false},        {REASON_PIN_MISMATCH, false},   {REASON_OUT_OF_MEMORY, false},
};

static void
portals(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (advice_suspects_portal(rows[i].reason) != rows[i].portal)
			fail_msg("%s", reason_code(rows[i].reason));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_reason_has_advice), cmocka_unit_test(portals)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
