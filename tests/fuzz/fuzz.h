/*
 * fuzz.h - for every fuzz target: the function that libFuzzer or replay.c calls, and how it reports a failure.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* Runs one input of n bytes and keeps nothing of it. Always returns 0: a failed check ends the program. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* Defined by a target whose input is a script of operations: the replay feeds no prefixes, as they are scripts like any other. */
extern const bool fuzz_is_script __attribute__((weak));

static inline void
check_at(bool holds, const char *what, const char *file, int line)
{
	if (holds)
		return;
	(void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
	abort();
}

/* A condition that must hold for every input. */
#define check(holds) check_at((holds), #holds, __FILE__, __LINE__)

#endif
