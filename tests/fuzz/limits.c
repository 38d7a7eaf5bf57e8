/*
 * limits.c - how much processor time one input may take; linked into every target, around its function.
 *
 * Processor time, because a busy machine is slow for all. An input over the limit is tried again, up to TRIES times: the first
 * input of a process also sets up what later ones use.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* The longest messages and lists that are accepted take about a tenth of this. */
#define INPUT_MS 100
#define TRIES    3

#if defined(__SANITIZE_ADDRESS__)
#define SLOWER 10 /* sanitizers, counters, no optimisation */
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SLOWER 10
#endif
#endif
#ifndef SLOWER
#define SLOWER 2 /* no optimisation */
#endif

int __real_LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int __wrap_LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static long
spent_ms(void)
{
	struct timespec t;

	check(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
	return (long)(t.tv_sec * 1000 + t.tv_nsec / 1000000);
}

int
__wrap_LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static int unlimited = -1;
	long least = 0;

	if (unlimited < 0)
		unlimited = getenv("UNDER_VALGRIND") != NULL;
	for (int i = 0; i < TRIES; i++) {
		long before = spent_ms(), took;

		(void)__real_LLVMFuzzerTestOneInput(data, n);
		took = spent_ms() - before;
		least = i == 0 || took < least ? took : least;
		if (unlimited || least <= INPUT_MS * SLOWER)
			return 0;
	}
	(void)fprintf(stderr, "one input of %zu bytes took %ld ms of processor time, %d are allowed\n", n, least, INPUT_MS * SLOWER);
	abort();
}
