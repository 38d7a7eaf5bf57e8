/*
 * sctcheck.h - a certificate's SCTs with their logs, and what the logs signed (RFC 6962, 3.2).
 *
 * Whether an SCT counts is policy (ctpolicy.h). This file finds out which log issued it and whether its signature
 * holds.
 */
#ifndef VERIFY_CT_SCTCHECK_H
#define VERIFY_CT_SCTCHECK_H

#include "verify/x509/cert.h"
#include "verify/ct/ctlogs.h"
#include "verify/ct/sct.h"
#include "verify/x509/signature.h"
#include "verify/verdict.h"

enum sct_proof { SCT_UNCHECKED, SCT_PROVEN, SCT_DISPROVEN };

struct sct_item {
	struct sct sct;
	const struct ctlog *log; /* NULL: not in the list. Lent */
	bool algorithm_fits;     /* the SCT's two bytes are those of the log's key */
	enum sct_proof proof;
	enum sct_status status; /* set by ctpolicy_judge */
	bool counts;
};

struct sct_check {
	struct sct_item item[SCT_LIST_MAX];
	size_t n;
	struct buf signed_bytes; /* of the SCT that was checked last; its front fits all */
	size_t front;            /* bytes before the extensions; 0 before the first check */
	uint8_t issuer[32];      /* SHA-256 of the SubjectPublicKeyInfo by which the proofs were made */
	bool checked;
};

/* Reads the leaf's SCTs and looks up their logs (logs may be NULL). RES_NOT_FOUND: the leaf has no such
 * extension. RES_MALFORMED, RES_LIMIT as sct_list_read. sct_check_free in every case. */
enum res sct_check_open(struct sct_check *, const struct cert *leaf, const struct ctlogs *logs);
/* Checks the signatures of all SCTs whose log is known, with the key of the CA that signed the leaf: the logs sign
 * the CA's key, not its name. A second call with the same key does nothing. RES_LIMIT: the budget ran out, the rest
 * stays unchecked. RES_MALFORMED: the bytes that the logs signed cannot be rebuilt from the leaf. RES_NOMEM. */
enum res sct_check_signatures(struct sct_check *, const struct cert *leaf,
			      const uint8_t issuer_spki_sha256[32], struct signature_budget *);
/* Every SCT becomes unchecked again. */
void sct_check_forget(struct sct_check *);
void sct_check_free(struct sct_check *);

/* Checks one SCT whose log is known, over `front` and its extensions; overwrites the timestamp in front. */
enum res sct_item_prove(struct sct_item *, struct buf *signed_bytes, size_t front);
/* Are the SCT's two algorithm bytes those of the log's key (RFC 6962, 2.1.4)? */
bool sct_algorithm_fits(const struct sct *, const struct ctlog *);

/* The time of an SCT; INT64_MAX if it is later than any valid date. */
int64_t sct_item_ms(const struct sct_item *);

#endif
