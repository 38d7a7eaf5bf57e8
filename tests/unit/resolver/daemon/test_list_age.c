#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/log.h"
#include "resolver/daemon/list_age.h"

#include <stdio.h>
#include <string.h>

#define DAY 86400000LL

static const struct {
	const char *what;
	int64_t age_ms, max_age_ms;
	enum list_age want;
} rows[] = {
    {"a new list is fresh", 0, 70 * DAY, LIST_AGE_FRESH},
    {"a missing list is fresh", -1, 70 * DAY, LIST_AGE_FRESH},
    {"29 days are fresh", 30 * DAY - 1, 70 * DAY, LIST_AGE_FRESH},
    {"30 days are the first mark", 30 * DAY, 70 * DAY, LIST_AGE_AGEING},
    {"44 days are before the second", 45 * DAY - 1, 70 * DAY, LIST_AGE_AGEING},
    {"45 days are the second mark", 45 * DAY, 70 * DAY, LIST_AGE_OLD},
    {"60 days are the third mark", 60 * DAY, 70 * DAY, LIST_AGE_URGENT},
    {"70 days are not stale yet", 70 * DAY, 70 * DAY, LIST_AGE_URGENT},
    {"a millisecond over 70 days is stale", 70 * DAY + 1, 70 * DAY, LIST_AGE_STALE},
    {"three years are stale", 1095 * DAY, 70 * DAY, LIST_AGE_STALE},
    {"the marks move with list-max-age", 3 * DAY, 7 * DAY, LIST_AGE_AGEING},
    {"the marks stop at list-max-age", 3 * DAY - 1, 7 * DAY, LIST_AGE_FRESH},
};

static void
steps(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (list_age_of(rows[i].age_ms, rows[i].max_age_ms) != rows[i].want)
			fail_msg("%s: %s", rows[i].what, list_age_text(list_age_of(rows[i].age_ms, rows[i].max_age_ms)));
}

/* Hours and steps (f, a, o, u, s), and + where a line is logged. */
static void
lines_of_the_log(void **state)
{
	static const struct {
		const char *what, *play;
	} plays[] = {
	    {"each worse step at once", "0f 1a+ 2o+ 3u+ 4s+"},
	    {"a step once", "0a+ 1a 30a 900a"},
	    {"a clock set to and fro across a mark", "0a+ 1o+ 2a 3o 4a 5o 6a 7o"},
	    {"and to before the first mark", "0a+ 1f 2a 3f 4a 50a"},
	    {"a clock that was wrong at the start, and is set", "0s+ 1a 2a 24a+ 25a 400o+"},
	    {"a fresh list costs no line", "0f 30f 60f"},
	};
	static const char letters[] = "faous";

	(void)state;
	for (size_t i = 0; i < sizeof plays / sizeof plays[0]; i++) {
		struct list_age_logged logged = {LIST_AGE_FRESH, 0};
		int hour, used;
		char letter;

		for (const char *p = plays[i].play; sscanf(p, "%d%c%n", &hour, &letter, &used) == 2;) {
			enum list_age step = (enum list_age)(strchr(letters, letter) - letters);

			p += used;
			if (list_age_is_news(&logged, step, DAY + hour * (DAY / 24)) != (*p == '+'))
				fail_msg("%s: at %d%c", plays[i].what, hour, letter);
			p += strspn(p, "+ ");
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(steps), cmocka_unit_test(lines_of_the_log)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
