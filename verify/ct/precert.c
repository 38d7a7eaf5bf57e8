#include "verify/ct/precert.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/signature.h"
#include "verify/x509/usage.h"

#define COST_MAX 512 /* as spki.h counts: as much as one judgement */

enum res
precert_signer(struct cert *signer, size_t *at, const struct cert *leaf, const struct span *chain, size_t n)
{
	struct signature_budget budget = {.max = PRECERT_CHECKS_MAX, .cost_max = COST_MAX};
	enum res res = RES_NOT_FOUND;

	for (*at = 0; res == RES_NOT_FOUND && *at < n; ++*at)
		if (cert_read(signer, chain[*at]) == RES_OK && span_equal(signer->subject, leaf->issuer))
			res = signature_by_key(leaf, signer->spki, &budget);
	--*at;
	return res == RES_LIMIT ? RES_NOT_FOUND : res;
}

bool
precert_signing(const struct cert *c)
{
	return usage_names_purpose(c, OID_PRECERT_SIGNING);
}

/* The TBSCertificate without the extension; unchanged if it has none. */
static enum res
without(struct buf *out, struct span tbs, struct span oid)
{
	enum res res = der_tbs_without(out, tbs, oid);

	if (res != RES_NOT_FOUND)
		return res;
	buf_put(out, tbs);
	return buf_ok(out) ? RES_OK : RES_NOMEM;
}

static void
wrapped_put(struct buf *out, uint8_t id, const struct buf *content)
{
	der_header(out, id, content->n);
	buf_put(out, buf_span(content));
	out->bad = out->bad || !buf_ok(content);
}

/* An extension that is not critical. */
static void
extension_put(struct buf *out, struct span oid, struct span value)
{
	struct buf body = buf_max(value.n + oid.n + 4 * DER_HEADER_MAX);

	der_header(&body, DER_OID, oid.n);
	buf_put(&body, oid);
	der_header(&body, DER_OCTET_STRING, value.n);
	buf_put(&body, value);
	wrapped_put(out, DER_SEQUENCE, &body);
	buf_free(&body);
}

/* The content of [3]: the authority key identifier becomes the signing certificate's, or is removed if that has none. */
static bool
extensions_put(struct buf *out, struct span content, const struct cert *signing)
{
	const struct cert_ext *key_id = cert_ext_find(signing, OID_AUTHORITY_KEY_ID);
	struct der_reader in = der_only(content, DER_SEQUENCE);
	struct buf list = buf_max(content.n + CERT_BYTES_MAX);

	while (der_more(&in)) {
		struct der_element extension = der_take(&in, DER_SEQUENCE);
		struct der_reader body = der_over(extension.body);

		if (!span_equal(der_take(&body, DER_OID).body, OID_AUTHORITY_KEY_ID))
			buf_put(&list, extension.whole);
		else if (key_id != NULL)
			extension_put(&list, OID_AUTHORITY_KEY_ID, key_id->value);
	}
	if (list.n > 0)
		wrapped_put(out, DER_SEQUENCE, &list);
	buf_free(&list);
	return der_done(&in);
}

/* RFC 6962, 3.2: "the TBSCertificate's issuer must be changed to match the one that will issue the final certificate". */
static enum res
issuer_replace(struct buf *out, struct span tbs, const struct cert *signing)
{
	struct der_reader in = der_only(tbs, DER_SEQUENCE);
	struct buf body = buf_max(tbs.n + CERT_BYTES_MAX), extensions = buf_max(tbs.n + CERT_BYTES_MAX);
	bool ok = true;

	for (size_t i = der_at(&in, DER_CONTEXT_CONS(0)) ? 0 : 1; der_more(&in); i++) {
		struct der_element e = der_any(&in);

		if (i == 3) { /* version, serialNumber, signature, issuer */
			buf_put(&body, signing->issuer);
		} else if (e.id == DER_CONTEXT_CONS(3)) {
			ok = extensions_put(&extensions, e.body, signing) && ok;
			if (extensions.n > 0)
				wrapped_put(&body, DER_CONTEXT_CONS(3), &extensions);
		} else {
			buf_put(&body, e.whole);
		}
	}
	wrapped_put(out, DER_SEQUENCE, &body);
	ok = ok && der_done(&in);
	buf_free(&body);
	buf_free(&extensions);
	return !ok ? RES_MALFORMED : buf_ok(out) ? RES_OK : RES_NOMEM;
}

enum res
precert_tbs(struct buf *out, const struct cert *submitted, const struct cert *signing)
{
	struct buf clean = buf_max(submitted->tbs.n + DER_HEADER_MAX),
		   bare = buf_max(submitted->tbs.n + DER_HEADER_MAX);
	enum res res = without(&clean, submitted->tbs, OID_PRECERT_POISON);

	if (res == RES_OK)
		res = without(&bare, buf_span(&clean), OID_SCT_LIST);
	if (res == RES_OK && signing != NULL)
		res = issuer_replace(out, buf_span(&bare), signing);
	else if (res == RES_OK)
		buf_put(out, buf_span(&bare));
	buf_free(&clean);
	buf_free(&bare);
	return res == RES_OK && !buf_ok(out) ? RES_NOMEM : res;
}
