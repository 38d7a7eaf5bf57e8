/*
 * forged.h - a chain forged for a test, with the anchors, the policy and the time for its verdict.
 *
 * The certificates come from the lab's forge, in a world of its own whose time is FORGED_AT. A test begins, puts
 * certificates and anchors, changes the policy, judges, and ends.
 */
#ifndef TESTS_UNIT_VERIFY_FORGED_H
#define TESTS_UNIT_VERIFY_FORGED_H

#include "contrib/lab/pki/world.h"
#include "verify/judge.h"
#include "verify/verify.h"

#define FORGED_AT    "2026-11-21T12:00:00Z"
#define FORGED_CERTS 128

struct forged {
	struct buf der[FORGED_CERTS];
	struct span certs[FORGED_CERTS];
	size_t n;
	struct buf anchors; /* PEM */
	struct trust *trust;
	struct cert_match *disallow, *allow, *pins, *known;
	struct anchor_limits *anchor_limits;
	uint8_t ip[16];
	struct vfy_policy policy; /* strict, required, the lab's fresh list */
	struct vfy_input in;      /* 1.1.1.1, at FORGED_AT */
};

/* For cmocka: a world in a folder of its own, and its end. */
int forged_world_open(void **state);
int forged_world_close(void **state);
struct world *forged_world(void);

void forged_begin(struct forged *);
void forged_end(struct forged *);

/* A good leaf of that CA for 1.1.1.1 and resolver.lab.test, with two SCTs; forge_free when done. */
void forged_leaf(struct forge *, enum ca_id issuer);
/* The CA's own certificate, to be changed; forge_free when done. */
void forged_ca(struct forge *, enum ca_id);
/* The same fields under another CA of the test's own: a key by its name in the world, a subject, an issuer. */
void forged_sub_ca(struct forge *, const char *subject, const char *key, const char *issuer, const char *issuer_key);

void forged_put(struct forged *, const struct forge *); /* appends to what is presented */
void forged_put_der(struct forged *, struct span);
void forged_put_leaf(struct forged *, enum ca_id issuer);
void forged_put_ca(struct forged *, enum ca_id);
void forged_anchor(struct forged *, enum ca_id);
void forged_anchor_forge(struct forged *, const struct forge *);
/* The usual chain: a leaf of CA_ISSUING, that CA, and CA_ROOT as anchor. */
void forged_good(struct forged *);
/* The same, with a leaf that was changed before it was signed. */
void forged_leaf_changed(struct forged *, void (*change)(struct forge *));
/* The usual, but the leaf's signature is broken. */
void forged_bad_signature(struct forged *);
/* A leaf that has expired, of a CA that no anchor knows. */
void forged_expired_and_unknown(struct forged *);
/* The usual, with an anchor whose sct-not-after is the second of the SCTs. */
void forged_logged_in_time(struct forged *);

/* Entries, one a line. */
struct cert_match *forged_entries(const char *lines);
/* "spki-sha256 <hex>" or "cert-sha256 <hex>" of a CA's certificate. Returns out. */
const char *forged_spki_entry(char out[128], enum ca_id);
const char *forged_cert_entry(char out[128], struct span der);
/* Constraints on that CA's key, as a line of a constraints file gives them after the key. */
void forged_constraint(struct forged *, enum ca_id, const char *rest);

/* Judges and gives the reasons that refuse, joined by commas; "" when accepted. Lent until the next call. */
const char *forged_reasons(struct forged *, struct vfy_work *);
/* The same, and the verdict itself. Yours: verdict_clear. */
void forged_judge(struct forged *, struct verdict *, struct vfy_work *);

#endif
