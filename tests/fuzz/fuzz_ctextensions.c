/*
 * fuzz_ctextensions.c - the CtExtensions of an SCT: what is read has the form it must have.
 */
#include "verify/ct/sct.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	uint64_t index = UINT64_MAX;
	enum res r = sct_leaf_index(&index, span_of(data, n));

	/* touched only on success, and five bytes wide */
	if ((r == RES_OK) != (index < (uint64_t)1 << 40) || (r != RES_OK && index != UINT64_MAX))
		abort();
	if (n == 0 && r != RES_NOT_FOUND)
		abort();
	return 0;
}
