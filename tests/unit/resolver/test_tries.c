/* The servers that a question was sent to: a place each, and no more than there are. */
#include "resolver/tries.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SPIN 77

/* Each row: steps ("+5": add server 5, "+1-16": each of them, "x5": spend it, "f": forget the unspent), and what is there
 * afterwards, the spent ones with an x. */
static const struct {
	const char *what, *steps, *left;
} rows[] = {
    {"in their order", "+3 +1 +2", "3 1 2"},
    {"a server has one place, however many connections a question takes to it", "+3 +1 +3 +3", "3 1"},
    {"... and stays spent", "+3 x3 +3", "3x"},
    {"only the spent ones are kept", "+1 +2 +3 x1 x3 f", "1x 3x"},
    {"a server that was forgotten may be added again", "+1 +2 x1 f +2", "1x 2"},
    {"a server that is not there cannot be spent", "+1 x2", "1"},
    {"all places taken", "+1-16", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"},
    {"the one after the last is left out", "+1-17", "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16"},
    {"... also when all are spent, and it is added again and again", "+1-16 x1 x2 x3 x4 f +5-17 +17 +17 +18",
     "1x 2x 3x 4x 5 6 7 8 9 10 11 12 13 14 15 16"},
};

static const char *
step_take(struct tries *t, const char *at)
{
	char *end;
	unsigned long first, last;

	if (*at == 'f') {
		tries_forget_unspent(t);
		return at + 1;
	}
	first = last = strtoul(at + 1, &end, 10);
	if (*end == '-')
		last = strtoul(end + 1, &end, 10);
	for (unsigned long id = first; id <= last; id++) {
		if (*at == '+')
			tries_add(t, (uint32_t)id);
		else
			tries_spend(t, (uint32_t)id);
	}
	return end;
}

static void
what_is_left(const struct tries *t, char *text, size_t size)
{
	size_t n = 0;

	text[0] = '\0';
	for (unsigned i = 0; i < t->n && n < size; i++)
		n += (size_t)snprintf(text + n, size - n, "%s%u%s", i > 0 ? " " : "", t->id[i],
				      t->spent[i] ? "x" : "");
}

static void
each_server_has_one_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tries t = {.spin = SPIN};
		const char *at = rows[i].steps;
		char left[256];

		while (*at != '\0') {
			at = step_take(&t, at);
			at += *at == ' ';
		}
		assert_in_range(t.n, 0, TRIES_MAX);
		what_is_left(&t, left, sizeof left);
		if (strcmp(left, rows[i].left) != 0)
			fail_msg("%s: %s, not %s", rows[i].what, left, rows[i].left);
		assert_int_equal(t.spin, SPIN);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_server_has_one_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
