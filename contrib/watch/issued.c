#include "contrib/watch/issued.h"

#include "verify/ct/precert.h"

#include <stdlib.h>
#include <string.h>

/* Is this, as submitted, what the entry has in the tree? */
static bool
is_of_entry(const struct watch_finding *f, const struct cert *submitted, const struct cert *signing)
{
	struct buf tbs = buf_max(submitted->tbs.n + CERT_BYTES_MAX);
	uint8_t id[FINDING_ID_SIZE];
	bool same;

	same = precert_tbs(&tbs, submitted, signing) == RES_OK && finding_id(id, buf_span(&tbs)) == RES_OK &&
	       memcmp(id, f->id, sizeof id) == 0;
	buf_free(&tbs);
	return same;
}

/* What a log puts beside an entry is not signed: a part that cannot be read makes nothing else unreadable. */
static void
chain_take(struct issued *out, struct cert *scratch, const struct span *chain, size_t n)
{
	for (size_t i = 0; i < n && out->n < VFY_CERTS_MAX; i++)
		if (cert_read(scratch, chain[i]) == RES_OK)
			out->certs[out->n++] = chain[i];
}

enum res
issued_read(struct issued *out, const struct watch_finding *f, const struct watch_evidence *e)
{
	struct span submitted = f->precertificate ? e->certificate : buf_span(&f->der);
	struct cert *leaf = malloc(sizeof *leaf), *signer = malloc(sizeof *signer);
	size_t n_chain = e->n_chain < WATCH_CHAIN_MAX ? e->n_chain : WATCH_CHAIN_MAX, at;
	enum res res = leaf == NULL || signer == NULL ? RES_NOMEM : RES_OK, found;
	bool indirect;

	*out = (struct issued){.fault = "its log does not give it as it was submitted"};
	if (res == RES_OK && cert_read(leaf, submitted) == RES_OK) {
		found = precert_signer(signer, &at, leaf, e->chain, n_chain);
		indirect = found == RES_OK && f->precertificate && precert_signing(signer);
		if (found == RES_NOMEM)
			res = found;
		if (found != RES_OK)
			out->fault = "no certificate of its chain signed it";
		else if (!is_of_entry(f, leaf, indirect ? signer : NULL))
			out->fault = "what its issuer signed is not what the log holds";
		else
			out->fault = NULL;
		if (out->fault == NULL)
			memcpy(out->signer_spki_sha256, signer->spki_sha256, 32);
		out->certs[out->n++] = indirect ? e->chain[at] : submitted;
		chain_take(out, signer, e->chain, n_chain);
	}
	free(leaf);
	free(signer);
	return res;
}

/* ---- its path */

/* With one of these reasons there is no proven path. */
static const enum reason unproven[] = {REASON_CHAIN_EMPTY,      REASON_CHAIN_TOO_LONG, REASON_CERT_MALFORMED,
				       REASON_BAD_SIGNATURE,    REASON_NOT_A_CA,       REASON_PATH_TOO_LONG,
				       REASON_NAME_CONSTRAINTS, REASON_UNTRUSTED};
/* With one of these no client accepts it now. */
static const enum reason unusable[] = {REASON_EXPIRED, REASON_NOT_YET_VALID, REASON_WEAK_KEY,
				       REASON_WEAK_SIGNATURE};

/* The poison of a precertificate and the address that it is for do not matter here. */
static void
judge(struct verdict *v, const struct issued *issued, const struct vfy_policy *of,
      const struct cert_match *issuers, int64_t now_ms)
{
	const struct vfy_policy policy = {.ct_mode = CT_OFF,
					  .trust = of->trust,
					  .anchor_limits = of->anchor_limits,
					  .allow_issuer = issuers};
	const struct vfy_input in = {
	    .certs = issued->certs, .n_certs = issued->n, .ip = span_of("\0\0\0\0", 4), .now_ms = now_ms};

	*v = (struct verdict){0};
	vfy_check(v, &policy, &in);
}

static const char *
first_of(const struct verdict *v, const enum reason reasons[], size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (verdict_has(v, reasons[i]))
			return reason_sentence(reasons[i]);
	return v->out_of_memory ? reason_sentence(REASON_OUT_OF_MEMORY) : NULL;
}

bool
issued_path_allowed(const struct issued *issued, const struct vfy_policy *of, const struct cert_match *list,
		    int64_t now_ms)
{
	struct verdict v;
	bool met;

	if (issued->fault != NULL)
		return false;
	judge(&v, issued, of, list, now_ms);
	met = first_of(&v, unproven, sizeof unproven / sizeof unproven[0]) == NULL &&
	      !verdict_has(&v, REASON_ISSUER_NOT_ALLOWED);
	verdict_clear(&v);
	return met;
}

const char *
issued_path_fault(const struct issued *issued, const struct vfy_policy *of, int64_t now_ms)
{
	struct verdict v;
	const char *fault;

	if (issued->fault != NULL)
		return issued->fault;
	judge(&v, issued, of, NULL, now_ms);
	fault = first_of(&v, unproven, sizeof unproven / sizeof unproven[0]);
	if (fault == NULL)
		fault = first_of(&v, unusable, sizeof unusable / sizeof unusable[0]);
	verdict_clear(&v);
	return fault;
}
