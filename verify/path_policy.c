#include "verify/path_policy.h"

#include "base/text.h"
#include "verify/ct/ctpolicy.h"
#include "verify/x509/trust.h"

#include <string.h>

/* The issuer whose key the SCTs are checked with, when this is the path; NULL: not found, or no memory. */
static const struct cert *
leaf_issuer(struct judgement *j, const struct path *p)
{
	const struct cert *issuer = path_issuer(p);

	if (issuer == NULL && !judge_issuer_find(j))
		j->v->out_of_memory = true;
	return issuer == NULL ? j->issuer : issuer;
}

/* The faults from `from` on belong to this rule. */
static void
faults_report(struct path_faults *f, const struct judgement *j, size_t from, enum vfy_rule rule)
{
	for (size_t i = from; i < f->n; i++)
		f->fault[i].reported = judge_reports(j, rule);
}

/*
 * Does Certificate Transparency refuse by itself a certificate without a valid SCT? Where it does not, because its rule
 * only reports, is off, or rests while the list of logs is old, a limit by SCT dates still needs an SCT from before that
 * date. In the update window it rests as well: SCTs that no key verifies count.
 */
static bool
ct_refuses(const struct judgement *j)
{
	bool rests = judge_ct_list_is_stale(j) &&
		     (j->policy->ct_when_stale == CT_STALE_REPORT || j->policy->old_list_serves);

	return judge_ct_mode(j) == CT_REQUIRE && !rests;
}

/* When the certificate was logged, where a valid SCT says so. */
static void
issued_find(struct anchor_case *c, struct judgement *j, const struct path *p)
{
	const struct cert *issuer = leaf_issuer(j, p);

	if (issuer == NULL)
		sct_check_forget(&j->scts);
	else if (sct_check_signatures(&j->scts, c->leaf, issuer->spki_sha256, &j->budget) == RES_NOMEM)
		j->v->out_of_memory = true;
	c->issued = ctpolicy_issued_at(&c->issued_ms, &j->scts, when_any_later(j->when));
}

static void
limit_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	const char *fault[ANCHOR_LIMIT_FAULTS_MAX];
	struct anchor_case c = {.leaf = path_leaf(p), .now_ms = j->when.since_ms};
	size_t at = path_n(p) - 1, n;
	struct anchor_limit limit;

	if (!anchor_limits_find(&limit, j->policy->anchor_limits, path_anchor(p)))
		return;
	if (limit.has_sct_not_after)
		issued_find(&c, j, p);
	n = anchor_limit_faults(fault, &limit, &c);
	for (size_t i = 0; i < n; i++)
		path_faults_add(f, REASON_ANCHOR_DISTRUSTED, at, fault[i]);
	if (limit.has_sct_not_after && !c.issued && !ct_refuses(j))
		path_faults_add(f, REASON_ANCHOR_DISTRUSTED, at,
				"it is trusted for certificates logged earlier only, and no valid SCT shows "
				"when this one was");
}

/* A name counts for the anchor only: any CA can issue a sub-CA with any name. */
static bool
issuer_allowed(const struct cert_match *allowed, const struct path *p)
{
	const struct cert *const *certs = path_certs(p);
	struct cert_match_hit hit;

	for (size_t i = path_n(p) > 1 ? 1 : 0; i < path_n(p); i++) {
		if (cert_match_key(allowed, certs[i], &hit))
			return true;
		if (cert_match_cert(allowed, certs[i], &hit) && hit.kind == CERT_MATCH_CERT)
			return true;
	}
	return cert_match_subject(allowed, path_anchor(p), &hit);
}

bool
path_policy_pinned(const struct cert_match *pins, const struct path *p, size_t from)
{
	struct cert_match_hit hit;

	for (size_t i = from; i < path_n(p); i++)
		if (cert_match_key(pins, path_certs(p)[i], &hit))
			return true;
	return false;
}

void
path_policy_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	size_t at = path_n(p) - 1, from = f->n;

	limit_judge(f, j, p);
	faults_report(f, j, from, VFY_RULE_LIMITS);
	if (j->policy->known_keys != NULL && !path_policy_pinned(j->policy->known_keys, p, 0))
		path_faults_add(f, REASON_PIN_MISMATCH, at,
				"no key of the path to it was shown by this upstream before");
	from = f->n;
	if (j->policy->allow_issuer != NULL && !issuer_allowed(j->policy->allow_issuer, p))
		path_faults_add(f, REASON_ISSUER_NOT_ALLOWED, at,
				"no CA of the path to it is allowed for this upstream");
	faults_report(f, j, from, VFY_RULE_ALLOW_ISSUER);
	from = f->n;
	if (j->policy->pins != NULL && !path_policy_pinned(j->policy->pins, p, 0))
		path_faults_add(f, REASON_PIN_MISMATCH, at, "no key of the path to it is pinned");
	faults_report(f, j, from, VFY_RULE_PIN);
}
