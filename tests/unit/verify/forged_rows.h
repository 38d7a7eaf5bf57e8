/*
 * forged_rows.h - a table of forged chains, and what refuses each.
 *
 * For the tests of whole verdicts: a program has its rows, and this judges them.
 */
#ifndef TESTS_UNIT_FORGED_ROWS_H
#define TESTS_UNIT_FORGED_ROWS_H

#include "tests/unit/verify/forged.h"

struct forged_row {
	const char *what;
	void (*make)(struct forged *);
	const char *reasons; /* "" when accepted */
};

/* Forges and judges every row, prints those that are judged otherwise, and fails when there are any. */
void forged_rows_judge(const struct forged_row *rows, size_t n);

#endif
