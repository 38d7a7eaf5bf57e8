#include "verify/x509/cert.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <string.h>

#include <gnutls/crypto.h>

static enum res
cert_validity_read(struct cert *c, struct der_reader *tbs)
{
	struct der_reader in = der_enter(tbs, DER_SEQUENCE);

	if (der_time(&c->not_before_ms, &in) != RES_OK || der_time(&c->not_after_ms, &in) != RES_OK)
		return RES_MALFORMED;
	return der_done(&in) ? RES_OK : RES_MALFORMED;
}

static enum res
cert_extension_read(struct cert *c, struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);
	struct cert_ext e = {.oid = der_take(&in, DER_OID).body};

	if (der_at(&in, DER_BOOLEAN)) {
		/* DEFAULT FALSE is not encoded (X.690, 11.5) */
		if (der_bool(&e.critical, der_any(&in).body) != RES_OK || !e.critical)
			return RES_MALFORMED;
	}
	e.value = der_take(&in, DER_OCTET_STRING).body;
	if (!der_done(&in) || e.oid.n == 0 || cert_ext_find(c, e.oid) != NULL)
		return RES_MALFORMED; /* RFC 5280, 4.2: not more than one instance */
	if (c->n_ext == CERT_EXTENSIONS_MAX)
		return RES_LIMIT;
	c->ext[c->n_ext++] = e;
	return RES_OK;
}

static enum res
cert_extensions_read(struct cert *c, struct der_reader *tbs)
{
	struct der_reader wrapper, list;

	if (!der_at(tbs, DER_CONTEXT_CONS(3)))
		return RES_OK;
	wrapper = der_enter(tbs, DER_CONTEXT_CONS(3));
	list = der_enter(&wrapper, DER_SEQUENCE);
	if (!der_done(&wrapper) || !der_more(&list) || c->version != 3)
		return RES_MALFORMED;
	while (der_more(&list)) {
		enum res r = cert_extension_read(c, &list);

		if (r != RES_OK)
			return r;
	}
	return der_done(&list) ? RES_OK : RES_MALFORMED;
}

static enum res
cert_version_read(struct cert *c, struct der_reader *tbs)
{
	struct der_reader in;
	uint32_t v;

	c->version = 1;
	if (!der_at(tbs, DER_CONTEXT_CONS(0)))
		return RES_OK;
	in = der_enter(tbs, DER_CONTEXT_CONS(0));
	if (der_uint(&v, der_take(&in, DER_INTEGER).body) != RES_OK || !der_done(&in) || v < 1 || v > 2)
		return RES_MALFORMED;
	c->version = (int)v + 1;
	return RES_OK;
}

/* An AlgorithmIdentifier with its header. */
static struct span
cert_algorithm_read(struct der_reader *in)
{
	struct der_element e = der_take(in, DER_SEQUENCE);
	struct der_reader body = der_over(e.body);

	if (der_take(&body, DER_OID).body.n == 0)
		in->bad = true;
	return e.whole;
}

/* A Name is a SEQUENCE; what is inside is compared as bytes here and read in name.c. */
static struct span
cert_name_read(struct der_reader *in)
{
	return der_take(in, DER_SEQUENCE).whole;
}

static enum res
cert_tbs_read(struct cert *c, struct span *inner_alg)
{
	struct der_reader tbs = der_only(c->tbs, DER_SEQUENCE);
	enum res r = cert_version_read(c, &tbs);

	if (r != RES_OK)
		return r;
	c->serial = der_take(&tbs, DER_INTEGER).body;
	*inner_alg = cert_algorithm_read(&tbs);
	c->issuer = cert_name_read(&tbs);
	r = cert_validity_read(c, &tbs);
	if (r != RES_OK)
		return r;
	c->subject = cert_name_read(&tbs);
	c->spki = der_take(&tbs, DER_SEQUENCE).whole;
	if (der_at(&tbs, DER_CONTEXT(1))) /* issuerUniqueID */
		der_any(&tbs);
	if (der_at(&tbs, DER_CONTEXT(2))) /* subjectUniqueID */
		der_any(&tbs);
	r = cert_extensions_read(c, &tbs);
	if (r != RES_OK)
		return r;
	return der_done(&tbs) && der_integer_ok(c->serial) ? RES_OK : RES_MALFORMED;
}

enum res
cert_read_parts(struct cert *c, struct span der)
{
	struct der_reader in, body;
	struct span inner_alg = {0}, bits;
	enum res r;

	if (der.n > CERT_BYTES_MAX)
		return RES_LIMIT;
	memset(c, 0, sizeof *c);
	c->der = der;
	in = der_over(der);
	body = der_enter(&in, DER_SEQUENCE);
	c->tbs = der_take(&body, DER_SEQUENCE).whole;
	c->sig_alg = cert_algorithm_read(&body);
	bits = der_take(&body, DER_BIT_STRING).body;
	if (!der_done(&in) || !der_done(&body) || der_bits_whole(&bits) != RES_OK)
		return RES_MALFORMED;
	c->signature = bits;
	r = cert_tbs_read(c, &inner_alg);
	if (r != RES_OK)
		return r;
	return span_equal(inner_alg, c->sig_alg) ? RES_OK : RES_MALFORMED; /* RFC 5280, 4.1.1.2 */
}

enum res
cert_read(struct cert *c, struct span der)
{
	enum res r = cert_read_parts(c, der);

	return r == RES_OK ? cert_fingerprint(c, der) : r;
}

enum res
cert_fingerprint(struct cert *c, struct span given)
{
	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, given.p, given.n, c->sha256) < 0 ||
	    gnutls_hash_fast(GNUTLS_DIG_SHA256, c->spki.p, c->spki.n, c->spki_sha256) < 0)
		return RES_NOMEM;
	return RES_OK;
}

const struct cert_ext *
cert_ext_find(const struct cert *c, struct span oid)
{
	for (size_t i = 0; i < c->n_ext; i++)
		if (span_equal(c->ext[i].oid, oid))
			return &c->ext[i];
	return NULL;
}

struct span
cert_subject_key_id(const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_SUBJECT_KEY_ID);
	struct der_reader in;

	if (ext == NULL)
		return (struct span){NULL, 0};
	in = der_over(ext->value);
	return der_take(&in, DER_OCTET_STRING).body;
}

bool
cert_subject_is_empty(const struct cert *c)
{
	struct der_reader in = der_only(c->subject, DER_SEQUENCE);

	return der_done(&in);
}
