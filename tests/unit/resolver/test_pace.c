/* At most one in each interval, or a few at once after a pause. */
#include "resolver/pace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define INTERVAL_MS 1000
#define BURST       3

/* Each row: the times of the requests, and which of them are allowed ('y' or 'n'). */
static const struct {
	const char *what, *at, *may;
} rows[] = {
    {"a burst, then no more", "5 5 5 5", "yyyn"},
    {"one token after an interval", "5 5 5 1005 1005", "yyyyn"},
    {"none a millisecond earlier", "5 5 5 1004", "yyyn"},
    {"after a long pause one burst, not all missed tokens", "5 5 5 90000 90000 90000 90000", "yyyyyyn"},
    {"one each interval is always allowed", "1000 2000 3000 4000 5000 6000", "yyyyyy"},
};

static void
a_pace_is_kept(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct pace p = {0};
		size_t n = 0;

		for (const char *at = rows[i].at; *at != '\0'; n++) {
			char *end;
			int64_t now = strtol(at, &end, 10);
			bool may = pace_has(&p, now, INTERVAL_MS, BURST);

			if (pace_take(&p, now, INTERVAL_MS, BURST) != may || may != (rows[i].may[n] == 'y'))
				fail_msg("%s: number %zu", rows[i].what, n + 1);
			at = *end == ' ' ? end + 1 : end;
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_pace_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
