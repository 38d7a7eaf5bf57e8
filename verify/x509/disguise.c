#include "verify/x509/disguise.h"
#include "verify/x509/algorithm.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/sigform.h"

#include <string.h>

#include <gnutls/crypto.h>

static enum res
disguise_add(struct disguises *d, const struct buf *whole)
{
	if (!buf_ok(whole) || gnutls_hash_fast(GNUTLS_DIG_SHA256, whole->p, whole->n, d->sha256[d->n]) < 0)
		return RES_NOMEM;
	d->n++;
	return RES_OK;
}

/* ---- certificates */

/* Certificate ::= SEQUENCE { the first two fields as they stand, the other signature } */
static enum res
twin_add(struct disguises *d, const struct cert *c, const struct buf *signature)
{
	struct buf bits = buf_max(ECDSA_SIGNATURE_MAX + 2 * DER_HEADER_MAX),
		   whole = buf_max(CERT_BYTES_MAX + 64);
	enum res r;

	der_header(&bits, DER_BIT_STRING, signature->n + 1);
	buf_u8(&bits, 0);
	buf_put(&bits, buf_span(signature));
	der_header(&whole, DER_SEQUENCE, c->tbs.n + c->sig_alg.n + bits.n);
	buf_put(&whole, c->tbs);
	buf_put(&whole, c->sig_alg);
	whole.bad |= !buf_ok(&bits);
	buf_put(&whole, buf_span(&bits));
	r = disguise_add(d, &whole);
	buf_free(&bits);
	buf_free(&whole);
	return r;
}

enum res
disguises_of_cert(struct disguises *d, const struct cert *c)
{
	const enum spki_kind curves[] = {SPKI_P256, SPKI_P384, SPKI_P521};
	struct algorithm algorithm;
	enum res r = RES_OK;

	d->n = 0;
	if (algorithm_read(&algorithm, c->sig_alg) != RES_OK || algorithm.family != ALGORITHM_ECDSA)
		return RES_OK;
	for (size_t i = 0; r == RES_OK && i < sizeof curves / sizeof curves[0]; i++) {
		struct buf signature = buf_max(ECDSA_SIGNATURE_MAX);

		r = ecdsa_twin(&signature, curves[i], c->signature);
		if (r == RES_OK)
			r = twin_add(d, c, &signature);
		else if (r == RES_MALFORMED) /* a larger curve may fit */
			r = RES_OK;
		buf_free(&signature);
	}
	return r;
}

/* ---- keys */

#define SPKI_BYTES_MAX (CERT_BYTES_MAX + 256)

static void
der_put(struct buf *out, uint8_t id, struct span body)
{
	der_header(out, id, body.n);
	buf_put(out, body);
}

/* SubjectPublicKeyInfo of a content of the AlgorithmIdentifier and the key's octets. */
static enum res
key_add(struct disguises *d, struct span algorithm, struct span key)
{
	struct buf body = buf_max(SPKI_BYTES_MAX), whole = buf_max(SPKI_BYTES_MAX);
	enum res r;

	der_put(&body, DER_SEQUENCE, algorithm);
	der_header(&body, DER_BIT_STRING, key.n + 1);
	buf_u8(&body, 0);
	buf_put(&body, key);
	whole.bad |= !buf_ok(&body);
	der_put(&whole, DER_SEQUENCE, buf_span(&body));
	r = disguise_add(d, &whole);
	buf_free(&body);
	buf_free(&whole);
	return r;
}

#define SHA2(n)    "\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02" n "\x05\x00"
#define RSA_OID(n) "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01" n
#define PSS(n, salt)                                                                                         \
	OID(RSA_OID("\x0a") "\x30\x34\xa0\x0f\x30\x0d" SHA2(n) "\xa1\x1c\x30\x1a" RSA_OID(                   \
	    "\x08") "\x30\x0d" SHA2(n) "\xa2\x03\x02\x01" salt)

static enum res
rsa_add(struct disguises *d, struct span bytes)
{
	const struct span algorithms[] = {
	    OID(RSA_OID("\x01") "\x05\x00"),
	    OID(RSA_OID("\x0a")),
	    PSS("\x01", "\x20"),
	    PSS("\x02", "\x30"),
	    PSS("\x03", "\x40"),
	};
	struct der_reader in = der_only(bytes, DER_SEQUENCE);
	struct span modulus = der_take(&in, DER_INTEGER).body, exponent = der_take(&in, DER_INTEGER).body;
	struct buf body = buf_max(CERT_BYTES_MAX), key = buf_max(CERT_BYTES_MAX);
	enum res r = RES_OK;

	if (!der_done(&in))
		return RES_OK;
	der_put_natural(&body, modulus);
	der_put_natural(&body, exponent);
	key.bad |= !buf_ok(&body);
	der_put(&key, DER_SEQUENCE, buf_span(&body));
	if (!buf_ok(&key))
		r = RES_NOMEM;
	for (size_t i = 0; r == RES_OK && i < sizeof algorithms / sizeof algorithms[0]; i++)
		r = key_add(d, algorithms[i], buf_span(&key));
	buf_free(&body);
	buf_free(&key);
	return r;
}

/* The prime of ECParameters, SEQUENCE { version, fieldID { type, prime }, ... } (SEC 1, C.2), without zeros in front. */
static struct span
explicit_prime(struct der_reader *parameters)
{
	struct der_reader in = der_enter(parameters, DER_SEQUENCE), field;
	struct span prime;

	der_take(&in, DER_INTEGER);
	field = der_enter(&in, DER_SEQUENCE);
	der_take(&field, DER_OID);
	prime = der_take(&field, DER_INTEGER).body;
	while (prime.n > 0 && prime.p[0] == 0)
		prime = span_slice(prime, 1, prime.n);
	return field.bad ? span_of(NULL, 0) : prime;
}

/* An uncompressed or hybrid point (SEC 1, 2.3.3) whose curve is known by its name or by the size of its field. */
static enum res
point_add(struct disguises *d, struct der_reader *parameters, struct span point)
{
	const struct {
		struct span oid, algorithm;
		size_t field;
	} curves[] = {
	    {OID_P256, OID("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"),
	     32},
	    {OID_P384, OID("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22"), 48},
	    {OID_P521, OID("\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x23"), 66},
	};
	bool named = der_at(parameters, DER_OID);
	struct span oid = named ? der_any(parameters).body : span_of(NULL, 0);
	struct span prime = named ? span_of(NULL, 0) : explicit_prime(parameters);
	uint8_t plain[1 + 2 * 66] = {4};

	for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++) {
		if (!(named ? span_equal(oid, curves[i].oid) : prime.n == curves[i].field) ||
		    point.n != 1 + 2 * curves[i].field ||
		    (point.p[0] != 4 && point.p[0] != 6 && point.p[0] != 7))
			continue;
		memcpy(plain + 1, point.p + 1, point.n - 1);
		return key_add(d, curves[i].algorithm, span_of(plain, point.n));
	}
	return RES_OK;
}

enum res
disguises_of_key(struct disguises *d, struct span spki)
{
	struct der_reader in = der_only(spki, DER_SEQUENCE);
	struct der_reader algorithm = der_enter(&in, DER_SEQUENCE);
	struct span oid = der_take(&algorithm, DER_OID).body;
	struct span bits = der_take(&in, DER_BIT_STRING).body;
	struct span algorithm_only;

	d->n = 0;
	if (!der_done(&in) || algorithm.bad || der_bits_whole(&bits) != RES_OK)
		return RES_OK; /* spki.c refuses it, too */
	if (span_equal(oid, OID_RSA) || span_equal(oid, OID_RSA_PSS))
		return rsa_add(d, bits);
	if (span_equal(oid, OID_EC))
		return point_add(d, &algorithm, bits);
	/* RFC 8410, 3: the identifier alone */
	algorithm_only =
	    span_equal(oid, OID_ED25519) ? OID("\x06\x03\x2b\x65\x70") : OID("\x06\x03\x2b\x65\x71");
	return span_equal(oid, OID_ED25519) || span_equal(oid, OID_ED448) ? key_add(d, algorithm_only, bits)
									  : RES_OK;
}
