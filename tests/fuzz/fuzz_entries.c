/*
 * fuzz_entries.c - the answer of get-entries: the quick reader and jansson's find the same entries, and the parts of an entry
 * lie within its bytes.
 *
 * The input is the JSON.
 */
#include "contrib/watch/entries_json.h"
#include "verify/ct/entry.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static bool
inside(struct span part, struct span whole)
{
	return part.n == 0 || (part.p >= whole.p && part.n <= whole.n && part.p - whole.p <= (ptrdiff_t)(whole.n - part.n));
}

static void
extra_look(struct span wire, bool precertificate)
{
	struct entry_extra extra;

	if (entry_read_extra(&extra, wire, precertificate) != RES_OK)
		return;
	check((extra.precertificate.n > 0) == precertificate && inside(extra.precertificate, wire));
	check(extra.n_chain <= ENTRY_CHAIN_MAX);
	for (size_t i = 0; i < extra.n_chain; i++)
		check(extra.chain[i].n > 0 && inside(extra.chain[i], wire));
}

static void
entry_look(struct span leaf, struct span wire)
{
	struct entry entry;

	extra_look(wire, false);
	extra_look(wire, true);
	if (entry_read_leaf(&entry, leaf) != RES_OK)
		return;
	check(entry.certificate.n > 0 && inside(entry.certificate, leaf) && inside(entry.extensions, leaf));
	check(entry.precertificate == (entry.issuer_key_hash != NULL));
	check(!entry.precertificate || inside(span_of(entry.issuer_key_hash, 32), leaf));
	check(entry_read_leaf(&entry, span_slice(leaf, 0, leaf.n - 1)) != RES_OK); /* every byte counts */
}

/* jansson reads the whole first: where it finds entries, the quick reader must give the same. */
static enum res
both_next(struct entries_json *quick, struct entries_json *slow)
{
	struct span leaf, extra, other_leaf, other_extra;
	enum res r = entries_json_next(quick, &leaf, &extra), other = entries_json_next(slow, &other_leaf, &other_extra);

	check(other != RES_OK || r == RES_OK);
	if (r == RES_OK)
		entry_look(leaf, extra);
	else
		check((r == RES_NOT_FOUND) == (quick->why == NULL));
	if (other == RES_OK)
		check(span_equal(leaf, other_leaf) && span_equal(extra, other_extra));
	else if (slow->tree != NULL) /* valid JSON of get-entries: both end here, for the same reason */
		check(r == other);
	return r;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct entries_json quick = {.at = 0}, slow = {.at = 0};
	size_t i = 0;

	entries_json_open(&quick, span_of(data, n));
	entries_json_open(&slow, span_of(data, n));
	slow.fast = false;
	while (both_next(&quick, &slow) == RES_OK)
		check(++i <= ENTRIES_JSON_MAX);
	entries_json_free(&quick);
	entries_json_free(&slow);
	return 0;
}
