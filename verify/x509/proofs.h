/*
 * proofs.h - which key signed which of the presented certificates.
 *
 * Each pair of a certificate and a key is checked once in a judgement and remembered: the same key under other names
 * or in other certificates is the same question. Paths are made of the answers (path.h), and they
 * decide with which key SCTs, staples and CRLs are checked.
 */
#ifndef VERIFY_X509_PROOFS_H
#define VERIFY_X509_PROOFS_H

#include "verify/x509/signature.h"

#define PROOFS_CERTS_MAX 16 /* presented certificates */
#define PROOFS_EACH_MAX  64 /* answers remembered of each; so many checks are never made (below) */
/* The part of a judgement's signature checks, and of their cost (spki.h), that paths may use; the rest is for SCTs,
 * staples and CRLs. This is enough to find a path among 20 certificates with keys of P-256, or among 40 with
 * RSA-4096. */
#define PROOFS_CHECKS_MAX 48
#define PROOFS_COST_MAX   400

struct proof {
	const uint8_t *spki_sha256; /* of the key; lent */
	bool holds;
};

struct proofs {
	const struct cert *certs; /* presented; lent */
	size_t n_certs;
	struct signature_budget *budget; /* lent */
	struct proof of[PROOFS_CERTS_MAX][PROOFS_EACH_MAX];
	size_t n[PROOFS_CERTS_MAX];
};

/* Did the key of `above` sign `below`, one of the presented certificates? RES_OK: it did. RES_NOT_FOUND: it did not.
 * RES_LIMIT: no more checks are made. RES_NOMEM. */
enum res proofs_ask(struct proofs *, const struct cert *below, const struct cert *above);

#endif
