#include "verify/judge.h"

#include <stdlib.h>

#include <gnutls/crypto.h>

/* Servers send their root as well. One that is an anchor was read with its anchor's tolerance (anchor_tidy.h), and its bytes
 * are known. Never the leaf, as GnuTLS reads that one by itself. */
static enum res
anchor_sent(struct cert *out, const struct judgement *j, struct span der)
{
	const struct cert *anchor;
	uint8_t sha256[32];

	if (gnutls_hash_fast(GNUTLS_DIG_SHA256, der.p, der.n, sha256) < 0)
		return RES_NOMEM;
	anchor = trust_named(j->policy->trust, sha256);
	if (anchor == NULL)
		return RES_MALFORMED;
	*out = *anchor;
	return RES_OK;
}

/* False: without a leaf nothing can be judged. */
static bool
cert_import(struct judgement *j, size_t i)
{
	struct cert *c = &j->certs[j->n_certs];
	struct span der = j->in->certs[i];
	bool fits = der.n <= VFY_BYTES_MAX - j->n_bytes;
	enum res r = fits ? cert_read(c, der) : RES_LIMIT;

	if (r == RES_MALFORMED && i > 0)
		r = anchor_sent(c, j, der);
	j->n_bytes += fits ? der.n : 0;
	switch (r) {
	case RES_OK:
		j->n_certs++;
		return true;
	case RES_LIMIT:
		verdict_add(j->v, REASON_CHAIN_TOO_LONG,
			    fits ? "certificate %zu has %zu bytes and too many extensions"
				 : "certificate %zu has %zu bytes and makes the chain too large",
			    i, der.n);
		break;
	case RES_NOMEM:
		j->v->out_of_memory = true;
		break;
	case RES_MALFORMED:
	case RES_UNSUPPORTED:
	case RES_NOT_FOUND:
	case RES_IO:
		verdict_add(j->v, REASON_CERT_MALFORMED, "certificate %zu cannot be read", i);
		break;
	}
	return i > 0;
}

bool
judge_import(struct judgement *j)
{
	size_t n = j->in->n_certs < VFY_CERTS_MAX ? j->in->n_certs : VFY_CERTS_MAX;

	if (j->in->larger_than > 0) {
		verdict_add(j->v, REASON_CHAIN_TOO_LONG,
			    "the certificates have more than %zu bytes; they are not read",
			    j->in->larger_than);
		return false;
	}
	if (n == 0) {
		verdict_add(j->v, REASON_CHAIN_EMPTY, "no certificate was presented");
		return false;
	}
	if (j->in->n_certs > VFY_CERTS_MAX)
		verdict_add_counts(j->v, REASON_CHAIN_TOO_LONG, (int64_t)j->in->n_certs, VFY_CERTS_MAX,
				   "%zu certificates were presented; %d are read", j->in->n_certs,
				   VFY_CERTS_MAX);
	j->certs = calloc(n, sizeof *j->certs);
	if (j->certs == NULL) {
		j->v->out_of_memory = true;
		return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!cert_import(j, i))
			return false;
	j->proofs.certs = j->certs;
	j->proofs.n_certs = j->n_certs;
	j->proofs.budget = &j->budget;
	j->scts_read = sct_check_open(&j->scts, &j->certs[0], j->policy->ctlogs);
	return true;
}
