/*
 * scenarios_downgrade.c - encryption is blocked while port 53 answers, with lies.
 *
 * In `run` every address but the resolver's leads to a trap, and port 53 answers lies everywhere, the
 * resolver's own address included: a client that takes one has fallen back to clear text.
 */
#include "contrib/lab/scenarios/site.h"

static void
build_any_self_signed(struct site *site)
{
	struct forge f;

	site_leaf(site, &f, CA_ISSUING);
	f.issuer = f.subject;
	f.issuer_key = f.key;
	site_put(site, &f);
	forge_free(&f);
}

static const struct scenario rows[] = {
    {"blocked-refused", "nothing listens on the TLS port", WANT_REFUSE, "connect-refused",
     .reach = REACH_WIRE, .fault = "refuse"},
    {"blocked-dropped", "packets to the TLS port vanish", WANT_REFUSE, "connect-timeout", .reach = REACH_WIRE,
     .fault = "black-hole"},
    {"blocked-reset", "connections to the TLS port are reset at the ClientHello", WANT_REFUSE, "closed",
     .reach = REACH_WIRE, .fault = "reset-hello"},
    {"blocked-forged", "TLS is intercepted with a self-signed certificate", WANT_REFUSE, "untrusted",
     .reach = REACH_WIRE, .build = build_any_self_signed},
    {"blocked-old-tls", "the blocker lets only old TLS versions through", WANT_REFUSE, "tls-version",
     .reach = REACH_WIRE, .fault = "tls10"},
    {"blocked-later", "a good server first; then the TLS port is blocked", WANT_REFUSE, "connect-refused",
     .reach = REACH_WIRE, .script = SCRIPT_SWAP, .fault = "refuse"},
};

const struct scenario_group scenarios_downgrade = {"downgrade",
						   "Encryption is blocked while port 53 answers with lies: a "
						   "client that takes one has fallen back to clear text.",
						   rows, sizeof rows / sizeof rows[0]};
