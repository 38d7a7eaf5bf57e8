/*
 * scratch.h - a folder of a fuzz target's own below /tmp, which is removed when the program ends.
 */
#ifndef TESTS_FUZZ_SCRATCH_H
#define TESTS_FUZZ_SCRATCH_H

/* Made at the first call. Lent. */
const char *scratch_folder(void);

#endif
