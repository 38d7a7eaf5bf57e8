/*
 * fuzz.h - what every fuzz target is: the function that libFuzzer or replay.c calls, and how it says that something broke.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* One input of n bytes, of which nothing is kept. 0, always: a broken promise ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Defined by a target whose input is a script of operations: the replay feeds no prefixes, which are scripts like others. */
extern const bool fuzz_is_script __attribute__((weak));

static inline void
check_at(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* What holds for every input whatever. */
#define check(holds) check_at((holds), #holds, __FILE__, __LINE__)

#endif
