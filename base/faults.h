/*
 * faults.h - what was wrong in a file, line by line: items that a reader left out, or every error of one run.
 *
 * The first FAULTS_SHOWN_MAX are kept with their line and sentence, the others are counted: a block list with a million
 * bad lines fills neither the log nor memory. A zeroed struct is empty.
 */
#ifndef BASE_FAULTS_H
#define BASE_FAULTS_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

#define FAULTS_SHOWN_MAX 20 /* of one file: enough to see the kind, few enough to read */

struct fault {
	size_t line; /* from 1; 0: the sentence says where */
	char *why;   /* owned; NULL: there was no memory for it */
};

struct faults {
	struct fault shown[FAULTS_SHOWN_MAX];
	size_t n_shown;
	size_t n; /* all of them */
};

/* why is taken; it may be NULL. If the list is NULL, why is freed. */
void faults_add(struct faults *, size_t line, char *why);
/* Adds, without a line, what the file is if it cannot be text (text_foreign). True: it cannot. */
bool faults_add_foreign(struct faults *, struct span file);
/* "FILE:LINE: why" of the i-th that is shown; where i is n_shown and there are more: "FILE: and N more". NULL: i is
 * beyond that, or no memory. Yours. */
char *faults_text(const struct faults *, size_t i, const char *file);
/* How many faults_text has. */
size_t faults_lines(const struct faults *);
/* Frees what is in it; it is empty afterwards. */
void faults_clear(struct faults *);

#endif
