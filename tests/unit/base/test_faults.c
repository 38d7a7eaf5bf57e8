/* The errors of one file: the first are shown, the others counted. */
#include "base/faults.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
	const char *what;
	size_t n, lines;
	const char *last; /* NULL: there is none */
} rows[] = {
	{"no error", 0, 0, NULL},
	{"one error", 1, 1, "list:1: wrong"},
	{"as many as are shown", FAULTS_SHOWN_MAX, FAULTS_SHOWN_MAX, "list:20: wrong"},
	{"one more", FAULTS_SHOWN_MAX + 1, FAULTS_SHOWN_MAX + 1, "list: and 1 more"},
	{"a thousand", 1000, FAULTS_SHOWN_MAX + 1, "list: and 980 more"},
};

static bool
row_holds(struct faults *f, size_t row)
{
	size_t n = faults_lines(f);
	char *last = n > 0 ? faults_text(f, n - 1, "list") : NULL, *beyond = faults_text(f, n, "list");
	bool good = f->n == rows[row].n && n == rows[row].lines && beyond == NULL && (last == NULL) == (rows[row].last == NULL) &&
		    (last == NULL || strcmp(last, rows[row].last) == 0);

	free(last);
	free(beyond);
	return good;
}

static void
each_number_of_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct faults f = {.n = 0};

		for (size_t line = 1; line <= rows[i].n; line++)
			faults_add(&f, line, strdup("wrong"));
		if (!row_holds(&f, i))
			fail_msg("%s: %zu lines", rows[i].what, faults_lines(&f));
		faults_clear(&f);
		assert_int_equal(f.n, 0);
		assert_int_equal(f.n_shown, 0);
	}
}

static void
an_error_without_a_line_or_without_memory(void **state)
{
	struct faults f = {.n = 0};
	char *text;

	(void)state;
	faults_add(NULL, 1, strdup("nobody asks"));
	faults_add(&f, 0, strdup("too long"));
	faults_add(&f, 7, NULL);
	text = faults_text(&f, 0, "list");
	assert_string_equal(text, "list: too long");
	free(text);
	text = faults_text(&f, 1, "list");
	assert_string_equal(text, "list:7: out of memory");
	free(text);
	faults_clear(&f);
}

static void
a_file_that_is_no_text_is_one_error(void **state)
{
	struct faults f = {.n = 0};
	char *text;

	(void)state;
	assert_false(faults_add_foreign(&f, span_str("example.com\n")));
	assert_int_equal(f.n, 0);
	assert_true(faults_add_foreign(&f, span_str("\x1f\x8b\x08")));
	text = faults_text(&f, 0, "list");
	assert_string_equal(text, "list: compressed with gzip; decompress it first");
	free(text);
	faults_clear(&f);
	assert_true(faults_add_foreign(NULL, span_str("\x1f\x8b\x08")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_number_of_errors),
		cmocka_unit_test(an_error_without_a_line_or_without_memory),
		cmocka_unit_test(a_file_that_is_no_text_is_one_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
