#include "verify/ct/entry.h"

enum { X509_ENTRY, PRECERT_ENTRY }; /* LogEntryType (RFC 6962, 3.1) */

/* TimestampedEntry (RFC 6962, 3.4). False: a kind that is not known. */
static bool
timestamped_read(struct entry *entry, struct cursor *in)
{
	uint16_t kind;

	entry->timestamp_ms = cursor_u64(in);
	kind = cursor_u16(in);
	entry->precertificate = kind == PRECERT_ENTRY;
	entry->issuer_key_hash = entry->precertificate ? cursor_take(in, 32).p : NULL;
	entry->certificate = cursor_vec24(in);
	entry->extensions = cursor_vec16(in);
	return kind == X509_ENTRY || kind == PRECERT_ENTRY;
}

enum res
entry_read_leaf(struct entry *entry, struct span leaf)
{
	struct cursor in = cursor_over(leaf);
	uint8_t version = cursor_u8(&in), type = cursor_u8(&in);

	if (!cursor_ok(&in))
		return RES_MALFORMED;
	if (version != 0 || type != 0 || !timestamped_read(entry, &in))
		return RES_UNSUPPORTED;
	/* ASN.1Cert<1..2^24-1> */
	return cursor_done(&in) && entry->certificate.n > 0 ? RES_OK : RES_MALFORMED;
}

enum res
entry_read_extra(struct entry_extra *extra, struct span extra_data, bool precertificate)
{
	struct cursor in = cursor_over(extra_data), chain;

	*extra = (struct entry_extra){0};
	if (precertificate)
		extra->precertificate = cursor_vec24(&in);
	chain = cursor_over(cursor_vec24(&in));
	if (!cursor_done(&in) || (precertificate && extra->precertificate.n == 0))
		return RES_MALFORMED;
	while (cursor_left(&chain) > 0) {
		struct span issuer = cursor_vec24(&chain);

		if (!cursor_ok(&chain) || issuer.n == 0)
			return RES_MALFORMED;
		if (extra->n_chain == ENTRY_CHAIN_MAX)
			return RES_LIMIT;
		extra->chain[extra->n_chain++] = issuer;
	}
	return cursor_done(&chain) ? RES_OK : RES_MALFORMED;
}

enum res
entry_take_tile_leaf(struct entry *entry, struct entry_extra *extra, struct span *leaf, struct span *tile)
{
	struct cursor in = cursor_over(*tile);
	bool known;

	if (tile->n == 0)
		return RES_NOT_FOUND;
	*extra = (struct entry_extra){0};
	known = timestamped_read(entry, &in);
	if (!known && cursor_ok(&in))
		return RES_UNSUPPORTED;
	*leaf = span_of(tile->p, tile->n - cursor_left(&in));
	if (entry->precertificate)
		extra->precertificate = cursor_vec24(&in);
	extra->fingerprints = cursor_vec16(&in);
	if (!cursor_ok(&in) || entry->certificate.n == 0 || extra->fingerprints.n % 32 != 0 ||
	    (entry->precertificate && extra->precertificate.n == 0))
		return RES_MALFORMED;
	*tile = span_of(tile->p + (tile->n - cursor_left(&in)), cursor_left(&in));
	return RES_OK;
}
