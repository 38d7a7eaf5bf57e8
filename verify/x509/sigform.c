#include "verify/x509/sigform.h"
#include "verify/x509/der.h"

#include <string.h>

#define ORDER_MAX 66

/* The orders of the groups, big-endian (SEC 2, 2.4; RFC 8032, 5.1 and 5.2). */
static const uint8_t order_p256[] = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
};
static const uint8_t order_p384[] = {
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37, 0x2d, 0xdf,
    0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc, 0xc5, 0x29, 0x73,
};
static const uint8_t order_p521[] = {
    0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfa,
    0x51, 0x86, 0x87, 0x83, 0xbf, 0x2f, 0x96, 0x6b, 0x7f, 0xcc, 0x01, 0x48, 0xf7, 0x09, 0xa5, 0xd0, 0x3b,
    0xb5, 0xc9, 0xb8, 0x89, 0x9c, 0x47, 0xae, 0xbb, 0x6f, 0xb7, 0x1e, 0x91, 0x38, 0x64, 0x09,
};
static const uint8_t order_ed25519[] = {
    0x10, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x14, 0xde, 0xf9, 0xde, 0xa2, 0xf7, 0x9c, 0xd6, 0x58, 0x12, 0x63, 0x1a, 0x5c, 0xf5, 0xd3, 0xed,
};
static const uint8_t order_ed448[] = {
    0x00, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7c,
    0xca, 0x23, 0xe9, 0xc4, 0x4e, 0xdb, 0x49, 0xae, 0xd6, 0x36, 0x90, 0x21, 0x6c, 0xc2, 0x72,
    0x8d, 0xc5, 0x8f, 0x55, 0x23, 0x78, 0xc2, 0x92, 0xab, 0x58, 0x44, 0xf3,
};

static struct span
order_of(enum spki_kind kind)
{
	switch (kind) {
	case SPKI_P256:
		return span_of(order_p256, sizeof order_p256);
	case SPKI_P384:
		return span_of(order_p384, sizeof order_p384);
	case SPKI_P521:
		return span_of(order_p521, sizeof order_p521);
	case SPKI_ED25519:
		return span_of(order_ed25519, sizeof order_ed25519);
	case SPKI_ED448:
		return span_of(order_ed448, sizeof order_ed448);
	case SPKI_RSA:
	case SPKI_RSA_PSS:
		break;
	}
	return span_of(NULL, 0);
}

static bool
key_fits(const struct algorithm *a, const struct spki *k)
{
	switch (k->kind) {
	case SPKI_RSA:
		return a->family == ALGORITHM_RSA || a->family == ALGORITHM_RSA_PSS;
	case SPKI_RSA_PSS: /* RFC 4055, 3.3: with the digest of the key, if it names one */
		return a->family == ALGORITHM_RSA_PSS &&
		       (k->only == GNUTLS_DIG_UNKNOWN || k->only == a->digest);
	case SPKI_P256:
	case SPKI_P384:
	case SPKI_P521:
		return a->family == ALGORITHM_ECDSA;
	case SPKI_ED25519:
		return a->family == ALGORITHM_ED25519;
	case SPKI_ED448:
		return a->family == ALGORITHM_ED448;
	}
	return false;
}

/* ---- ECDSA */

struct ecdsa {
	struct span r, s; /* without the leading zero octet */
};

/* A number of 1 to order - 1. */
static bool
number_fits(struct span n, struct span order)
{
	return n.n > 0 && (n.n < order.n || (n.n == order.n && memcmp(n.p, order.p, n.n) < 0));
}

static enum res
ecdsa_read(struct ecdsa *out, enum spki_kind curve, struct span signature)
{
	struct der_reader in = der_only(signature, DER_SEQUENCE);
	struct span order = order_of(curve);
	struct ecdsa e = {.r = der_take(&in, DER_INTEGER).body, .s = {NULL, 0}};

	e.s = der_take(&in, DER_INTEGER).body;
	if (!der_done(&in) || der_natural(&e.r) != RES_OK || der_natural(&e.s) != RES_OK ||
	    !number_fits(e.r, order) || !number_fits(e.s, order))
		return RES_MALFORMED;
	*out = e;
	return RES_OK;
}

/* order - s, big-endian, as long as the order. */
static void
order_minus(uint8_t out[ORDER_MAX], struct span order, struct span s)
{
	int borrow = 0;

	for (size_t i = 0; i < order.n; i++) {
		int minus = borrow + (i < s.n ? s.p[s.n - 1 - i] : 0);
		int digit = order.p[order.n - 1 - i] - minus;

		borrow = digit < 0;
		out[order.n - 1 - i] = (uint8_t)(digit + (borrow ? 256 : 0));
	}
}

enum res
ecdsa_twin(struct buf *out, enum spki_kind curve, struct span signature)
{
	struct buf body = buf_max(ECDSA_SIGNATURE_MAX);
	struct span order = order_of(curve);
	uint8_t other[ORDER_MAX];
	struct ecdsa e;

	if (ecdsa_read(&e, curve, signature) != RES_OK)
		return RES_MALFORMED;
	order_minus(other, order, e.s);
	der_put_natural(&body, e.r);
	der_put_natural(&body, span_of(other, order.n));
	out->bad |= !buf_ok(&body);
	der_header(out, DER_SEQUENCE, body.n);
	buf_put(out, buf_span(&body));
	buf_free(&body);
	return buf_ok(out) ? RES_OK : RES_NOMEM;
}

/* ---- the others */

/* R and S, each as long as the key; S is little-endian and below the order. */
static bool
edwards_fits(enum spki_kind kind, struct span signature)
{
	struct span order = order_of(kind);

	if (signature.n != 2 * order.n)
		return false;
	for (size_t i = order.n; i > 0; i--) {
		uint8_t digit = signature.p[order.n + i - 1], limit = order.p[order.n - i];

		if (digit != limit)
			return digit < limit;
	}
	return false;
}

bool
signature_form_fits(const struct algorithm *a, const struct spki *k, struct span signature)
{
	struct ecdsa e;

	if (!key_fits(a, k))
		return false;
	switch (k->kind) {
	case SPKI_RSA:
	case SPKI_RSA_PSS:
		return signature.n == k->modulus.n && memcmp(signature.p, k->modulus.p, signature.n) < 0;
	case SPKI_P256:
	case SPKI_P384:
	case SPKI_P521:
		return ecdsa_read(&e, k->kind, signature) == RES_OK;
	case SPKI_ED25519:
	case SPKI_ED448:
		return edwards_fits(k->kind, signature);
	}
	return false;
}
