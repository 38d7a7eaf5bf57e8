/*
 * lines.h - files with one entry a line: disallow lists, constraints of anchors.
 */
#ifndef VERIFY_LINES_H
#define VERIFY_LINES_H

#include "base/faults.h"
#include "verify/why.h"

/* Takes one line, counted from 1. RES_LIMIT: nothing more can be taken, so reading ends. RES_NOMEM ends it too. */
typedef enum res lines_take(void *arg, struct span line, size_t number, char **why);

/*
 * Gives every line of a text of at most max bytes to take. Each bad line goes to faults (NULL: forgotten), and so does what
 * is wrong with the text as a whole (line 0). A line with a NUL byte or another control character is bad.
 * RES_OK: every line was taken. RES_MALFORMED: some were not. RES_LIMIT: the text is larger than max, or take ended it.
 */
enum res lines_read(struct span text, size_t max, lines_take *take, void *arg, struct faults *faults);

#endif
