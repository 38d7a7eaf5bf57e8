/*
 * failing_alloc.h - lets one allocation of the code under test fail, and counts them.
 *
 * The test is linked with FAILING_ALLOC_WRAP (--wrap), which sends the allocations of our own objects here, flex's and
 * bison's among them. Allocations inside libraries never fail.
 */
#ifndef TESTS_UNIT_VERIFY_FAILING_ALLOC_H
#define TESTS_UNIT_VERIFY_FAILING_ALLOC_H

#include <stddef.h>

/* From now on allocations are counted, and the one that makes the count fail_at fails (0: none does). */
void failing_alloc_begin(size_t fail_at);
/* No more failures; how many allocations were asked for since failing_alloc_begin. */
size_t failing_alloc_end(void);

#endif
