#include "verify/x509/spki.h"
#include "verify/x509/algorithm.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

static const char unreadable_rsa[] = "the RSA key cannot be read";
static const char unreadable_parameters[] = "the parameters of the key do not fit its algorithm";

/* Significant bits of a number without leading zero octets. */
static size_t
number_bits(struct span n)
{
	size_t bits = 8 * n.n;

	for (uint8_t top = n.n == 0 ? 0x80 : n.p[0]; (top & 0x80) == 0; top = (uint8_t)(top << 1))
		bits--;
	return bits;
}

/*
 * A check with RSA is a power of the exponent: its cost grows with the square of the modulus (a little less for
 * large ones) and with the bits of the exponent. Measured with GnuTLS 3.7.9: 2048 bits cost 3 tenths, 8192 bits 25;
 * an exponent of 32 ones costs 2.2 times as much as 65537.
 */
static unsigned
rsa_cost(size_t bits, struct span exponent)
{
	static const struct {
		size_t bits;
		unsigned cost;
	} rows[] = {{2048, 4}, {3072, 8}, {4096, SPKI_COST_RSA_4096}, {6144, 20}, {SPKI_RSA_BITS_MAX, 28}};
	bool usual = exponent.n == 1 || span_equal(exponent, span_of("\x01\x00\x01", 3));
	size_t i = 0;

	while (rows[i].bits < bits)
		i++;
	return usual ? rows[i].cost : rows[i].cost * 5 / 2;
}

static const char *
rsa_read(struct spki *k, struct span bytes)
{
	struct der_reader in = der_only(bytes, DER_SEQUENCE);
	struct span modulus = der_take(&in, DER_INTEGER).body;
	struct span exponent = der_take(&in, DER_INTEGER).body;
	size_t bits;

	if (!der_done(&in) || der_natural(&modulus) != RES_OK || der_natural(&exponent) != RES_OK)
		return unreadable_rsa;
	bits = number_bits(modulus);
	if (bits < SPKI_RSA_BITS_MIN)
		return "RSA below 2048 bits";
	if (bits > SPKI_RSA_BITS_MAX)
		return "RSA above 8192 bits";
	/* CAs may not certify others either (Baseline Requirements, 6.1.5) */
	if (bits % 8 != 0)
		return "RSA with a number of bits that is not a multiple of eight";
	if ((modulus.p[modulus.n - 1] & 1) == 0)
		return "RSA with an even modulus";
	if (number_bits(exponent) < 2 || (exponent.p[exponent.n - 1] & 1) == 0)
		return "RSA with an exponent below 3 or an even one";
	if (number_bits(exponent) > SPKI_RSA_EXPONENT_BITS_MAX)
		return "RSA with an exponent above 2^32";
	k->modulus = modulus;
	k->cost = rsa_cost(bits, exponent);
	return NULL;
}

/* RFC 4055, 1.2: without parameters for any digest, or with those of one; in the encoding that RFC 4055 gives, so
 * that they are not a place where the same key can be written in many ways. */
static const char *
pss_parameters_read(struct spki *k, struct der_reader *parameters)
{
	struct pss pss;

	k->only = GNUTLS_DIG_UNKNOWN;
	if (der_done(parameters))
		return NULL;
	if (pss_read(&pss, der_any(parameters).whole) != RES_OK || !der_done(parameters) || !pss.canonical)
		return unreadable_parameters;
	k->only = pss.digest;
	return NULL;
}

static const char *
rsa_algorithm_read(struct spki *k, struct der_reader *parameters, struct span bytes)
{
	const char *fault = NULL;

	if (k->kind == SPKI_RSA_PSS)
		fault = pss_parameters_read(k, parameters);
	else if (der_take(parameters, DER_NULL).body.n != 0 || !der_done(parameters))
		fault = "an RSA key whose parameters are not NULL (RFC 3279, 2.3.1)";
	return fault != NULL ? fault : rsa_read(k, bytes);
}

static const char *
curve_read(struct spki *k, struct der_reader *parameters, struct span point)
{
	const struct {
		struct span oid;
		enum spki_kind kind;
		size_t field;
		unsigned cost;
	} curves[] = {
	    {OID_P256, SPKI_P256, 32, 20}, {OID_P384, SPKI_P384, 48, 42}, {OID_P521, SPKI_P521, 66, 82}};
	struct span oid =
	    der_take(parameters, DER_OID).body; /* explicit parameters are none (RFC 5480, 2.1.1) */

	for (size_t i = 0; der_done(parameters) && i < sizeof curves / sizeof curves[0]; i++) {
		if (!span_equal(oid, curves[i].oid))
			continue;
		k->kind = curves[i].kind;
		k->cost = curves[i].cost;
		return point.n == 1 + 2 * curves[i].field && point.p[0] == 4
			   ? NULL
			   : "the EC point cannot be read; it must be uncompressed";
	}
	return "an elliptic curve other than P-256, P-384 and P-521";
}

static const char *
edwards_read(struct spki *k, struct der_reader *parameters, struct span bytes)
{
	bool ed448 = k->kind == SPKI_ED448;

	k->cost = ed448 ? 42 : 13;
	if (!der_done(parameters)) /* RFC 8410, 3: absent */
		return unreadable_parameters;
	if (bytes.n != (ed448 ? 57u : 32u))
		return ed448 ? "the Ed448 key cannot be read" : "the Ed25519 key cannot be read";
	return NULL;
}

static bool
kind_find(enum spki_kind *kind, struct span oid)
{
	const struct {
		struct span oid;
		enum spki_kind kind;
	} kinds[] = {{OID_RSA, SPKI_RSA},
		     {OID_RSA_PSS, SPKI_RSA_PSS},
		     {OID_EC, SPKI_P256},
		     {OID_ED25519, SPKI_ED25519},
		     {OID_ED448, SPKI_ED448}};

	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (span_equal(oid, kinds[i].oid)) {
			*kind = kinds[i].kind;
			return true;
		}
	return false;
}

const char *
spki_read(struct spki *out, struct span spki)
{
	struct der_reader in = der_only(spki, DER_SEQUENCE);
	struct der_reader algorithm = der_enter(&in, DER_SEQUENCE);
	struct span oid = der_take(&algorithm, DER_OID).body;
	struct span bits = der_take(&in, DER_BIT_STRING).body;
	struct spki k = {.kind = SPKI_RSA};
	const char *fault = NULL;

	if (!der_done(&in) || algorithm.bad || der_bits_whole(&bits) != RES_OK)
		return "the key cannot be read";
	if (!kind_find(&k.kind, oid))
		return "an untrusted kind of key (DSA, or unknown)";
	switch (k.kind) {
	case SPKI_RSA:
	case SPKI_RSA_PSS:
		fault = rsa_algorithm_read(&k, &algorithm, bits);
		break;
	case SPKI_P256:
	case SPKI_P384:
	case SPKI_P521:
		fault = curve_read(&k, &algorithm, bits);
		break;
	case SPKI_ED25519:
	case SPKI_ED448:
		fault = edwards_read(&k, &algorithm, bits);
		break;
	}
	if (fault == NULL)
		*out = k;
	return fault;
}
