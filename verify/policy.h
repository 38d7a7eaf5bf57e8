/*
 * policy.h - the input of a judgement: the policy of an upstream, what its server presented, and the time.
 *
 * Plain data, filled by the caller. Everything in it is lent and outlives the judgement.
 */
#ifndef VERIFY_POLICY_H
#define VERIFY_POLICY_H

#include "verify/anchor_limits.h"
#include "verify/ct/ctlogs.h"
#include "verify/disallow.h"
#include "verify/revocation/revocation.h"
#include "verify/x509/identity.h"
#include "verify/x509/sigcache.h"
#include "verify/x509/trust.h"

#define VFY_CERTS_MAX 16 /* certificates presented; public chains have 2 to 5 */
/* Bytes of all presented certificates; a certificate beyond them is not read. The cost of reading, comparing and showing
 * names grows with their length. A handshake of ours reads half as many, and public chains have less than 10 KiB. */
#define VFY_BYTES_MAX      (64 * 1024)
#define VFY_SIG_CHECKS_MAX 64 /* signature checks in one judgement, SCTs included */
/*
 * The cost of all signature checks together, in tenths of a check with RSA-4096 (spki.h). A public chain with three
 * SCTs costs 100 to 200, a chain with P-521 keys only 340. With the rest of a verdict the cost stays below 64 checks
 * with RSA-4096.
 */
#define VFY_SIG_COST_MAX 512
#define VFY_DISALLOW_MAX 4 /* lists of one policy */
#define VFY_ALSO_IPS_MAX 16

enum ct_mode { CT_REQUIRE, CT_REPORT, CT_OFF };
enum ct_policy { CT_STRICT, CT_CHROME, CT_MOZILLA, CT_APPLE };
/* The rules that have a report mode. Identity, chain, signatures, dates, usage and strength always refuse. */
enum vfy_rule {
	VFY_RULE_PIN,          /* pin-mismatch */
	VFY_RULE_ALLOW_ISSUER, /* issuer-not-allowed */
	VFY_RULE_DISALLOW,     /* disallowed */
	VFY_RULE_LIMITS,       /* anchor-distrusted */
	VFY_RULE_REVOCATION,   /* revoked, staple-missing, staple-invalid, crl-invalid */
	VFY_RULE_COUNT
};
/* VFY_REPORT: the findings of the rule stay in the verdict and do not refuse. */
enum vfy_mode { VFY_REQUIRE, VFY_REPORT };
enum ct_when_stale { CT_STALE_ENFORCE, CT_STALE_REFUSE, CT_STALE_REPORT };

/* The rules for one upstream. Everything in it is lent, immutable, and outlives the call. */
struct vfy_policy {
	enum ct_mode ct_mode;
	enum ct_policy ct_policy;
	enum ct_when_stale ct_when_stale;
	int64_t ct_list_max_age_ms;
	const struct ctlogs *ctlogs;               /* NULL: ct-list-missing */
	const struct trust *trust;                 /* NULL: everything is untrusted */
	const struct anchor_limits *anchor_limits; /* NULL: no anchor is limited */
	const struct cert_match *disallow[VFY_DISALLOW_MAX];
	size_t n_disallow;
	size_t n_disallow_always; /* the first n of these refuse in every mode: the compiled-in lists */
	const struct cert_match *allow_issuer; /* NULL: any issuer */
	const struct cert_match *pins;         /* NULL: no pins. spki-sha256 entries only */
	const struct cert_match *known_keys; /* like pins, but no mode relaxes them; for the update window */
	const struct crls *crls;             /* NULL: none */
	enum vfy_mode mode[VFY_RULE_COUNT];
	/* A time that has certainly passed: of the build or of the list; 0: none is known (when.h). */
	int64_t floor_ms;
	/* If the list is older than ct_list_max_age_ms, SCTs of logs that are not on it count as well: such logs may be newer than
	 * the list. Their signatures are not checked. Only for the update window, together with known_keys. */
	bool old_list_serves;
	/* If the clock lies before the floor, nothing is refused because it is not valid yet: the true time may be
	 * any time after the floor. Only for time-names, whose answers set that clock. */
	bool floor_serves;
	/* From then on every rule in report mode refuses, including CT; 0: no such time. */
	int64_t report_until_ms;
	identity_is_suffix *is_public_suffix; /* no wildcard matches below one; NULL: the plain kinds only */
};

struct vfy_input {
	const struct span *certs; /* DER, as presented, leaf first */
	size_t n_certs;           /* may exceed VFY_CERTS_MAX: chain-too-long */
	size_t larger_than;       /* the message that contains them has more bytes than this and was not read:
				   * chain-too-long, and certs is empty; 0: it was read */
	struct span staple;       /* the stapled OCSP response; n is 0 without one */
	/* There may have been a staple that was not read: its absence is no finding. Only for a peer that is turned away
	 * whatever the verdict. */
	bool staple_unread;
	struct span ip; /* the address that was dialled, 4 or 16 bytes; n is 0: none expected (tools only) */
	const struct span *also_ips; /* the certificate may bear one of these instead (also-address) */
	size_t n_also_ips;
	const char *name; /* the DNS name it must bear as well; NULL or "": none */
	int64_t now_ms;   /* wall clock of the judgement */
	/* Signatures that verified before; the call adds to them, so only one thread may use them at a time. NULL:
	 * all are verified. The verdict is the same either way. */
	struct sigcache *known;
};

/* The word of the configuration for each value. Constant. */
const char *ct_mode_text(enum ct_mode);
const char *ct_when_stale_text(enum ct_when_stale);

#endif
