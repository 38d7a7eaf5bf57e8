/* Which certificates of an upstream are taken from its journal. */
#include "config.h"

#include "base/journal_shown.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define NOW_MS     1795284000000
#define LINES_MAX  5
#define EVENT(e)   "{\"time\":\"2026-11-27T10:00:00Z\",\"event\":\"" e "\",\"upstream\":\"one\""
#define SHOWN(a, s) ",\"address\":\"" a "\",\"sha256\":\"" s "\",\"not_after\":\"2027-01-01T00:00:00Z\"}"
#define A1         EVENT("change") SHOWN("192.0.2.1:853", "aa")
#define A2         EVENT("known") SHOWN("192.0.2.2:853", "aa")
#define B1         EVENT("accepted") SHOWN("192.0.2.1:853", "bb")

static const struct {
	const char *what, *line[LINES_MAX], *shown; /* "sha256@address ", with a + after a certificate that another address has shown as well */
} rows[] = {
	{"no journal", {NULL}, ""},
	{"one certificate", {A1}, "aa@192.0.2.1:853 "},
	{"two certificates of one address", {A1, B1}, "aa@192.0.2.1:853 bb@192.0.2.1:853 "},
	{"one certificate at two addresses", {A1, A2}, "aa+@192.0.2.1:853 aa@192.0.2.2:853 "},
	{"the same certificate twice is shown once", {A1, A1}, "aa@192.0.2.1:853 "},
	{"a certificate that was seen again is last", {A1, B1, A1}, "bb@192.0.2.1:853 aa@192.0.2.1:853 "},
	{"a refused certificate is left out", {EVENT("refused") SHOWN("192.0.2.1:853", "cc"), B1}, "bb@192.0.2.1:853 "},
	{"another upstream is left out", {"{\"time\":\"2026-11-27T10:00:00Z\",\"event\":\"known\",\"upstream\":\"two\"" SHOWN("a", "cc"), B1}, "bb@192.0.2.1:853 "},
	{"a record without a certificate is left out", {EVENT("known") SHOWN("192.0.2.1:853", ""), B1}, "bb@192.0.2.1:853 "},
	{"an expired certificate is left out", {EVENT("known") ",\"sha256\":\"cc\",\"not_after\":\"2026-11-21T00:00:00Z\"}", B1}, "bb@192.0.2.1:853 "},
	{"a damaged line is left out", {A1, "{\"time\"", B1}, "aa@192.0.2.1:853 bb@192.0.2.1:853 "},
};

static char folder[] = "/tmp/test_journal_shown.XXXXXX";

/* Writes the journal, reads it back, and gives what was shown as text. */
static void
shown_text(struct buf *out, const struct buf *journal)
{
	struct journal_shown *s = calloc(1, sizeof *s);
	const char *why = NULL;
	int dir = open(folder, O_PATH | O_DIRECTORY), fd;

	assert_non_null(s);
	if (journal->n > 0) {
		fd = openat(dir, JOURNAL_FILE, O_WRONLY | O_CREAT | O_TRUNC, 0600);
		assert_int_equal(write(fd, journal->p, journal->n), journal->n);
		(void)close(fd);
	}
	assert_int_equal(journal_shown_read(s, dir, "one", NOW_MS, &why), RES_OK);
	for (size_t i = 0; i < s->n; i++) {
		buf_put(out, s->v[i].record.sha256);
		buf_text(out, journal_shown_is_elsewhere(s, i) ? "+@" : "@");
		buf_put(out, s->v[i].record.address);
		buf_u8(out, ' ');
	}
	journal_shown_free(s);
	free(s);
	(void)unlinkat(dir, JOURNAL_FILE, 0);
	(void)close(dir);
}

static void
each_journal(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf journal = buf_max(4096), out = buf_max(4096);

		for (size_t k = 0; k < LINES_MAX && rows[i].line[k] != NULL; k++)
			buf_format(&journal, "%s\n", rows[i].line[k]);
		shown_text(&out, &journal);
		if (!span_equal(buf_span(&out), span_str(rows[i].shown))) {
			print_error("%s: %s\n", rows[i].what, buf_cstr(&out));
			failed++;
		}
		buf_free(&journal);
		buf_free(&out);
	}
	assert_int_equal(failed, 0);
}

static void
of_too_many_the_latest_are_kept(void **state)
{
	struct buf journal = buf_max(65536), out = buf_max(65536), want = buf_max(65536);

	(void)state;
	for (int i = 0; i < JOURNAL_SHOWN_MAX + 3; i++) {
		buf_format(&journal, EVENT("known") ",\"address\":\"a\",\"sha256\":\"%03d\",\"not_after\":\"2027-01-01T00:00:00Z\"}\n", i);
		if (i >= 3)
			buf_format(&want, "%03d@a ", i);
	}
	shown_text(&out, &journal);
	assert_string_equal(buf_cstr(&out), buf_cstr(&want));
	buf_free(&journal);
	buf_free(&out);
	buf_free(&want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_journal),
		cmocka_unit_test(of_too_many_the_latest_are_kept),
	};
	int failed;

	if (mkdtemp(folder) == NULL)
		return 1;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(folder);
	return failed;
}
