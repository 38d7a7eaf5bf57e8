#include "verify/x509/strength.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

/* Significant bits of a positive INTEGER's content. */
static size_t
integer_bits(struct span i)
{
	size_t bits;

	while (i.n > 0 && i.p[0] == 0)
		i = span_slice(i, 1, i.n);
	bits = 8 * i.n;
	for (uint8_t top = i.n == 0 ? 0x80 : i.p[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

static const char *
rsa_fault(struct span key)
{
	struct der_reader in = der_only(key, DER_SEQUENCE);
	struct span modulus = der_take(&in, DER_INTEGER).body;
	struct span exponent = der_take(&in, DER_INTEGER).body;
	size_t bits;

	if (!der_done(&in) || !der_integer_ok(modulus) || !der_integer_ok(exponent) ||
	    (modulus.p[0] & 0x80) != 0 || (exponent.p[0] & 0x80) != 0)
		return "the RSA key can not be read";
	bits = integer_bits(modulus);
	if (bits < STRENGTH_RSA_BITS_MIN)
		return "RSA below 2048 bits";
	if (bits > STRENGTH_RSA_BITS_MAX || bits % 8 != 0)
		return "RSA of an unreasonable size";
	if (integer_bits(exponent) < 2 || (exponent.p[exponent.n - 1] & 1) == 0)
		return "RSA with an exponent that does not protect";
	return NULL;
}

static const char *
curve_fault(struct der_reader *parameters, struct span point)
{
	const struct {
		struct span oid;
		size_t field;
	} curves[] = {{OID_P256, 32}, {OID_P384, 48}, {OID_P521, 66}};
	struct span oid =
	    der_take(parameters, DER_OID).body; /* explicit parameters are none (RFC 5480, 2.1.1) */

	for (size_t i = 0; der_done(parameters) && i < sizeof curves / sizeof curves[0]; i++)
		if (span_equal(oid, curves[i].oid))
			return point.n == 1 + 2 * curves[i].field && point.p[0] == 4
				   ? NULL
				   : "the EC point can not be read";
	return "an elliptic curve other than P-256, P-384 and P-521";
}

const char *
strength_key_fault(struct span spki)
{
	struct der_reader in = der_only(spki, DER_SEQUENCE);
	struct der_reader algorithm = der_enter(&in, DER_SEQUENCE);
	struct span oid = der_take(&algorithm, DER_OID).body;
	struct span key = der_take(&in, DER_BIT_STRING).body;

	if (!der_done(&in) || algorithm.bad || key.n < 2 || key.p[0] != 0)
		return "the key can not be read";
	key = span_slice(key, 1, key.n);
	if (span_equal(oid, OID_RSA) || span_equal(oid, OID_RSA_PSS))
		return rsa_fault(key);
	if (span_equal(oid, OID_EC))
		return curve_fault(&algorithm, key);
	if (span_equal(oid, OID_ED25519))
		return key.n == 32 ? NULL : "the Ed25519 key can not be read";
	if (span_equal(oid, OID_ED448))
		return key.n == 57 ? NULL : "the Ed448 key can not be read";
	return "a kind of key that is not trusted (DSA, or not known)";
}

/* The digest of RSASSA-PSS-params; SHA-1 is the default (RFC 4055, 3.1). */
static bool
pss_is_strong(struct der_reader *algorithm)
{
	struct der_reader params = der_enter(algorithm, DER_SEQUENCE);
	struct der_reader hash = der_enter(&params, DER_CONTEXT_CONS(0));
	struct der_reader id = der_enter(&hash, DER_SEQUENCE);
	struct span oid = der_take(&id, DER_OID).body;

	return !id.bad &&
	       (span_equal(oid, OID_SHA256) || span_equal(oid, OID_SHA384) || span_equal(oid, OID_SHA512));
}

/* NULL with RSA (RFC 4055, 5; often left out), nothing with the others (RFC 5758, 3.2; RFC 8410, 3). */
static bool
parameters_fit(struct der_reader *algorithm, struct span oid)
{
	bool rsa = span_equal(oid, OID_RSA_SHA256) || span_equal(oid, OID_RSA_SHA384) ||
		   span_equal(oid, OID_RSA_SHA512);

	if (rsa && der_at(algorithm, DER_NULL) && der_any(algorithm).body.n != 0)
		return false;
	return der_done(algorithm);
}

const char *
strength_signature_fault(struct span sig_alg)
{
	const struct span strong[] = {
	    OID_ECDSA_SHA256, OID_ECDSA_SHA384, OID_ECDSA_SHA512, OID_RSA_SHA256,
	    OID_RSA_SHA384,   OID_RSA_SHA512,   OID_ED25519,      OID_ED448,
	};
	struct der_reader algorithm = der_only(sig_alg, DER_SEQUENCE);
	struct span oid = der_take(&algorithm, DER_OID).body;

	for (size_t i = 0; i < sizeof strong / sizeof strong[0]; i++)
		if (span_equal(oid, strong[i]))
			return parameters_fit(&algorithm, oid)
				   ? NULL
				   : "signed with parameters that its algorithm does not have";
	if (span_equal(oid, OID_RSA_PSS) && pss_is_strong(&algorithm))
		return NULL;
	return "signed with SHA-1, MD5 or another algorithm that is not trusted";
}
