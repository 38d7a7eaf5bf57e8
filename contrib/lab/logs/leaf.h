/*
 * leaf.h - what a log hashes and signs of a certificate: MerkleTreeLeaf and its parts (RFC 6962, 3.4; C2SP static-ct-api).
 *
 * The signed bytes of an SCT (3.2) are those of the leaf, as version and type are 0 in both.
 */
#ifndef CONTRIB_LAB_LOGS_LEAF_H
#define CONTRIB_LAB_LOGS_LEAF_H

#include "base/bytes.h"
#include "base/res.h"

struct leaf {
	uint64_t timestamp_ms;
	const uint8_t *issuer_key_hash; /* 32 bytes: a precert_entry; NULL: an x509_entry */
	struct span certificate;        /* DER, or the TBSCertificate of a precert_entry */
	struct span extensions;         /* as given, when has_index is false */
	bool has_index;                 /* the extensions are one leaf_index */
	uint64_t index;
};

void leaf_write(struct buf *out, const struct leaf *);
/* The same in parts: all before n bytes of certificate, and all after them. */
void leaf_front_write(struct buf *out, const struct leaf *, size_t n);
void leaf_extensions_write(struct buf *out, const struct leaf *);

/* Appends the TBSCertificate of a certificate, without the poison or the SCT list if it has one: what a log stores.
 * RES_MALFORMED; RES_NOMEM. */
enum res leaf_tbs_of(struct buf *out, struct span certificate);
/* SHA-256 of the SubjectPublicKeyInfo of a certificate. */
enum res leaf_key_hash(uint8_t out[32], struct span certificate);
/* Does the certificate have the poison of a precertificate (RFC 6962, 3.1)? */
bool leaf_is_poisoned(struct span certificate);
/* The value of the extension that holds the SCTs, the OCTET STRING's content; empty when there is none. */
struct span leaf_sct_list(struct span certificate);

#endif
