/* scenarios_sessions.c - a connection or ticket must not outlive the verdict it was given. */
#include "contrib/lab/scenarios/site.h"

#include "base/clock.h"
#include "base/text.h"

/* Long enough for a client to start and ask, short enough to wait for. */
#define EXPIRES_AFTER_MS (8 * SECOND_MS)

static void
build_impostor(struct site *site)
{
	struct forge f;

	site->key = world_key(site->world, "impostor", KEY_P256);
	site_leaf(site, &f, CA_ISSUING);
	f.issuer = f.subject;
	f.issuer_key = f.key;
	site_put(site, &f);
	forge_free(&f);
}

static void
leaf_expires_soon(struct site *site, struct forge *f)
{
	(void)site;
	f->not_after_ms = (clock_wall_ms() + EXPIRES_AFTER_MS) / SECOND_MS * SECOND_MS;
}

static void
policy_disallow_leaf(struct site *site)
{
	uint8_t hash[32];
	char hex[65];

	lab_sha256(hash, buf_span(&site->chain[0]));
	site_line(site, &site->disallow, "cert-sha256 %s", hex_write(hex, span_of(hash, sizeof hash)));
}

static const struct scenario rows[] = {
    {"good-resumption", "no fault: the server closes the connection and takes its own ticket back",
     .want = WANT_ACCEPT, .reach = REACH_WIRE, .script = SCRIPT_RESUME},
    {"good-reconnect", "no fault: the server closes the connection and knows no tickets", .want = WANT_ACCEPT,
     .reach = REACH_WIRE, .script = SCRIPT_RESUME, .fault = "no-tickets"},
    {"swapped",
     "a good server first; then the connection breaks and an impostor with a self-signed certificate answers",
     WANT_REFUSE, "untrusted", .reach = REACH_WIRE, .build = build_impostor, .script = SCRIPT_SWAP},
    {"swapped-no-sct", "a good server first; then one with a trusted certificate without SCTs", WANT_REFUSE,
     "ct-no-scts", NO_SCTS, .reach = REACH_WIRE, .script = SCRIPT_SWAP},
    {"swapped-keeping-tickets",
     "the same impostor, who also has the good server's ticket keys: it resumes instead of showing a "
     "certificate",
     .want = WANT_NOTE, .reach = REACH_WIRE, .build = build_impostor, .script = SCRIPT_SWAP_KEEPING_TICKETS},
    {"resumed-expired",
     "the certificate expires while the client holds a ticket, and the server goes on with it", WANT_REFUSE,
     "expired", .reach = REACH_WIRE, .leaf = leaf_expires_soon, .script = SCRIPT_EXPIRE},
    {"policy-tightened", "no fault, but the client's policy disallows the certificate while it is connected",
     WANT_REFUSE, "disallowed", .reach = REACH_WIRE, .policy = policy_disallow_leaf,
     .script = SCRIPT_TIGHTEN},
};

const struct scenario_group scenarios_sessions = {
    "sessions",
    "Connections and tickets that outlive the verdict they were given: swapped certificates, expiry, a "
    "stricter policy.",
    rows, sizeof rows / sizeof rows[0]};
