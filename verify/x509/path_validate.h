/*
 * path_validate.h - what RFC 5280 (6.1) requires of a path beside its signatures, and which certificate fails.
 *
 * Names that can be compared, dates, basicConstraints with path lengths, key usage, purposes, name constraints, critical
 * extensions, policies, TLS features, and the strength of keys and signatures. An anchor's certificate is judged like a CA's,
 * except for its policies and its own signature. Nothing here proves who signed what (path.h does), so a chain that is not a
 * path can be judged as well, to say what is wrong with it.
 */
#ifndef VERIFY_X509_PATH_VALIDATE_H
#define VERIFY_X509_PATH_VALIDATE_H

#include "verify/verdict.h"
#include "verify/when.h"
#include "verify/x509/nameconstraints.h"
#include "verify/x509/proofs.h"

#define PATH_LENGTH_MAX (PROOFS_CERTS_MAX + 1) /* everything presented, and the anchor */
/* Twelve of each certificate at most, and some of the path. The others are left out: with so many it is refused anyway. */
#define PATH_FAULTS_MAX 192

struct path_fault {
	enum reason reason;
	size_t at;        /* index of the certificate in the path */
	const char *what; /* a constant */
	bool reported;    /* its rule is in report mode: it does not make the path worse than it is */
};

struct path_faults {
	struct path_fault fault[PATH_FAULTS_MAX];
	size_t n;
};

/* Adds nothing when what is NULL. */
void path_faults_add(struct path_faults *, enum reason, size_t at, const char *what);

/* How bad a path is, by its worst fault; up to PATH_DATED its constraints hold. */
enum path_grade { PATH_GOOD, PATH_UNWANTED, PATH_WEAK, PATH_DATED, PATH_BROKEN };
enum path_grade path_grade(const struct path_faults *);

#define PATH_RULES_NAMES 256 /* answers about name constraints that are remembered */
/* Certificates whose own faults are remembered: all presented ones, and many anchors. */
#define PATH_RULES_OWN  64
#define PATH_OWN_FAULTS 16 /* of one certificate; ten can be at once */

/* The role of a certificate in a path; its own faults depend on it. */
enum path_place { PATH_LEAF, PATH_LEAF_ANCHOR, PATH_CA, PATH_ANCHOR };

/* The faults of a certificate itself in that role. A search may reach the same certificate thousands of times, and
 * long extensions take long to read, so they are read once per judgement. */
struct path_own {
	const struct cert *cert;
	enum path_place place;
	struct {
		enum reason reason;
		const char *what;
	} fault[PATH_OWN_FAULTS];
	size_t n;
	bool has_path_len; /* of a CA */
	uint32_t path_len;
};

/* The state that the rules share in one judgement. */
struct path_rules {
	struct when when;
	struct nameconstraints_budget names;
	struct path_names {
		const struct cert *ca, *below;
		const char *fault;
	} seen[PATH_RULES_NAMES];
	struct path_own own[PATH_RULES_OWN];
	size_t n_own; /* ever remembered; the oldest is forgotten */
};

void path_rules_begin(struct path_rules *, struct when);

/* Adds every fault of a chain of n certificates, leaf to anchor. One certificate is a leaf that is an anchor. */
void path_validate(struct path_faults *, struct path_rules *, const struct cert *const *certs, size_t n);

/* Has the leaf no fault of its own? */
bool path_leaf_sound(struct path_rules *, const struct cert *leaf);
/* Has certs[at] no fault of its own, not more CAs below it than it allows, and the certificate below it all TLS features
 * that it demands? Those below are certs[0] to certs[at - 1], leaf first. */
bool path_issuer_sound(struct path_rules *, const struct cert *const *certs, size_t at, bool is_anchor);
/* Do they meet its name constraints? This check is expensive, so use it for proven issuers only. */
bool path_names_sound(struct path_rules *, const struct cert *const *certs, size_t at);

/* RFC 5280, 4.1.2.5: valid through notAfter, that second included. */
bool path_cert_expired(const struct cert *, int64_t now_ms);
bool path_cert_not_yet_valid(const struct cert *, int64_t now_ms);
/* The reason and the words for a certificate that is not valid yet: if the clock is not set, the reason is the
 * clock. */
enum reason path_reason_early(struct when);
const char *path_fault_early(struct when);
bool path_self_issued(const struct cert *);

#endif
