/*
 * lines.h - files with one entry a line: disallow lists, constraints of anchors.
 */
#ifndef VERIFY_LINES_H
#define VERIFY_LINES_H

#include "base/faults.h"
#include "verify/why.h"

/* Handles one line, counted from 1. RES_LIMIT: no more lines can be handled, so reading ends. RES_NOMEM ends it too. */
typedef enum res lines_take(void *arg, struct span line, size_t number, char **why);

/*
 * Calls take for every line of a text of at most max bytes. Each bad line is added to faults (NULL: discarded), and so is
 * anything wrong with the text as a whole (line 0), such as that it is compressed. A byte order mark is a fault of line 1.
 * A line with a NUL byte or another control character is bad.
 * RES_OK: every line was taken. RES_MALFORMED: some were not. RES_LIMIT: the text is larger than max, or take ended it.
 */
enum res lines_read(struct span text, size_t max, lines_take *take, void *arg, struct faults *faults);

#endif
