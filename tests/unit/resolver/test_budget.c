/* A budget of bytes shared by many holders: which of them gives way. */
#include "resolver/budget.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ITEMS 6

/* Each row: what the holders have, in order of time ("a:100 b:20 a:0"), and which of them gives way. */
static const struct {
	const char *what, *held;
	char victim; /* '-': nobody */
} rows[] = {
    {"no holder", "", '-'},
    {"below the maximum no holder gives way", "a:400 b:400", '-'},
    {"at the maximum no holder gives way", "a:500 b:500", '-'},
    {"the heaviest gives way, not the oldest", "a:10 b:990 c:10", 'b'},
    {"the heaviest gives way, not the newest", "a:990 b:10 c:10", 'a'},
    {"on about equal weight the oldest gives way", "a:600 b:700 c:550", 'a'},
    {"a holder that grows into a weight class is its newest", "a:300 b:600 a:700", 'b'},
    {"a holder that stays in its weight class keeps its age", "a:600 b:600 a:700", 'a'},
    {"a holder that gave everything back does not give way", "a:900 b:600 a:0 c:700", 'b'},
    {"one larger holder gives way before many small ones", "a:300 b:300 c:300 d:512", 'd'},
    {"one byte too many is enough", "a:500 b:501", 'a'},
    {"a holder of far too much", "a:9000000 b:16000000", 'a'},
};

static void
the_heaviest_gives_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct budget b;
		struct budget_item item[ITEMS] = {0};
		const struct budget_item *victim;
		size_t used = 0;

		budget_init(&b, 1000);
		for (const char *p = rows[i].held; *p != '\0'; p += *p == ' ') {
			char *end;
			int who = *p - 'a';

			budget_set(&b, &item[who], strtoul(p + 2, &end, 10));
			p = end;
		}
		for (size_t k = 0; k < ITEMS; k++)
			used += item[k].bytes;
		assert_int_equal(b.used, used);
		victim = budget_victim(&b);
		if ((victim == NULL ? '-' : (char)('a' + (victim - item))) != rows[i].victim)
			fail_msg("%s: %c gives way", rows[i].what,
				 victim == NULL ? '-' : (char)('a' + (victim - item)));
		for (size_t k = 0; k < ITEMS; k++)
			budget_set(&b, &item[k], 0);
		assert_int_equal(b.used, 0);
		for (size_t k = 0; k <= BUDGET_CLASSES; k++)
			assert_true(TAILQ_EMPTY(&b.class[k]));
	}
}

/* After random changes the sum is right and the victim has at least half of the weight of the heaviest. */
static void
the_sum_is_right_after_many_changes(void **state)
{
	static struct budget_item item[200];
	struct budget b;
	uint32_t random = 1;

	budget_init(&b, 0);
	(void)state;
	memset(item, 0, sizeof item);
	for (unsigned n = 0; n < 100000; n++) {
		size_t used = 0, most = 0;

		random = random * 1664525 + 1013904223;
		budget_set(&b, &item[(random >> 8) % 200], random % 7 == 0 ? 0 : (random >> 16) % 70000);
		if (n % 100 != 0)
			continue;
		for (size_t i = 0; i < 200; i++) {
			used += item[i].bytes;
			most = item[i].bytes > most ? item[i].bytes : most;
		}
		assert_int_equal(b.used, used);
		assert_true(used == 0 || budget_victim(&b)->bytes > most / 2);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_heaviest_gives_way),
	    cmocka_unit_test(the_sum_is_right_after_many_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
