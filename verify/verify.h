/*
 * verify.h - the judge.
 *
 * Bytes, policy and time in; a verdict out. Pure: no socket, no file, no clock, no log, no global that changes.
 * Safe to call from several threads with the same policy. `ctstub verify`, the daemon's handshakes, the fuzzers
 * and the lab enter here and nowhere else: what the tool says offline is what the daemon does online.
 *
 * The trip of a certificate, each stage whatever the one before it found (judge.h):
 *
 *   import       bytes to certificates, bounded (cert.h, der.h)
 *   path         who may have issued what (issuers.h, trust.h), who did (proofs.h: each signature is checked here, once),
 *                the paths that are proven by that (path.h), what RFC 5280 asks of them (path_validate.h,
 *                nameconstraints.h, policies.h), what the anchor may still vouch for (anchor_limits.h), pins and allowed
 *                issuers; without a path, what would have been one (lead.h)
 *   presented    dates, usage and strength of the leaf (usage.h, strength.h); without a path, of all that was sent
 *   identity     the address and the name, in subject alternative names alone (identity.h)
 *   disallow     is any of it named by an entry (disallow.h, name.h)
 *   ct           SCTs read (sct.h), proven against the list of logs (sctcheck.h, ctlogs.h), counted (ctpolicy.h)
 *   revocation   the given staple and the given CRLs (revocation.h)
 *   modes        which rules only report, and until when (modes.c)
 *   verdict      every finding with its reason (verdict.h, reasons.def); accepted when all ran and none objected
 *
 * In the daemon tls.c of transport/ gathers the input inside the handshake, and before any question was written.
 */
#ifndef VERIFY_VERIFY_H
#define VERIFY_VERIFY_H

#include "verify/anchor_limits.h"
#include "verify/ct/ctlogs.h"
#include "verify/disallow.h"
#include "verify/x509/identity.h"
#include "verify/revocation/revocation.h"
#include "verify/x509/trust.h"
#include "verify/verdict.h"

#define VFY_CERTS_MAX 16 /* certificates presented; public chains have 2 to 5 */
/* Bytes of all that is presented; a certificate beyond is not read. Reading names, comparing and showing them costs as they are long. A
 * handshake of ours reads half as many, and public chains have below 10 KiB. */
#define VFY_BYTES_MAX (64 * 1024)
#define VFY_PATHS_MAX                                                                                        \
	64 /* proven paths that one search looks at; cross-signed public chains have two or three */
#define VFY_SIG_CHECKS_MAX 64 /* signature checks in one judgement, SCTs included */
/*
 * What they may cost together, in tenths of a check with RSA-4096 (spki.h). A public chain with three SCTs costs 100 to
 * 200, one of P-521 throughout 340. The rest of a verdict fits into what is left below 64 checks with RSA-4096.
 */
#define VFY_SIG_COST_MAX 512
#define VFY_DISALLOW_MAX 4 /* lists of one policy */
#define VFY_ALSO_IPS_MAX 16

enum ct_mode { CT_REQUIRE, CT_REPORT, CT_OFF };
enum ct_policy { CT_STRICT, CT_CHROME, CT_MOZILLA, CT_APPLE };
/* What may be tried out before it refuses. Identity, chain, signatures, dates, usage and strength are none of these. */
enum vfy_rule {
	VFY_RULE_PIN,          /* pin-mismatch */
	VFY_RULE_ALLOW_ISSUER, /* issuer-not-allowed */
	VFY_RULE_DISALLOW,     /* disallowed */
	VFY_RULE_LIMITS,       /* anchor-distrusted */
	VFY_RULE_REVOCATION,   /* revoked, staple-missing, staple-invalid, crl-invalid */
	VFY_RULE_COUNT
};
/* VFY_REPORT: what the rule finds stays in the verdict and does not refuse. */
enum vfy_mode { VFY_REQUIRE, VFY_REPORT };
enum ct_when_stale { CT_STALE_ENFORCE, CT_STALE_REFUSE, CT_STALE_REPORT };

/* What an upstream is judged by. Everything in it is lent, immutable, and outlives the call. */
struct vfy_policy {
	enum ct_mode ct_mode;
	enum ct_policy ct_policy;
	enum ct_when_stale ct_when_stale;
	int64_t ct_list_max_age_ms;
	const struct ctlogs *ctlogs;               /* NULL: ct-list-missing */
	const struct trust *trust;                 /* NULL: everything is untrusted */
	const struct anchor_limits *anchor_limits; /* NULL: every anchor is free */
	const struct disallow *disallow[VFY_DISALLOW_MAX];
	size_t n_disallow;
	size_t n_disallow_always; /* so many of them, the first, refuse in every mode: what is compiled in */
	const struct disallow *allow_issuer; /* NULL: any issuer */
	const struct disallow *pins;         /* NULL: no pins. spki-sha256 entries only */
	const struct crls *crls;             /* NULL: none */
	enum vfy_mode mode[VFY_RULE_COUNT];
	int64_t
	    report_until_ms; /* from then on every rule in report refuses, CT's as well; 0: no such time */
	identity_is_suffix *is_public_suffix; /* no wildcard matches below one; NULL: the plain kinds only */
};

struct vfy_input {
	const struct span *certs; /* DER, as presented, leaf first */
	size_t n_certs;           /* may exceed VFY_CERTS_MAX: chain-too-long */
	size_t larger_than;       /* the message that presents them has more bytes than this and was not read:
				   * chain-too-long, and certs is empty; 0: it was read */
	struct span staple;       /* the stapled OCSP response; n is 0 without one */
	struct span ip; /* the address that was dialled, 4 or 16 bytes; n is 0: none expected (tools only) */
	const struct span *also_ips; /* the certificate may bear one of these instead (also-address) */
	size_t n_also_ips;
	const char *name; /* the DNS name it must bear as well; NULL or "": none */
	int64_t now_ms;   /* wall clock of the judgement */
};

/* Fills *v, which must be zeroed or cleared before. Always gives an outcome. Neither an ip nor a name: refused
 * with ip-mismatch (nothing expected is never "accept"). */
void vfy_check(struct verdict *v, const struct vfy_policy *, const struct vfy_input *);

const char *ct_mode_text(enum ct_mode);
const char *ct_policy_text(enum ct_policy);
const char *ct_when_stale_text(enum ct_when_stale);
const char *vfy_mode_text(enum vfy_mode);

#endif
