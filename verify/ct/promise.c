#include "verify/ct/promise.h"

#include "verify/ct/sctcheck.h"
#include "verify/x509/signature.h"

#include <stdlib.h>
#include <string.h>

#define CHECKS_MAX 1024  /* signatures of one audit: each SCT by each certificate */
#define COST_MAX   16384 /* a person runs the audit, and no connection waits for it */

/* The key of the certificate that signed the leaf goes to out. */
static enum res
issuer_find(uint8_t out[32], const struct cert *leaf, const struct span *chain, size_t n,
	    struct signature_budget *budget)
{
	struct cert *candidate = malloc(sizeof *candidate);
	enum res res = candidate == NULL ? RES_NOMEM : RES_UNSUPPORTED;

	for (size_t i = 1; res == RES_UNSUPPORTED && i < n && i < PROMISE_CHAIN_MAX; i++) {
		if (cert_read(candidate, chain[i]) != RES_OK || !span_equal(candidate->subject, leaf->issuer))
			continue;
		res = signature_by_key(leaf, candidate->spki, budget);
		if (res == RES_OK)
			memcpy(out, candidate->spki_sha256, 32);
		else if (res == RES_NOT_FOUND)
			res = RES_UNSUPPORTED;
	}
	free(candidate);
	return res;
}

/* The entry has the bytes that the SCT signs: version and type are zero in both (RFC 6962, 3.2 and 3.4). */
static enum res
leaf_hash_make(struct tree_hasher *hasher, struct promise *p, struct sct_item *item, struct sct_check *check)
{
	enum res res = sct_item_prove(item, &check->signed_bytes, check->front);

	if (res == RES_OK)
		tree_leaf_hash(hasher, &p->leaf, buf_span(&check->signed_bytes), (struct span){NULL, 0});
	return res;
}

static enum res
promise_read(struct tree_hasher *hasher, struct promise *p, struct sct_item *item, struct sct_check *check)
{
	enum res res;

	if (item->sct.log_id.n == sizeof p->log_id)
		memcpy(p->log_id, item->sct.log_id.p, sizeof p->log_id);
	p->timestamp_ms = item->sct.timestamp_ms;
	p->sct = item->sct.signature;
	p->log = item->log;
	if (p->log == NULL || item->sct.malformed || ctlog_is_denied(p->log->id)) {
		p->state = PROMISE_UNKNOWN_LOG;
		return RES_OK;
	}
	/* Without an SCT whose signature could be checked, the bytes that logs sign do not even exist. */
	if (!item->algorithm_fits || item->proof != SCT_PROVEN) {
		p->state = PROMISE_BAD_SIGNATURE;
		return RES_OK;
	}
	res = leaf_hash_make(hasher, p, item, check);
	if (p->log->tiled && sct_leaf_index(&p->leaf_index, item->sct.extensions) != RES_OK)
		p->state = PROMISE_NO_PLACE;
	return res;
}

static enum res
promises_of(struct promises *out, const struct cert *leaf, const uint8_t issuer[32],
	    const struct ctlogs *logs, struct signature_budget *budget)
{
	struct sct_check check = {.n = 0};
	struct tree_hasher *hasher = tree_hasher_new();
	enum res res = hasher == NULL ? RES_NOMEM : sct_check_open(&check, leaf, logs);

	if (res == RES_OK)
		res = sct_check_signatures(&check, leaf, issuer, budget);
	for (size_t i = 0; res == RES_OK && i < check.n; i++) {
		res = promise_read(hasher, &out->promise[i], &check.item[i], &check);
		out->n = i + 1;
	}
	sct_check_free(&check);
	tree_hasher_free(hasher);
	return res;
}

enum res
promises_read(struct promises *out, const struct span *chain, size_t n, const struct ctlogs *logs)
{
	struct signature_budget budget = {.max = CHECKS_MAX, .cost_max = COST_MAX};
	struct cert *leaf = malloc(sizeof *leaf);
	struct sct_check none = {.n = 0};
	uint8_t issuer[32];
	enum res res = leaf == NULL ? RES_NOMEM : n == 0 ? RES_MALFORMED : cert_read(leaf, chain[0]);

	memset(out, 0, sizeof *out);
	if (res == RES_OK)
		res = sct_check_open(&none, leaf, logs); /* without SCTs the issuer is not needed */
	sct_check_free(&none);
	if (res == RES_OK)
		res = issuer_find(issuer, leaf, chain, n, &budget);
	if (res == RES_OK)
		res = promises_of(out, leaf, issuer, logs, &budget);
	free(leaf);
	return res;
}

uint64_t
promise_due_ms(const struct promise *p)
{
	uint64_t delay_ms = ctlog_mmd_ms(p->log);

	return p->timestamp_ms > INT64_MAX - delay_ms ? INT64_MAX : p->timestamp_ms + delay_ms;
}

enum promise_missing
promise_missing(const struct promise *p, uint64_t head_ms, int64_t now_ms)
{
	uint64_t due_ms = promise_due_ms(p);

	if (now_ms < (int64_t)due_ms)
		return PROMISE_NOT_YET;
	return head_ms < due_ms ? PROMISE_UNSETTLED : PROMISE_BROKEN;
}
