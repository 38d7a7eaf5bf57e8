/*
 * output.h - checks that a program's output was written: on a full disk or a closed pipe the program fails.
 */
#ifndef BASE_OUTPUT_H
#define BASE_OUTPUT_H

#include <stdbool.h>

/* Has standard output taken everything? Else "PROGRAM: cannot write to standard output" goes to standard error. */
bool output_end(const char *program);

#endif
