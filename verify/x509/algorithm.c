#include "verify/x509/algorithm.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <gnutls/crypto.h>

/* ---- RSASSA-PSS-params (RFC 4055, 3.1) */

/* A digest's AlgorithmIdentifier; with NULL or without parameters, which RFC 4055, 2.1 calls equivalent. */
static enum res
pss_digest_read(gnutls_digest_algorithm_t *digest, bool *null, struct der_reader *in)
{
	const struct {
		struct span oid;
		gnutls_digest_algorithm_t digest;
	} known[] = {{OID_SHA256, GNUTLS_DIG_SHA256},
		     {OID_SHA384, GNUTLS_DIG_SHA384},
		     {OID_SHA512, GNUTLS_DIG_SHA512}};
	struct der_reader id = der_enter(in, DER_SEQUENCE);
	struct span oid = der_take(&id, DER_OID).body;

	*null = der_at(&id, DER_NULL);
	if (*null && der_any(&id).body.n != 0)
		return RES_MALFORMED;
	if (!der_done(&id))
		return RES_MALFORMED;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_equal(oid, known[i].oid)) {
			*digest = known[i].digest;
			return RES_OK;
		}
	return RES_UNSUPPORTED;
}

/* The mask's AlgorithmIdentifier: MGF1, and the digest that it uses. */
static enum res
pss_mask_read(gnutls_digest_algorithm_t *digest, bool *null, struct der_reader *in)
{
	struct der_reader id = der_enter(in, DER_SEQUENCE);
	struct span oid = der_take(&id, DER_OID).body;
	enum res r;

	if (id.bad)
		return RES_MALFORMED;
	if (!span_equal(oid, OID_MGF1))
		return RES_UNSUPPORTED;
	r = pss_digest_read(digest, null, &id);
	return r == RES_OK && !der_done(&id) ? RES_MALFORMED : r;
}

enum res
pss_read(struct pss *out, struct span der)
{
	struct der_reader in = der_only(der, DER_SEQUENCE), field;
	gnutls_digest_algorithm_t digest = GNUTLS_DIG_UNKNOWN, mask = GNUTLS_DIG_UNKNOWN;
	bool digest_null = false, mask_null = false;
	uint32_t salt;
	enum res r;

	if (in.bad)
		return RES_MALFORMED;
	/* Each default is SHA-1 or belongs to it, so each field must be there. */
	if (!der_at(&in, DER_CONTEXT_CONS(0)))
		return RES_UNSUPPORTED;
	field = der_enter(&in, DER_CONTEXT_CONS(0));
	r = pss_digest_read(&digest, &digest_null, &field);
	if (r != RES_OK || !der_done(&field))
		return r != RES_OK ? r : RES_MALFORMED;
	if (!der_at(&in, DER_CONTEXT_CONS(1)))
		return RES_UNSUPPORTED;
	field = der_enter(&in, DER_CONTEXT_CONS(1));
	r = pss_mask_read(&mask, &mask_null, &field);
	if (r != RES_OK || !der_done(&field))
		return r != RES_OK ? r : RES_MALFORMED;
	if (mask != digest)
		return RES_UNSUPPORTED;
	field = der_enter(&in, DER_CONTEXT_CONS(2));
	/* trailerField is 1, and DER does not write defaults */
	if (der_uint(&salt, der_take(&field, DER_INTEGER).body) != RES_OK || !der_done(&field) ||
	    !der_done(&in))
		return RES_MALFORMED;
	*out = (struct pss){digest, salt, digest_null && mask_null && salt == gnutls_hash_get_len(digest)};
	return RES_OK;
}

/* ---- the identifier */

enum parameters { PARAMETERS_NULL, PARAMETERS_NONE, PARAMETERS_PSS };

struct known {
	struct span oid;
	enum parameters parameters;
	struct algorithm algorithm;
};

static enum res
pss_algorithm_read(struct algorithm *out, struct der_reader *parameters)
{
	struct pss pss;
	enum res r = pss_read(&pss, der_any(parameters).whole);

	if (r != RES_OK)
		return r;
	out->digest = pss.digest;
	out->salt = pss.salt;
	out->sign = pss.digest == GNUTLS_DIG_SHA256   ? GNUTLS_SIGN_RSA_PSS_SHA256
		    : pss.digest == GNUTLS_DIG_SHA384 ? GNUTLS_SIGN_RSA_PSS_SHA384
						      : GNUTLS_SIGN_RSA_PSS_SHA512;
	return RES_OK;
}

static enum res
known_read(struct algorithm *out, const struct known *known, struct der_reader *parameters)
{
	enum res r = RES_OK;

	*out = known->algorithm;
	switch (known->parameters) {
	case PARAMETERS_NULL: /* or none */
		if (der_at(parameters, DER_NULL) && der_any(parameters).body.n != 0)
			return RES_MALFORMED;
		break;
	case PARAMETERS_NONE:
		break;
	case PARAMETERS_PSS:
		r = pss_algorithm_read(out, parameters);
		break;
	}
	return r == RES_OK && !der_done(parameters) ? RES_MALFORMED : r;
}

enum res
algorithm_read(struct algorithm *out, struct span der)
{
#define RSA(name, weak)                                                                                      \
	PARAMETERS_NULL,                                                                                     \
	{                                                                                                    \
		ALGORITHM_RSA, GNUTLS_SIGN_RSA_##name, GNUTLS_DIG_##name, 0, weak                            \
	}
#define ECDSA(name, weak)                                                                                    \
	PARAMETERS_NONE,                                                                                     \
	{                                                                                                    \
		ALGORITHM_ECDSA, GNUTLS_SIGN_ECDSA_##name, GNUTLS_DIG_##name, 0, weak                        \
	}
#define EDDSA(name)                                                                                          \
	PARAMETERS_NONE,                                                                                     \
	{                                                                                                    \
		ALGORITHM_##name, GNUTLS_SIGN_EDDSA_##name, GNUTLS_DIG_UNKNOWN, 0, false                     \
	}
	const struct known known[] = {
	    {OID_RSA_SHA256, RSA(SHA256, false)},
	    {OID_RSA_SHA384, RSA(SHA384, false)},
	    {OID_RSA_SHA512, RSA(SHA512, false)},
	    {OID_ECDSA_SHA256, ECDSA(SHA256, false)},
	    {OID_ECDSA_SHA384, ECDSA(SHA384, false)},
	    {OID_ECDSA_SHA512, ECDSA(SHA512, false)},
	    {OID_ED25519, EDDSA(ED25519)},
	    {OID_ED448, EDDSA(ED448)},
	    {OID_RSA_PSS, PARAMETERS_PSS, {.family = ALGORITHM_RSA_PSS}},
	    {OID_RSA_MD5, RSA(MD5, true)},
	    {OID_RSA_SHA1, RSA(SHA1, true)},
	    {OID_RSA_SHA224, RSA(SHA224, true)},
	    {OID_ECDSA_SHA1, ECDSA(SHA1, true)},
	    {OID_ECDSA_SHA224, ECDSA(SHA224, true)},
	};
#undef RSA
#undef ECDSA
#undef EDDSA
	struct der_reader in = der_only(der, DER_SEQUENCE);
	struct span oid = der_take(&in, DER_OID).body;

	if (in.bad)
		return RES_MALFORMED;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
		if (span_equal(oid, known[i].oid))
			return known_read(out, &known[i], &in);
	return RES_UNSUPPORTED;
}
