#include "config.h"

#include "contrib/lab/logs/leaf.h"

#include "contrib/lab/pki/key.h"
#include "verify/x509/der.h"

static const uint8_t poison_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x03};
static const uint8_t sct_list_oid[] = {0x2b, 0x06, 0x01, 0x04, 0x01, 0xd6, 0x79, 0x02, 0x04, 0x02};

void
leaf_front_write(struct buf *out, const struct leaf *leaf, size_t n)
{
	buf_u8(out, 0); /* v1 */
	buf_u8(out, 0); /* timestamped_entry; in an SCT certificate_timestamp */
	buf_u64(out, leaf->timestamp_ms);
	buf_u16(out, leaf->issuer_key_hash != NULL);
	if (leaf->issuer_key_hash != NULL)
		buf_put(out, span_of(leaf->issuer_key_hash, 32));
	buf_u24(out, (uint32_t)n);
}

void
leaf_extensions_write(struct buf *out, const struct leaf *leaf)
{
	if (!leaf->has_index) {
		buf_u16(out, (uint16_t)leaf->extensions.n);
		buf_put(out, leaf->extensions);
		return;
	}
	buf_u16(out, 8);
	buf_u8(out, 0); /* CtExtensions: type leaf_index, 5 bytes */
	buf_u16(out, 5);
	buf_u8(out, (uint8_t)(leaf->index >> 32));
	buf_u32(out, (uint32_t)leaf->index);
}

void
leaf_write(struct buf *out, const struct leaf *leaf)
{
	leaf_front_write(out, leaf, leaf->certificate.n);
	buf_put(out, leaf->certificate);
	leaf_extensions_write(out, leaf);
}

static struct der_element
tbs_of(struct span certificate)
{
	struct der_reader in = der_only(certificate, DER_SEQUENCE);

	return der_take(&in, DER_SEQUENCE);
}

enum res
leaf_tbs_of(struct buf *out, struct span certificate)
{
	struct der_element tbs = tbs_of(certificate);
	enum res res;

	if (tbs.id == 0)
		return RES_MALFORMED;
	res = der_tbs_without(out, tbs.whole, span_of(poison_oid, sizeof poison_oid));
	if (res == RES_NOT_FOUND)
		res = der_tbs_without(out, tbs.whole, span_of(sct_list_oid, sizeof sct_list_oid));
	if (res == RES_NOT_FOUND) {
		buf_put(out, tbs.whole);
		res = buf_ok(out) ? RES_OK : RES_NOMEM;
	}
	return res;
}

/* version, serialNumber, signature, issuer, validity, subject, then the key (RFC 5280, 4.1). */
static struct der_reader
fields_of(struct span certificate, struct der_element *key)
{
	struct der_reader in = der_over(tbs_of(certificate).body);

	if (der_at(&in, DER_CONTEXT_CONS(0)))
		(void)der_any(&in);
	for (size_t i = 0; i < 5; i++)
		(void)der_any(&in);
	*key = der_take(&in, DER_SEQUENCE);
	return in;
}

enum res
leaf_key_hash(uint8_t out[32], struct span certificate)
{
	struct der_element key;

	(void)fields_of(certificate, &key);
	if (key.id == 0)
		return RES_MALFORMED;
	lab_sha256(out, key.whole);
	return RES_OK;
}

/* The content of the extension's OCTET STRING. */
static struct span
extension_of(struct span certificate, struct span oid)
{
	struct der_element key;
	struct der_reader in = fields_of(certificate, &key);

	while (der_more(&in) && !der_at(&in, DER_CONTEXT_CONS(3)))
		(void)der_any(&in);
	in = der_enter(&in, DER_CONTEXT_CONS(3));
	in = der_enter(&in, DER_SEQUENCE);
	while (der_more(&in)) {
		struct der_reader extension = der_enter(&in, DER_SEQUENCE);
		struct der_element name = der_take(&extension, DER_OID);

		if (der_at(&extension, DER_BOOLEAN))
			(void)der_any(&extension);
		if (span_equal(name.body, oid))
			return der_take(&extension, DER_OCTET_STRING).body;
	}
	return (struct span){NULL, 0};
}

bool
leaf_is_poisoned(struct span certificate)
{
	return extension_of(certificate, span_of(poison_oid, sizeof poison_oid)).n > 0;
}

struct span
leaf_sct_list(struct span certificate)
{
	return extension_of(certificate, span_of(sct_list_oid, sizeof sct_list_oid));
}
