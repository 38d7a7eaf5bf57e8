/*
 * sigform.h - the form of a signature, before anything is computed: one signature has as few forms as there can be.
 *
 * RSA: as long as the modulus and below it. ECDSA: the DER of two positive numbers below the order of the curve (RFC
 * 3279, 2.2.3; RFC 6962, 2.1.4), which leaves two forms: anybody can turn s into n - s. EdDSA: of its fixed length,
 * and S below the order of the group (RFC 8032, 5.1.7 and 5.2.7).
 */
#ifndef VERIFY_X509_SIGFORM_H
#define VERIFY_X509_SIGFORM_H

#include "base/bytes.h"
#include "verify/x509/algorithm.h"
#include "verify/x509/spki.h"

/* Can this key have made a signature of this form with this algorithm? */
bool signature_form_fits(const struct algorithm *, const struct spki *, struct span signature);

/* Two numbers of 66 octets, each with a header and a zero in front, and the header of both. */
#define ECDSA_SIGNATURE_MAX 144

/*
 * The other form of an ECDSA signature by a key on this curve (SPKI_P256, SPKI_P384 or SPKI_P521), appended. RES_MALFORMED:
 * the signature is not of the form above. RES_NOMEM.
 */
enum res ecdsa_twin(struct buf *out, enum spki_kind curve, struct span signature);

#endif
