/*
 * egress.h - what may leave a machine on which ctstub resolves: the endpoints of the upstreams, as firewall rules.
 *
 * A plan is made from the settings alone. Texts are written into a buffer; nothing is loaded and nothing is asked here.
 */
#ifndef CLI_EGRESS_H
#define CLI_EGRESS_H

#include "config/settings.h"

/* The table of nftables; `ctstub egress --check` looks for it. */
#define EGRESS_TABLE "ctstub_egress"
/* The set in which nftables stores refused attempts: user, address and port, each combination once. A full set
 * stores no more. */
#define EGRESS_TRIED_MAX 4096
/* 256 upstreams of 16 addresses at 60 bytes are 240 KiB; the rest is fixed. */
#define EGRESS_TEXT_MAX (1024 * 1024)

struct egress_endpoint {
	const char *upstream; /* lent from the settings */
	enum tp_protocol protocol;
	struct addr addr;
};

struct egress {
	const char *user;           /* lent; of letters, digits, ".", "_" and "-" */
	struct egress_endpoint *to; /* each address and port once */
	size_t n;
	bool serves_others; /* a listener is not on loopback: replies leave the machine */
	bool updates;       /* the user may also reach HTTPS servers: `ctstub audit` */
	const char *
	    lists_user; /* lent; may reach the upstreams as well: `ct-logs update`; NULL: there is none here */
	const char *portal_user; /* lent; may ask in clear text, for portal probes; NULL: nobody may */
};

/* The user of ctstub-ct-logs.service. Other programs that fetch something (ctstub-watch) need no special rule. */
#define EGRESS_LISTS_USER "ctstub-ct-logs"
/* When the table of DoH services was last reviewed. */
#define EGRESS_DOH_DATE "2026-11-28"

/* Can the rules contain this name? */
bool egress_user_ok(const char *user);
/* Collects the endpoints and listeners of the settings, which must outlive the plan. user replaces the option of
 * that name unless NULL. RES_MALFORMED: there is no user that the rules could name. */
enum res egress_new(struct egress *, const struct settings *, const char *user);
void egress_free(struct egress *);
bool egress_has(const struct egress *, const struct addr *);
/* A ruleset for `nft -f`: it replaces its own table and touches no other. */
void egress_rules_write(struct buf *, const struct egress *);
/* A drop-in for ctstubd.service. prefix is before each line. */
void egress_drop_in_write(struct buf *, const struct egress *, const char *prefix);
/* The addresses and prefixes of public DoH services; NULL ends the table. */
extern const char *const egress_doh[];

#endif
