/*
 * forged_rows.h - a table of forged chains, with the reasons that refuse each.
 *
 * For tests of whole verdicts: each test program has rows of its own, and this file judges them.
 */
#ifndef TESTS_UNIT_FORGED_ROWS_H
#define TESTS_UNIT_FORGED_ROWS_H

#include "tests/unit/verify/forged.h"

struct forged_row {
	const char *what;
	void (*make)(struct forged *);
	const char *reasons; /* "" when accepted */
};

/* Forges and judges every row, prints those with another verdict, and fails when there are any. */
void forged_rows_judge(const struct forged_row *rows, size_t n);

#endif
