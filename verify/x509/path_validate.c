#include "verify/x509/path_validate.h"
#include "verify/x509/altname.h"
#include "verify/x509/features.h"
#include "verify/x509/identity.h"
#include "verify/x509/oid.h"
#include "verify/x509/policies.h"
#include "verify/x509/strength.h"
#include "verify/x509/usage.h"

#include <string.h>

void
path_faults_add(struct path_faults *f, enum reason reason, size_t at, const char *what)
{
	if (what != NULL && f->n < PATH_FAULTS_MAX)
		f->fault[f->n++] = (struct path_fault){reason, at, what, false};
}

static enum path_grade
reason_grade(enum reason r)
{
	if (r == REASON_ANCHOR_DISTRUSTED || r == REASON_ISSUER_NOT_ALLOWED || r == REASON_PIN_MISMATCH)
		return PATH_UNWANTED;
	if (r == REASON_WEAK_KEY || r == REASON_WEAK_SIGNATURE || r == REASON_WRONG_USAGE)
		return PATH_WEAK;
	if (r == REASON_EXPIRED || r == REASON_NOT_YET_VALID || r == REASON_CLOCK_NOT_SET)
		return PATH_DATED;
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

void
path_rules_begin(struct path_rules *rules, struct when when)
{
	rules->when = when;
	rules->names = nameconstraints_budget();
	memset(rules->seen, 0, sizeof rules->seen);
	rules->n_own = 0;
}

bool
path_cert_expired(const struct cert *c, int64_t now_ms)
{
	return now_ms >= c->not_after_ms + 1000;
}

bool
path_cert_not_yet_valid(const struct cert *c, int64_t now_ms)
{
	return now_ms < c->not_before_ms;
}

enum reason
path_reason_early(struct when when)
{
	return when.unset ? REASON_CLOCK_NOT_SET : REASON_NOT_YET_VALID;
}

const char *
path_fault_early(struct when when)
{
	return when.unset ? "it is not valid yet by the clock, which is not set" : "it is not valid yet";
}

bool
path_self_issued(const struct cert *c)
{
	return span_equal(c->subject, c->issuer);
}

/* ---- one certificate */

/* RDNSequence (RFC 5280, 4.1.2.4): sets of an attribute or more, each a type and a value. */
static bool
name_is_formed(struct span name)
{
	struct der_reader rdns = der_only(name, DER_SEQUENCE);

	while (der_more(&rdns)) {
		struct der_reader rdn = der_enter(&rdns, DER_SET);

		if (!der_more(&rdn))
			return false;
		while (der_more(&rdn)) {
			struct der_reader attribute = der_enter(&rdn, DER_SEQUENCE);

			der_take(&attribute, DER_OID);
			der_any(&attribute);
			if (!der_done(&attribute))
				return false;
		}
		if (!der_done(&rdn))
			return false;
	}
	return der_done(&rdns);
}

/* Nothing here uses the accessDescriptions, but a certificate in which they cannot be read is malformed. */
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
own_add(struct path_own *own, enum reason reason, const char *what)
{
	if (what == NULL || own->n == PATH_OWN_FAULTS)
		return;
	own->fault[own->n].reason = reason;
	own->fault[own->n++].what = what;
}

static void
form_judge(struct path_own *own, const struct cert *c)
{
	if (!name_is_formed(c->subject) || !name_is_formed(c->issuer))
		own_add(own, REASON_CERT_MALFORMED, "its names cannot be read");
	if (!identity_readable(c))
		own_add(own, REASON_CERT_MALFORMED, "its alternative names cannot be read");
	if (!authority_info_readable(c))
		own_add(own, REASON_CERT_MALFORMED, "its authority information cannot be read");
	if (usage_unknown_critical(c) != NULL)
		own_add(own, REASON_UNKNOWN_CRITICAL, "it has an unknown critical extension");
}

/* An anchor is trusted by configuration, so its own signature does not matter, only its key. */
static void
strength_judge(struct path_own *own, const struct cert *c, bool is_anchor, struct when when)
{
	own_add(own, REASON_WEAK_KEY, strength_key_fault(c->spki));
	if (!is_anchor)
		own_add(own, REASON_WEAK_SIGNATURE, strength_signature_fault(c->sig_alg));
	if (path_cert_expired(c, when.since_ms))
		own_add(own, REASON_EXPIRED, "it has expired");
	if (path_cert_not_yet_valid(c, when.until_ms))
		own_add(own, path_reason_early(when), path_fault_early(when));
}

/* What a TLS server's own certificate may be for is judged whether there is a path or not (judge_presented.c). */
static void
leaf_judge(struct path_own *own, const struct cert *leaf, bool is_anchor, struct when when)
{
	struct usage usage;

	form_judge(own, leaf);
	if (usage_read(&usage, leaf) != RES_OK)
		own_add(own, REASON_CERT_MALFORMED, "its usage extensions cannot be read");
	strength_judge(own, leaf, is_anchor, when);
	if (cert_ext_find(leaf, OID_NAME_CONSTRAINTS) != NULL)
		own_add(own, REASON_NAME_CONSTRAINTS, "it constrains names, though it is not a CA");
}

static void
usage_judge(struct path_own *own, const struct cert *c, bool is_anchor)
{
	struct usage usage = {0};

	if (usage_read(&usage, c) != RES_OK)
		own_add(own, REASON_CERT_MALFORMED, "its usage extensions cannot be read");
	own_add(own, REASON_NOT_A_CA,
		is_anchor ? usage_anchor_fault(&usage, c->version) : usage_ca_fault(&usage, c->version));
	own_add(own, REASON_WRONG_USAGE, usage_purpose_fault(&usage));
	own->has_path_len = usage.ca && usage.has_path_len;
	own->path_len = usage.path_len;
}

static void
issuer_judge(struct path_own *own, const struct cert *c, bool is_anchor, struct when when)
{
	form_judge(own, c);
	usage_judge(own, c, is_anchor);
	strength_judge(own, c, is_anchor, when);
}

static const struct path_own *
own_of(struct path_rules *rules, const struct cert *c, enum path_place place)
{
	bool is_anchor = place == PATH_LEAF_ANCHOR || place == PATH_ANCHOR;
	struct path_own *own;

	for (size_t i = 0; i < PATH_RULES_OWN && i < rules->n_own; i++)
		if (rules->own[i].cert == c && rules->own[i].place == place)
			return &rules->own[i];
	own = &rules->own[rules->n_own++ % PATH_RULES_OWN];
	*own = (struct path_own){.cert = c, .place = place};
	if (place == PATH_LEAF || place == PATH_LEAF_ANCHOR)
		leaf_judge(own, c, is_anchor, rules->when);
	else
		issuer_judge(own, c, is_anchor, rules->when);
	return own;
}

/* ---- an issuer and what is below it */

/* RFC 5280, 6.1.4 (l) and (m): intermediates that are not self-issued count, the leaf does not. */
static bool
length_exceeded(const struct path_own *own, const struct cert *const *certs, size_t at)
{
	size_t below = 0;

	for (size_t i = 1; i < at; i++)
		below += !path_self_issued(certs[i]);
	return own->has_path_len && below > own->path_len;
}

static void
place_judge(struct path_faults *f, struct path_rules *rules, const struct cert *const *certs, size_t at,
	    enum path_place place)
{
	const struct path_own *own = own_of(rules, certs[at], place);

	for (size_t i = 0; i < own->n; i++)
		path_faults_add(f, own->fault[i].reason, at, own->fault[i].what);
	if (length_exceeded(own, certs, at))
		path_faults_add(f, REASON_PATH_TOO_LONG, at, "more CAs below it than its path length allows");
}

/* Remembers the result: many paths have the same two certificates in them. */
static const char *
names_fault(struct path_rules *rules, const struct cert *ca, const struct cert *below)
{
	size_t hash = ((uintptr_t)ca / sizeof *ca * 31 + (uintptr_t)below / sizeof *below) % PATH_RULES_NAMES;
	struct path_names *seen = &rules->seen[hash];

	if (seen->ca != ca || seen->below != below)
		*seen = (struct path_names){ca, below, nameconstraints_fault(ca, below, &rules->names)};
	return seen->fault;
}

/* RFC 5280, 6.1.3 (b) and (c): self-issued intermediates are left out, a self-issued leaf is not. */
static void
names_judge(struct path_faults *f, struct path_rules *rules, const struct cert *const *certs, size_t at)
{
	if (cert_ext_find(certs[at], OID_NAME_CONSTRAINTS) == NULL)
		return;
	for (size_t i = 0; i < at; i++)
		if (i == 0 || !path_self_issued(certs[i]))
			path_faults_add(f, REASON_NAME_CONSTRAINTS, at,
					names_fault(rules, certs[at], certs[i]));
}

/* ---- a path */

void
path_validate(struct path_faults *f, struct path_rules *rules, const struct cert *const *certs, size_t n)
{
	size_t at = 0;

	place_judge(f, rules, certs, 0, n == 1 ? PATH_LEAF_ANCHOR : PATH_LEAF);
	for (size_t i = 1; i < n; i++) {
		place_judge(f, rules, certs, i, i + 1 == n ? PATH_ANCHOR : PATH_CA);
		names_judge(f, rules, certs, i);
		path_faults_add(f, REASON_WRONG_USAGE, i - 1, features_fault(certs[i], certs[i - 1]));
	}
	if (n > 1) {
		const char *fault = policies_fault(&at, certs, n - 1);

		path_faults_add(f, REASON_UNTRUSTED, at, fault);
	}
}

bool
path_leaf_sound(struct path_rules *rules, const struct cert *leaf)
{
	return own_of(rules, leaf, PATH_LEAF)->n == 0;
}

bool
path_issuer_sound(struct path_rules *rules, const struct cert *const *certs, size_t at, bool is_anchor)
{
	const struct path_own *own = own_of(rules, certs[at], is_anchor ? PATH_ANCHOR : PATH_CA);

	return own->n == 0 && !length_exceeded(own, certs, at) &&
	       features_fault(certs[at], certs[at - 1]) == NULL;
}

bool
path_names_sound(struct path_rules *rules, const struct cert *const *certs, size_t at)
{
	struct path_faults f;

	f.n = 0;
	names_judge(&f, rules, certs, at);
	return f.n == 0;
}
