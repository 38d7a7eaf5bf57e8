#include "verify/ct/sctcheck.h"

#include "verify/ct/logsign.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <string.h>

#define TIMESTAMP_AT 2 /* after version and signature type */

bool
sct_algorithm_fits(const struct sct *sct, const struct ctlog *log)
{
	return log_algorithm_fits(log, sct->hash_algorithm, sct->signature_algorithm);
}

enum res
sct_check_open(struct sct_check *check, const struct cert *leaf, const struct ctlogs *logs)
{
	const struct cert_ext *ext = cert_ext_find(leaf, OID_SCT_LIST);
	struct sct_list list;
	enum res r;

	check->n = 0;
	check->front = 0;
	check->checked = false;
	check->signed_bytes =
	    buf_max(CERT_BYTES_MAX + 128 * 1024); /* the certificate and 64 KiB of extensions */
	if (ext == NULL)
		return RES_NOT_FOUND;
	r = sct_list_read(&list, ext->value);
	if (r != RES_OK)
		return r;
	for (size_t i = 0; i < list.n; i++) {
		struct sct_item *item = &check->item[i];

		memset(item, 0, sizeof *item);
		item->sct = list.sct[i];
		if (!item->sct.malformed && item->sct.version == 0 && logs != NULL)
			item->log = ctlogs_find_ever(logs, item->sct.log_id.p);
		item->algorithm_fits = item->log != NULL && sct_algorithm_fits(&item->sct, item->log);
	}
	check->n = list.n;
	return RES_OK;
}

/* All that is signed up to the extensions; the timestamp is filled in for each SCT (RFC 6962, 3.2). */
static enum res
signed_front(struct sct_check *check, const struct cert *leaf, const uint8_t issuer[32])
{
	struct buf *out = &check->signed_bytes;
	struct buf tbs = buf_max(CERT_BYTES_MAX);
	enum res r = der_tbs_without(&tbs, leaf->tbs, OID_SCT_LIST);

	buf_clear(out);
	buf_u8(out, 0);  /* v1 */
	buf_u8(out, 0);  /* certificate_timestamp */
	buf_u64(out, 0); /* timestamp */
	buf_u16(out, 1); /* precert_entry */
	buf_put(out, span_of(issuer, 32));
	buf_u24(out, (uint32_t)tbs.n);
	buf_put(out, buf_span(&tbs));
	buf_free(&tbs);
	if (r == RES_OK && !buf_ok(out))
		r = RES_NOMEM;
	check->front = r == RES_OK ? out->n : 0;
	return r == RES_NOT_FOUND ? RES_MALFORMED : r;
}

/* The cost of checking one SCT; a key that we do not compute with costs nothing. */
static unsigned
item_cost(const struct sct_item *item, const struct sct_check *check)
{
	struct spki key;

	return spki_read(&key, item->log->key) == NULL
		   ? signature_cost(&key, check->front + item->sct.extensions.n)
		   : 0;
}

enum res
sct_item_prove(struct sct_item *item, struct buf *bytes, size_t front)
{
	enum res r;

	bytes->n = front;
	be32_write(bytes->p + TIMESTAMP_AT, (uint32_t)(item->sct.timestamp_ms >> 32));
	be32_write(bytes->p + TIMESTAMP_AT + 4, (uint32_t)item->sct.timestamp_ms);
	buf_u16(bytes, (uint16_t)item->sct.extensions.n);
	buf_put(bytes, item->sct.extensions);
	if (!buf_ok(bytes))
		return RES_NOMEM;
	r = log_signature_verify(item->log, buf_span(bytes), item->sct.signature);
	if (r == RES_NOMEM)
		return r;
	item->proof = r == RES_OK ? SCT_PROVEN : SCT_DISPROVEN;
	return RES_OK;
}

/* Looks the signature up by these parts instead of the signed bytes, which are made of nothing else. */
static enum res
item_known(struct signature_fact *fact, struct sct_item *item, const struct cert *leaf,
	   const uint8_t issuer[32], struct signature_budget *budget)
{
	uint8_t timestamp[8];
	const struct span parts[] = {span_of(leaf->sha256, 32),  span_of(issuer, 32),
				     span_of(item->log->id, 32), span_of(timestamp, 8),
				     item->sct.extensions,       item->sct.signature};
	enum res r;

	be32_write(timestamp, (uint32_t)(item->sct.timestamp_ms >> 32));
	be32_write(timestamp + 4, (uint32_t)item->sct.timestamp_ms);
	r = signature_known(fact, budget, SIGCACHE_SCT, parts, sizeof parts / sizeof *parts);
	if (r == RES_OK)
		item->proof = SCT_PROVEN;
	return r;
}

static enum res
item_check(struct sct_check *check, struct sct_item *item, const struct cert *leaf, const uint8_t issuer[32],
	   struct signature_budget *budget)
{
	struct signature_fact fact;
	enum res r = item_known(&fact, item, leaf, issuer, budget);

	if (r != RES_NOT_FOUND)
		return r;
	r = check->front > 0 ? RES_OK : signed_front(check, leaf, issuer);
	if (r != RES_OK)
		return r;
	if (!signature_budget_take(budget, item_cost(item, check)))
		return RES_LIMIT;
	r = sct_item_prove(item, &check->signed_bytes, check->front);
	if (r == RES_OK && item->proof == SCT_PROVEN)
		signature_keep(&fact, budget);
	return r;
}

enum res
sct_check_signatures(struct sct_check *check, const struct cert *leaf, const uint8_t issuer[32],
		     struct signature_budget *budget)
{
	enum res r = RES_OK;

	if (check->checked && memcmp(check->issuer, issuer, 32) == 0)
		return RES_OK;
	sct_check_forget(check);
	check->front = 0;
	for (size_t i = 0; r == RES_OK && i < check->n; i++) {
		struct sct_item *item = &check->item[i];

		/* A log whose key is public proves nothing; neither does another algorithm than the log's. */
		if (item->log != NULL && item->algorithm_fits && !ctlog_is_denied(item->log->id))
			r = item_check(check, item, leaf, issuer, budget);
	}
	if (r == RES_OK) {
		check->checked = true;
		memcpy(check->issuer, issuer, 32);
	}
	return r;
}

void
sct_check_forget(struct sct_check *check)
{
	for (size_t i = 0; i < check->n; i++)
		check->item[i].proof = SCT_UNCHECKED;
	check->checked = false;
}

void
sct_check_free(struct sct_check *check)
{
	buf_free(&check->signed_bytes);
	check->n = 0;
}

int64_t
sct_item_ms(const struct sct_item *item)
{
	return item->sct.timestamp_ms > INT64_MAX ? INT64_MAX : (int64_t)item->sct.timestamp_ms;
}
