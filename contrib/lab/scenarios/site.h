/*
 * site.h - one scenario with its data: the chain that a server presents, and the policy of the client.
 */
#ifndef CONTRIB_LAB_SCENARIOS_SITE_H
#define CONTRIB_LAB_SCENARIOS_SITE_H

#include "contrib/lab/scenarios/scenario.h"
#include "contrib/lab/pki/lab_status.h"
#include "contrib/lab/pki/world.h"

#define SITE_CHAIN_MAX  128       /* one scenario sends a hundred */
#define SITE_POLICY_MAX (1 << 20) /* each text of the client's policy */

/* The resolver's name in scenarios that want one. */
#define SITE_NAME "resolver.lab.test"

struct site {
	struct world *world;
	const struct scenario *scenario;
	struct addr ip4, ip6; /* of the resolver */

	/* the server's side */
	struct buf chain[SITE_CHAIN_MAX]; /* DER, leaf first */
	int64_t leaf_end_ms;              /* its notAfter */
	size_t n_chain;
	const struct key *key;
	char subject[ADDR_TEXT_MAX + 4]; /* for scenarios that put an address there */
	struct buf staple;               /* empty: none is stapled */
	const char *fault;               /* as lab_fault.h reads it; NULL: none */

	/* the client's side */
	const char *name;   /* a name the certificate must have as well; NULL: none */
	struct buf anchors; /* PEM */
	enum list_variant list;
	const char *ct, *ct_policy, *when_stale; /* NULL: as by default */
	struct buf disallow, allow_issuer, pins; /* entries, a line each */
	struct buf constraints;                  /* a constraints file */
	struct buf crl;                          /* PEM */
	bool bad;                                /* a step failed */
};

/* Creates it. RES_NOMEM, RES_IO (keys). Yours: site_free. */
enum res site_new(struct site **out, struct world *, const struct scenario *, const struct addr *ip4,
		  const struct addr *ip6);
void site_free(struct site *);
/* The address that the client dials. Lent. */
const struct addr *site_ip(const struct site *);

/* Its notAfter. */
int64_t site_leaf_end(const struct site *);
/* Does the client need other anchors than the lab's two? */
bool site_has_own_anchors(const struct site *);

/* For the scenarios. */
/* When a fresh certificate was issued; its SCTs are a little younger. */
int64_t site_issued(const struct site *);
/* A good leaf of the issuing CA, as the scenario's row wants it: forge_free when done. */
void site_leaf(struct site *, struct forge *, enum ca_id issuer);
void site_put(struct site *, const struct forge *); /* forges and appends to the chain */
void site_put_ca(struct site *, enum ca_id);
/* A leaf signed by the issuer, whose own certificate is not put. */
void site_put_leaf(struct site *, enum ca_id issuer);
/* A CA's certificate, changed before it is signed. */
void site_put_ca_changed(struct site *, enum ca_id, void (*change)(struct site *, struct forge *));
void site_put_der(struct site *, struct span der);
void site_anchor(struct site *, enum ca_id);
void site_anchor_forged(struct site *, const struct forge *);
void site_line(struct site *, struct buf *text, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Appends the PEM of bytes to text. */
void lab_pem_write(struct buf *text, const char *label, struct span der);

#endif
