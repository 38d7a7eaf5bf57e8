/*
 * The stage of the judgement: the staple and the lists, asked about a proven path.
 */
#include "verify/judge.h"

#include <stdlib.h>

/* The text is taken. */
static void
revocation_add(struct judgement *j, enum reason r, const struct cert *c, char *text)
{
	char who[JUDGE_LABEL_MAX];

	if (r == REASON_OUT_OF_MEMORY)
		j->v->out_of_memory = true;
	else if (r == REASON_CLOCK_NOT_SET && judge_reports(j, VFY_RULE_REVOCATION))
		verdict_note(j->v, r, "%s: %s", judge_label(who, c),
			     text == NULL ? reason_sentence(r) : text);
	else if (r != REASON_NONE)
		verdict_add(j->v, r, "%s: %s", judge_label(who, c), text == NULL ? reason_sentence(r) : text);
	free(text);
}

/* Who issued the certificate at this place of the path: the next one in it. Of a leaf that is an anchor itself, the CA whose
 * key was found to verify it; NULL when it was not found. */
static const struct cert *
issuer_at(const struct judgement *j, size_t i)
{
	return i + 1 < path_n(j->path) ? path_certs(j->path)[i + 1] : j->issuer;
}

static void
crls_judge(struct judgement *j)
{
	/* An anchor is revoked by taking it out of the anchors. */
	size_t n = path_n(j->path) > 1 ? path_n(j->path) - 1 : 1;

	for (size_t i = 0; i < n; i++) {
		const struct cert *c = path_certs(j->path)[i];
		char *text;
		enum reason r = crls_check(j->policy->crls, c, issuer_at(j, i), j->when, &j->budget, &text);

		revocation_add(j, r, c, text);
	}
}

static void
staple_judge(struct judgement *j)
{
	const struct cert *leaf = &j->certs[0], *issuer = issuer_at(j, 0);
	char *text;
	enum reason r;

	if (issuer != NULL) {
		r = staple_check(j->in->staple, leaf, issuer, j->when, &j->budget, &text);
		revocation_add(j, r, leaf, text);
	} else if (cert_must_staple(leaf)) {
		verdict_add(j->v, REASON_STAPLE_INVALID,
			    "the stapled OCSP response cannot be checked: the key of the certificate's "
			    "issuer was not found");
	}
}

/* The findings stay in the verdict, but no longer refuse. */
static void
revocation_relax(struct judgement *j)
{
	const enum reason reasons[] = {REASON_REVOKED, REASON_STAPLE_MISSING, REASON_STAPLE_INVALID,
				       REASON_CRL_INVALID};

	for (size_t i = 0; judge_reports(j, VFY_RULE_REVOCATION) && i < sizeof reasons / sizeof reasons[0];
	     i++)
		verdict_relax(j->v, reasons[i]);
}

bool
judge_revocation(struct judgement *j)
{
	if (j->in->staple.n == 0 && !j->in->staple_unread && cert_must_staple(&j->certs[0]))
		verdict_add(j->v, REASON_STAPLE_MISSING, "%s", reason_sentence(REASON_STAPLE_MISSING));
	if (j->path != NULL && j->in->staple.n > 0)
		staple_judge(j);
	if (j->path != NULL && j->policy->crls != NULL)
		crls_judge(j);
	revocation_relax(j);
	return true;
}
