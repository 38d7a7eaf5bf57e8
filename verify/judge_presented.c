/*
 * What is judged whether there is a path or not: the usage of the leaf. Without a path, the dates, keys and signatures of
 * all that was sent.
 */
#include "verify/judge.h"
#include "verify/x509/strength.h"
#include "verify/x509/usage.h"

static void
presented_judge(struct judgement *j, const struct cert *c)
{
	judge_cert_fault(j, REASON_WEAK_KEY, c, strength_key_fault(c->spki));
	/* A presented root proves nothing by its signature on itself. */
	if (c == &j->certs[0] || !path_self_issued(c))
		judge_cert_fault(j, REASON_WEAK_SIGNATURE, c, strength_signature_fault(c->sig_alg));
	judge_cert_fault(j, REASON_EXPIRED, c,
			 path_cert_expired(c, j->when.since_ms) ? "it has expired" : NULL);
	if (path_cert_not_yet_valid(c, j->when.until_ms))
		judge_cert_fault(j, path_reason_early(j->when), c, path_fault_early(j->when));
}

static void
server_judge(struct judgement *j)
{
	const struct cert *leaf = &j->certs[0];
	struct usage usage;

	if (usage_read(&usage, leaf) == RES_OK)
		judge_cert_fault(j, REASON_WRONG_USAGE, leaf, usage_server_fault(&usage));
	else
		judge_cert_fault(j, REASON_CERT_MALFORMED, leaf, "its usage extensions cannot be read");
	if (usage_unknown_critical(leaf) != NULL)
		judge_cert_fault(j, REASON_UNKNOWN_CRITICAL, leaf, "it has an unknown critical extension");
}

bool
judge_presented(struct judgement *j)
{
	const struct cert *shown[VFY_CERTS_MAX];

	server_judge(j);
	if (j->path != NULL)
		return true;
	for (size_t i = 0; i < j->n_certs; i++) {
		presented_judge(j, &j->certs[i]);
		shown[i] = &j->certs[i];
	}
	verdict_show_chain(j->v, shown, j->n_certs, false);
	return true;
}
