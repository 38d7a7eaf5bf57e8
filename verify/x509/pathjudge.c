#include "verify/x509/pathjudge.h"
#include "verify/x509/altname.h"
#include "verify/x509/identity.h"
#include "verify/x509/nameconstraints.h"
#include "verify/x509/oid.h"
#include "verify/x509/strength.h"
#include "verify/x509/trust_judge.h"
#include "verify/x509/usage.h"

void
path_faults_add(struct path_faults *f, enum reason reason, size_t at, const char *what)
{
	if (what != NULL && f->n < PATH_FAULTS_MAX)
		f->fault[f->n++] = (struct path_fault){reason, at, what, false};
}

bool
path_faults_has(const struct path_faults *f, enum reason reason)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->fault[i].reason == reason)
			return true;
	return false;
}

static enum path_grade
reason_grade(enum reason r)
{
	if (r == REASON_ANCHOR_DISTRUSTED || r == REASON_ISSUER_NOT_ALLOWED || r == REASON_PIN_MISMATCH)
		return PATH_UNWANTED;
	if (r == REASON_WEAK_KEY || r == REASON_WEAK_SIGNATURE || r == REASON_WRONG_USAGE)
		return PATH_WEAK;
	if (r == REASON_EXPIRED || r == REASON_NOT_YET_VALID)
		return PATH_DATED;
	if (r == REASON_BAD_SIGNATURE || r == REASON_UNTRUSTED)
		return PATH_UNPROVEN;
	return PATH_BROKEN;
}

enum path_grade
path_grade(const struct path_faults *f)
{
	enum path_grade worst = PATH_GOOD;

	for (size_t i = 0; i < f->n; i++) {
		enum path_grade grade = reason_grade(f->fault[i].reason);

		if (!f->fault[i].reported && grade > worst)
			worst = grade;
	}
	return worst;
}

/* ---- our own reading */

/* RFC 5280, 6.1.4 (l): intermediates that are not self-issued count, the leaf does not. */
static void
path_length_judge(struct path_faults *f, const struct path *p, const struct usage *usage)
{
	size_t below = 0;

	for (size_t i = 1; i < p->n; i++) {
		if (usage[i].ca && usage[i].has_path_len && below > usage[i].path_len)
			path_faults_add(f, REASON_PATH_TOO_LONG, i,
					"more CAs below it than its path length allows");
		below += !path_self_issued(p->certs[i]);
	}
}

/* RFC 5280, 6.1.3 (b) and (c): self-issued intermediates are left out, a self-issued leaf is not. */
static void
path_names_judge(struct path_faults *f, const struct path *p, struct nameconstraints_budget *budget)
{
	if (cert_ext_find(p->certs[0], OID_NAME_CONSTRAINTS) != NULL)
		path_faults_add(f, REASON_NAME_CONSTRAINTS, 0, "it constrains names, though it is not a CA");
	for (size_t ca = 1; ca < p->n; ca++)
		for (size_t i = 0; i < ca; i++) {
			if (i > 0 && path_self_issued(p->certs[i]))
				continue;
			path_faults_add(f, REASON_NAME_CONSTRAINTS, ca,
					nameconstraints_fault(p->certs[ca], p->certs[i], budget));
		}
}

/* The accessDescriptions are read by nobody here; that they can be is part of the form of a certificate. */
static bool
authority_info_readable(const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_AUTHORITY_INFO);
	struct der_reader list;
	struct altname name;

	if (ext == NULL)
		return true;
	list = der_only(ext->value, DER_SEQUENCE);
	if (!der_more(&list))
		return false;
	while (der_more(&list)) {
		struct der_reader description = der_enter(&list, DER_SEQUENCE);

		der_take(&description, DER_OID);
		if (altname_read(&name, &description) != RES_OK || !der_done(&description))
			return false;
	}
	return der_done(&list);
}

static void
path_form_judge(struct path_faults *f, const struct path *p, struct usage *usage)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct cert *c = p->certs[i];
		bool anchor = i + 1 == p->n;

		usage[i] = (struct usage){0};
		if (usage_read(&usage[i], c) != RES_OK)
			path_faults_add(f, REASON_CERT_MALFORMED, i, "its usage extensions can not be read");
		if (!identity_readable(c))
			path_faults_add(f, REASON_CERT_MALFORMED, i, "its alternative names can not be read");
		if (!authority_info_readable(c))
			path_faults_add(f, REASON_CERT_MALFORMED, i,
					"its authority information can not be read");
		if (usage_unknown_critical(c) != NULL)
			path_faults_add(f, REASON_UNKNOWN_CRITICAL, i,
					"it has a critical extension that is not known");
		if (i == 0)
			continue;
		path_faults_add(f, REASON_NOT_A_CA, i,
				anchor ? usage_anchor_fault(&usage[i], c->version)
				       : usage_ca_fault(&usage[i], c->version));
		path_faults_add(f, REASON_WRONG_USAGE, i, usage_purpose_fault(&usage[i]));
	}
}

/* An anchor is trusted by configuration, so its own signature says nothing; its key says all. */
static void
path_strength_judge(struct path_faults *f, const struct path *p, int64_t now_ms)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct cert *c = p->certs[i];

		path_faults_add(f, REASON_WEAK_KEY, i, strength_key_fault(c->spki));
		if (i + 1 < p->n)
			path_faults_add(f, REASON_WEAK_SIGNATURE, i, strength_signature_fault(c->sig_alg));
		if (path_cert_expired(c, now_ms))
			path_faults_add(f, REASON_EXPIRED, i, "it has expired");
		if (path_cert_not_yet_valid(c, now_ms))
			path_faults_add(f, REASON_NOT_YET_VALID, i, "it is not valid yet");
	}
}

/* ---- GnuTLS */

static const char too_many_checks[] = "finding a path takes more signature checks than are made";

/* Each signature of the path by itself. */
static void
path_steps_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	for (size_t i = 0; i + 1 < p->n; i++) {
		enum res r = judge_signed_by(j, p->place[i], p->certs[i + 1]->spki);

		if (r == RES_NOMEM)
			f->starved = true;
		else if (r == RES_LIMIT)
			path_faults_add(f, REASON_UNTRUSTED, i, too_many_checks);
		else if (r != RES_OK)
			path_faults_add(f, REASON_BAD_SIGNATURE, i, "its issuer's key did not sign it");
	}
}

static bool
has_dns_name(const struct cert *c)
{
	struct der_reader list = altname_list(c);
	struct altname name;

	while (altname_next(&name, &list))
		if (name.kind == ALTNAME_DNS)
			return true;
	return false;
}

/*
 * Lengths and names that GnuTLS 3.7 is known to read otherwise than RFC 5280: it counts self-issued CAs
 * (6.1.4 (l)), takes the common name for a DNS name where there is none, and does not compare directory names
 * and URIs by their parts (4.2.1.10). In such a path our own reading is the one that counts; it came first and
 * finds every fault.
 */
static bool
constraints_are_ours(const struct path *p, const struct nameconstraints_budget *names)
{
	bool constrained = false;

	for (size_t i = 1; i < p->n; i++) {
		if (i + 1 < p->n && path_self_issued(p->certs[i]))
			return true;
		constrained |= cert_ext_find(p->certs[i], OID_NAME_CONSTRAINTS) != NULL;
	}
	return constrained && (names->apart || !has_dns_name(p->certs[0]));
}

static void
path_status_judge(struct path_faults *f, struct judgement *j, const struct path *p,
		  const struct nameconstraints_budget *names, unsigned status)
{
	const struct {
		unsigned bit;
		enum reason reason;
		const char *what;
	} rows[] = {
	    {GNUTLS_CERT_SIGNATURE_FAILURE, REASON_BAD_SIGNATURE, "a signature in the path does not hold"},
	    {GNUTLS_CERT_SIGNER_NOT_CA, REASON_NOT_A_CA, "an issuer in the path may not issue certificates"},
	    {GNUTLS_CERT_UNKNOWN_CRIT_EXTENSIONS, REASON_UNKNOWN_CRITICAL,
	     "a critical extension is not known"},
	    {GNUTLS_CERT_INSECURE_ALGORITHM, REASON_WEAK_SIGNATURE, "an algorithm in the path is insecure"},
	    {GNUTLS_CERT_PURPOSE_MISMATCH, REASON_WRONG_USAGE, "the path is not for TLS servers"},
	};
	bool constrained = (status & GNUTLS_CERT_SIGNER_CONSTRAINTS_FAILURE) != 0;
	bool unsigned_step = (status & GNUTLS_CERT_SIGNER_NOT_FOUND) != 0;
	bool ours = constrained && path_grade(f) < PATH_BROKEN && constraints_are_ours(p, names);
	size_t before = f->n;

	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if ((status & rows[i].bit) != 0 && !path_faults_has(f, rows[i].reason))
			path_faults_add(f, rows[i].reason, 0, rows[i].what);
	/* This bit also goes with an issuer that is no CA; it is a reason of its own only where nothing else
	 * explains it. */
	if (constrained && !ours && path_grade(f) < PATH_BROKEN)
		path_faults_add(f, REASON_NAME_CONSTRAINTS, 0, "a constraint of an issuer is not met");
	/* A signature that does not hold, or key identifiers that do not fit. And GnuTLS ends where it finds
	 * the first fault: when that is none, the signatures above it have not been looked at. */
	if (unsigned_step || ours)
		path_steps_judge(f, j, p);
	if (unsigned_step && !path_faults_has(f, REASON_BAD_SIGNATURE))
		path_faults_add(f, REASON_UNTRUSTED, p->n - 1,
				"its key identifier is not that of the certificates below");
	if (f->n == before && before == 0 && !ours)
		path_faults_add(f, REASON_UNTRUSTED, 0, "GnuTLS does not accept the path");
}

static void
path_gnutls_judge(struct path_faults *f, struct judgement *j, const struct path *p,
		  const struct nameconstraints_budget *names)
{
	/* Times are judged above; the candidate is in order and complete, so GnuTLS shall not build another
	 * one. */
	const unsigned flags = GNUTLS_VERIFY_DISABLE_TIME_CHECKS | GNUTLS_VERIFY_DISABLE_TRUSTED_TIME_CHECKS |
			       GNUTLS_VERIFY_DISABLE_CRL_CHECKS | GNUTLS_VERIFY_DO_NOT_ALLOW_UNSORTED_CHAIN;
	gnutls_x509_crt_t list[PATH_LENGTH_MAX];
	unsigned status = 0;
	int rc;

	if (p->n == 1)
		return; /* the anchor itself: nothing is signed by anything */
	for (size_t i = 0; i + 1 < p->n; i++) {
		list[i] = judge_crt(j, p->place[i]);
		if (list[i] == NULL) {
			path_faults_add(f, REASON_CERT_MALFORMED, i, "GnuTLS can not read it");
			return;
		}
	}
	if (!signature_budget_take(&j->budget, p->n - 1)) {
		path_faults_add(f, REASON_UNTRUSTED, 0, too_many_checks);
		return;
	}
	rc = gnutls_x509_trust_list_verify_crt2(trust_list_of(j->policy->trust, p->anchor), list,
						(unsigned)(p->n - 1), NULL, 0, flags, &status, NULL);
	if (rc == GNUTLS_E_MEMORY_ERROR)
		f->starved = true;
	else if (rc < 0)
		path_faults_add(f, REASON_UNTRUSTED, 0, "GnuTLS can not judge the path");
	else if (status != 0)
		path_status_judge(f, j, p, names, status);
}

void
path_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	struct nameconstraints_budget names = nameconstraints_budget();
	struct usage usage[PATH_LENGTH_MAX];

	f->n = 0;
	f->starved = false;
	j->work->paths++;
	path_form_judge(f, p, usage);
	path_length_judge(f, p, usage);
	path_names_judge(f, p, &names);
	path_strength_judge(f, p, j->in->now_ms);
	if (names.unfit)
		path_steps_judge(f, j, p);
	else
		path_gnutls_judge(f, j, p, &names);
}
