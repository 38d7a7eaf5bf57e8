/*
 * What the lists say about one certificate (RFC 5280, 6.3.3).
 *
 * A list belongs to the key that signed it: a CA that renewed its key under its old name has one list for each key. So of
 * the lists in the issuer's name only those count that verify with the issuer's key in the proven path (6.3.3 (f)); the
 * others are ignored. If lists in the issuer's name are configured, current ones signed with its key must cover the
 * certificate, together for all reasons. A certificate that is on any list signed with that key is revoked.
 */
#include "verify/revocation/crls.h"

#include "verify/why.h"
#include "verify/x509/der.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"
#include "verify/x509/usage.h"

struct inquiry {
	const struct cert *cert;
	const struct cert *issuer;
	struct when when;
	struct signature_budget *budget;
	bool any;     /* in the issuer's name */
	bool current; /* usable, and not out of date */
	bool early;   /* a list with a part of what is covered is not valid yet, but the clock is not set */
	bool fitting; /* a current one in the issuer's name is for the certificate, whichever key signed it */
	bool revoked;
	bool starved; /* signature checks or memory used up */
	bool nomem;
	unsigned covered; /* reasons */
};

/* RFC 5280, 6.3.3 (f): an issuer whose keyUsage does not allow it signs no CRL. */
static bool
may_sign_crl(const struct cert *issuer)
{
	struct usage usage;

	return usage_read(&usage, issuer) == RES_OK &&
	       (!usage.has_key_usage || (usage.key_usage & USAGE_CRL_SIGN) != 0);
}

/* The signature is checked last, and only if the list would change the result: of a hundred partitions of a CRL one or
 * two are checked. */
static void
crl_ask(struct inquiry *q, const struct cert *signer, const struct crl *crl)
{
	bool current = crl_is_current(crl, when_any_later(q->when)), names = crl_names(crl, q->cert->serial);
	unsigned more = current ? crl_scope_reasons(&crl->scope, q->cert) & ~q->covered : 0;

	q->current |= current;
	q->fitting |= more != 0;
	if (!names && more == 0)
		return;
	switch (signature_check(&crl->signature, signer->spki, q->budget)) {
	case RES_OK:
		q->revoked |= names;
		q->covered |= more;
		q->early |= more != 0 && !crl_is_current(crl, q->when);
		break;
	case RES_NOMEM:
		q->nomem = true;
		break;
	case RES_LIMIT:
		q->starved = true;
		break;
	case RES_NOT_FOUND:
	case RES_MALFORMED:
	case RES_UNSUPPORTED:
	case RES_IO:
		break;
	}
}

static enum reason
inquiry_end(const struct inquiry *q, bool may_sign, char **text)
{
	/* A list that could not be checked may be the one that has the certificate. */
	bool spoken_for = q->covered == CRL_REASONS_ALL && !q->starved;
	const char *what = NULL;

	if (q->revoked) {
		(void)why_say(text, RES_OK, "a CRL of its issuer lists the certificate");
		return REASON_REVOKED;
	}
	if (q->nomem)
		return REASON_OUT_OF_MEMORY;
	if (spoken_for && q->early) {
		(void)why_say(text, RES_OK, "the CRL of its issuer begins after the clock, which is not set");
		return REASON_CLOCK_NOT_SET;
	}
	if (!q->any || spoken_for)
		return REASON_NONE;
	if (q->issuer == NULL)
		what = "there is a CRL of its issuer, but the key of that issuer was not found";
	else if (!may_sign)
		what = "there is a CRL of its issuer, which may not sign CRLs";
	else if (q->starved)
		what = "checking the CRLs of its issuer would take more signature checks than the limit";
	else if (!q->current)
		what = "no CRL of its issuer is current and usable";
	else if (q->covered == 0 && q->fitting)
		what = "no current CRL in its issuer's name is signed with its issuer's key";
	else
		what = "the CRLs of its issuer are for other certificates, or for some reasons only";
	(void)why_say(text, RES_OK, "%s", what);
	return REASON_CRL_INVALID;
}

/* RFC 5280, 5.2.1: the list says that another key signed it. A hint that orders the tries; the signature decides. */
static bool
crl_is_unlikely(const struct crl *crl, struct span key_id)
{
	return crl->authority_key.n > 0 && key_id.n > 0 && !span_equal(crl->authority_key, key_id);
}

enum reason
crls_check(const struct crls *all, const struct cert *cert, const struct cert *issuer, struct when when,
	   struct signature_budget *budget, char **text)
{
	struct inquiry q = {.cert = cert, .issuer = issuer, .when = when, .budget = budget};
	const struct cert *signer = issuer != NULL && may_sign_crl(issuer) ? issuer : NULL;
	struct span key_id = issuer == NULL ? (struct span){NULL, 0} : cert_subject_key_id(issuer);
	struct buf name = buf_max(CRL_ISSUER_KEY_MAX);
	enum res res = name_key_from_der(&name, cert->issuer);
	enum reason reason;

	*text = NULL;
	for (size_t i = 0; res == RES_OK && i < 2 * all->n; i++) {
		const struct crl *crl = all->crl[i % all->n];

		if (crl_is_unlikely(crl, key_id) != (i >= all->n) ||
		    !span_equal(buf_span(&crl->issuer), buf_span(&name)))
			continue;
		q.any = true;
		if (crl->usable && signer != NULL)
			crl_ask(&q, signer, crl);
	}
	buf_free(&name);
	if (res == RES_NOMEM)
		return REASON_OUT_OF_MEMORY;
	reason = inquiry_end(&q, signer != NULL, text); /* no list has an unreadable name */
	if (reason != REASON_NONE || !all->lacking)
		return reason;
	(void)why_say(text, RES_OK, "a configured CRL file cannot be read");
	return REASON_CRL_INVALID;
}
