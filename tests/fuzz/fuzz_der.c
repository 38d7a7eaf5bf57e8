/*
 * fuzz_der.c - the walk over DER, and the TBSCertificate without its SCT list.
 *
 * After the cut there is no such extension left, and nothing else than that extension and the lengths has changed.
 */
#include "verify/x509/der.h"
#include "tests/fuzz/fuzz.h"
#include "verify/x509/oid.h"


#define DEPTH_MAX 64

/* Every element, and every one inside a constructed one. */
static void
walk(struct span all, unsigned depth)
{
	struct der_reader in = der_over(all);
	size_t read = 0;

	while (der_more(&in)) {
		struct der_element e = der_any(&in);

		if (in.bad)
			break;
		check(e.whole.n >= 2 && e.body.n < e.whole.n && e.body.p + e.body.n == e.whole.p + e.whole.n);
		read += e.whole.n;
		if ((e.id & 0x20) != 0 && depth < DEPTH_MAX)
			walk(e.body, depth + 1);
	}
	check(read <= all.n && (!der_done(&in) || read == all.n));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct span all = span_of(data, n);
	struct buf once = buf_max(n + 16), again = buf_max(n + 16);
	enum res r;
	bool b;
	uint32_t v;
	int64_t ms;
	struct der_reader time = der_over(all);

	walk(all, 0);
	der_bool(&b, all);
	der_uint(&v, all);
	der_time(&ms, &time);
	r = der_tbs_without(&once, all, OID_SCT_LIST);
	if (r == RES_OK) {
		struct der_reader whole = der_over(buf_span(&once));

		check(once.n < n);
		der_take(&whole, DER_SEQUENCE);
		check(der_done(&whole));
		check(der_tbs_without(&again, buf_span(&once), OID_SCT_LIST) == RES_NOT_FOUND);
	}
	buf_free(&once);
	buf_free(&again);
	return 0;
}
