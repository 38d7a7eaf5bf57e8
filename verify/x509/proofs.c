#include "verify/x509/proofs.h"

#include <string.h>

static const struct proof *
proof_find(const struct proofs *p, size_t place, const struct cert *above)
{
	for (size_t i = 0; i < p->n[place]; i++)
		if (memcmp(p->of[place][i].spki_sha256, above->spki_sha256, 32) == 0)
			return &p->of[place][i];
	return NULL;
}

static void
proof_keep(struct proofs *p, size_t place, const struct cert *above, bool holds)
{
	if (p->n[place] < PROOFS_EACH_MAX)
		p->of[place][p->n[place]++] = (struct proof){above->spki_sha256, holds};
}

/* A presented certificate's fingerprint is over its own bytes, and its signature is among them. */
static enum res
proof_make(struct proofs *p, const struct cert *below, const struct cert *above)
{
	const struct span parts[] = {span_of(below->sha256, 32), span_of(above->spki_sha256, 32)};
	struct signature_fact fact;
	enum res r = signature_known(&fact, p->budget, SIGCACHE_CERT, parts, sizeof parts / sizeof *parts);

	if (r != RES_NOT_FOUND)
		return r;
	r = signature_by_key(below, above->spki, p->budget);
	if (r == RES_OK)
		signature_keep(&fact, p->budget);
	return r;
}

enum res
proofs_ask(struct proofs *p, const struct cert *below, const struct cert *above)
{
	size_t place = (size_t)(below - p->certs);
	const struct proof *known = proof_find(p, place, above);
	enum res r;

	if (known != NULL)
		return known->holds ? RES_OK : RES_NOT_FOUND;
	if (p->budget->used >= PROOFS_CHECKS_MAX || p->budget->cost >= PROOFS_COST_MAX)
		return RES_LIMIT;
	r = proof_make(p, below, above);
	if (r == RES_OK || r == RES_NOT_FOUND)
		proof_keep(p, place, above, r == RES_OK);
	return r;
}
