/*
 * fuzz_sct.c - the SCT list of a certificate: every span stays within the input, and every limit holds.
 */
#include "verify/ct/sct.h"
#include "tests/fuzz/fuzz.h"


static bool
inside(struct span part, struct span all)
{
	return part.n == 0 || (part.p >= all.p && part.p + part.n <= all.p + all.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span wire = span_of(data, n);
	struct sct_list list;
	enum res r = sct_list_read(&list, wire);

	check((r == RES_OK) == (list.n > 0) && list.n <= SCT_LIST_MAX);
	for (size_t i = 0; i < list.n; i++) {
		const struct sct *s = &list.sct[i];

		check(inside(s->log_id, wire) && inside(s->extensions, wire) && inside(s->signature, wire));
		check(s->malformed || s->version != 0 || s->log_id.n == 32);
	}
	return 0;
}
