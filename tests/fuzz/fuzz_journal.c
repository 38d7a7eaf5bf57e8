/*
 * fuzz_journal.c - lines of the journal: a record that is read is written as a line that reads the same.
 */
#include "base/journal.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct buf once = buf_max(2 * JOURNAL_LINE_MAX), twice = buf_max(2 * JOURNAL_LINE_MAX);
	uint8_t *line = malloc(n + 1);
	struct journal_record r, again;

	check(line != NULL);
	memcpy(line, data, n);
	if (journal_line_read(&r, line, n) == RES_OK && journal_write(&once, &r) == RES_OK) {
		struct buf copy = buf_max(2 * JOURNAL_LINE_MAX);

		check(once.p[once.n - 1] == '\n' && memchr(once.p, '\n', once.n - 1) == NULL);
		buf_put(&copy, buf_span(&once));
		check(journal_line_read(&again, copy.p, copy.n - 1) == RES_OK);
		check(journal_write(&twice, &again) == RES_OK);
		check(span_equal(buf_span(&once), buf_span(&twice)));
		buf_free(&copy);
	}
	free(line);
	buf_free(&once);
	buf_free(&twice);
	return 0;
}
