/*
 * failing_alloc.h - lets one allocation of the code under test fail, or all of them, and counts them.
 *
 * The test is linked with FAILING_ALLOC_WRAP (--wrap), which sends the allocations of our own objects here, flex's and
 * bison's among them. Allocations inside libraries never fail.
 */
#ifndef TESTS_UNIT_FAILING_ALLOC_H
#define TESTS_UNIT_FAILING_ALLOC_H

#include <stddef.h>

/* Counts allocations from now on; the fail_at-th fails (0: none). */
void failing_alloc_begin(size_t fail_at);
/* Counts allocations from now on; each of them fails. */
void failing_alloc_begin_all(void);
/* Ends the failures. Returns the number of allocations since they began. */
size_t failing_alloc_end(void);

#endif
