/*
 * disguise.h - the other hashes under which the same certificate or the same key can be shown.
 *
 * A list names a certificate or a key by a hash of its bytes, and others than the signer can change some of these bytes.
 * Anyone can turn the s of an ECDSA signature into n - s, and an owner of an RSA key can write it as rsaEncryption or as
 * RSASSA-PSS. Each form has a hash of its own, so each is looked up. Other forms are refused anyway (sigform.h, spki.h).
 */
#ifndef VERIFY_X509_DISGUISE_H
#define VERIFY_X509_DISGUISE_H

#include "verify/x509/cert.h"

#define DISGUISES_MAX 5

struct disguises {
	uint8_t sha256[DISGUISES_MAX][32];
	size_t n;
};

/*
 * The certificate with the other form of its ECDSA signature. The signer's curve is not known here: each of the three
 * whose order the signature fits gives one. None when the certificate is not signed with ECDSA. RES_NOMEM.
 */
enum res disguises_of_cert(struct disguises *, const struct cert *);
/*
 * The key in the encodings that its RFC gives: RSA as rsaEncryption and as RSASSA-PSS (any digest, and each of three),
 * EC with its named curve and the point uncompressed. Also of a key that is not in one of them: without parameters,
 * padded, with explicit curve parameters or a hybrid point. RES_NOMEM.
 */
enum res disguises_of_key(struct disguises *, struct span spki);

#endif
