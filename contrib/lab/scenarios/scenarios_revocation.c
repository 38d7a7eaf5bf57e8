/* scenarios_revocation.c - revoked by its CA: stapled OCSP (RFC 6066, 6960, 7633) and CRLs (RFC 5280, 5).
 */
#include "contrib/lab/scenarios/site.h"

#define OID_OCSP_SIGNING "1.3.6.1.5.5.7.3.9"
#define OID_SERVER_AUTH  "1.3.6.1.5.5.7.3.1"
#define DELEGATE_DN      "C=XX/O=Lab Trust/CN=Lab OCSP"

/* The serial of the scenario's leaf; as many of out's bytes as it returns. */
static size_t
leaf_serial(const struct site *site, uint8_t out[20])
{
	struct forge f = {.serial_seed = site->scenario->name};

	return forge_serial(&f, out);
}

/* A good staple for the leaf, its serial in serial[]. */
static struct forge_ocsp
staple_for(struct site *site, uint8_t serial[20])
{
	const struct key *issuer = world_ca_key(site->world, CA_ISSUING);

	site->bad = site->bad || issuer == NULL;
	return (struct forge_ocsp){
	    .serial = span_of(serial, leaf_serial(site, serial)),
	    .issuer = world_ca_name(CA_ISSUING),
	    .issuer_key = issuer,
	    .responder = world_ca_name(CA_ISSUING),
	    .responder_key = issuer,
	    .this_ms = world_at(site->world) - DAY_MS,
	    .next_ms = world_at(site->world) + 6 * DAY_MS,
	};
}

static void
staple_put(struct site *site, const struct forge_ocsp *ocsp)
{
	if (!site->bad)
		lab_status_ocsp_write(ocsp, &site->staple);
}

static void
policy_staple_good(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	staple_put(site, &ocsp);
}

static void
policy_staple_revoked(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.status = OCSP_REVOKED;
	staple_put(site, &ocsp);
}

static void
policy_staple_unknown(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.status = OCSP_UNKNOWN;
	staple_put(site, &ocsp);
}

static void
policy_staple_expired(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.this_ms -= 30 * DAY_MS;
	ocsp.next_ms -= 30 * DAY_MS;
	staple_put(site, &ocsp);
}

static void
policy_staple_future(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.this_ms += 30 * DAY_MS;
	ocsp.next_ms += 30 * DAY_MS;
	staple_put(site, &ocsp);
}

static void
policy_staple_other_cert(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	serial[1] ^= 1;
	staple_put(site, &ocsp);
}

static void
policy_staple_broken(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.broken_signature = true;
	staple_put(site, &ocsp);
}

static void
policy_staple_stranger(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.responder_key = world_ca_key(site->world, CA_STRANGER_ROOT);
	staple_put(site, &ocsp);
}

static void
policy_staple_try_later(struct site *site)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);

	ocsp.try_later = true;
	staple_put(site, &ocsp);
}

static void
policy_staple_garbage(struct site *site)
{
	buf_text(&site->staple, "not an OCSP response");
}

/* The CA's delegate signs; with the right usage it may (RFC 6960, 4.2.2.2). */
static void
staple_by_delegate(struct site *site, const char *eku)
{
	uint8_t serial[20];
	struct forge_ocsp ocsp = staple_for(site, serial);
	struct buf der = buf_max(FORGE_CERT_MAX);
	struct forge f;

	forge_init(&f);
	site->bad = site->bad || !world_issue(site->world, CA_ISSUING, &f);
	f.key = world_key(site->world, "ocsp-delegate", KEY_P256);
	f.subject = DELEGATE_DN;
	f.serial_seed = "ocsp-delegate";
	f.not_before_ms = site_issued(site);
	f.not_after_ms = site_issued(site) + 90 * DAY_MS;
	f.basic = BASIC_END_ENTITY;
	f.usage = USAGE_DIGITAL_SIGNATURE;
	f.eku = eku;
	if (f.key == NULL)
		site->bad = true;
	else
		forge_certificate(&f, world_logs(site->world), &der);
	ocsp.responder = DELEGATE_DN;
	ocsp.responder_key = f.key;
	ocsp.delegate = buf_span(&der);
	staple_put(site, &ocsp);
	forge_free(&f);
	buf_free(&der);
}

static void
policy_staple_delegate(struct site *site)
{
	staple_by_delegate(site, OID_OCSP_SIGNING);
}

static void
policy_staple_customer(struct site *site)
{
	staple_by_delegate(site, OID_SERVER_AUTH);
}

static void
leaf_must_staple(struct site *site, struct forge *f)
{
	(void)site;
	f->must_staple = true;
}

/* The CRL of a CA, naming `revoked`; freshness in days around now. */
static void
crl_put(struct site *site, enum ca_id id, struct span revoked, int from_days, int to_days, bool broken)
{
	struct buf der = buf_max(64 * 1024);
	struct forge_crl crl = {
	    .issuer = world_ca_name(id),
	    .key = world_ca_key(site->world, id),
	    .this_ms = world_at(site->world) + from_days * DAY_MS,
	    .next_ms = world_at(site->world) + to_days * DAY_MS,
	    .revoked = revoked,
	    .broken_signature = broken,
	};

	if (crl.key == NULL)
		site->bad = true;
	else
		lab_status_crl_write(&crl, &der);
	lab_pem_write(&site->crl, "X509 CRL", buf_span(&der));
	site->bad = site->bad || !buf_ok(&der);
	buf_free(&der);
}

static void
policy_crl_revoked(struct site *site)
{
	uint8_t serial[20];

	crl_put(site, CA_ISSUING, span_of(serial, leaf_serial(site, serial)), -1, 6, false);
}

static void
policy_crl_clean(struct site *site)
{
	crl_put(site, CA_ISSUING, span_str("\x77"), -1, 6, false);
	crl_put(site, CA_ROOT, span_of(NULL, 0), -1, 6, false);
}

static void
policy_crl_expired(struct site *site)
{
	crl_put(site, CA_ISSUING, span_of(NULL, 0), -30, -1, false);
}

static void
policy_crl_broken(struct site *site)
{
	crl_put(site, CA_ISSUING, span_of(NULL, 0), -1, 6, true);
}

static void
policy_crl_intermediate(struct site *site)
{
	struct forge f;
	uint8_t serial[20];

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, CA_ISSUING, &f);
	crl_put(site, CA_ROOT, span_of(serial, forge_serial(&f, serial)), -1, 6, false);
	forge_free(&f);
}

static void
policy_crl_other_issuer(struct site *site)
{
	uint8_t serial[20];

	crl_put(site, CA_FINA_ISSUING, span_of(serial, leaf_serial(site, serial)), -1, 6, false);
}

static const struct scenario rows[] = {
    {"good-staple", "no fault: a good OCSP response is stapled", .want = WANT_ACCEPT,
     .policy = policy_staple_good},
    {"good-staple-delegate", "no fault: the CA's delegate signed the stapled response", .want = WANT_ACCEPT,
     .policy = policy_staple_delegate},
    {"good-must-staple", "no fault: the certificate requires a stapled response, and the server sends one",
     .want = WANT_ACCEPT, .leaf = leaf_must_staple, .policy = policy_staple_good},
    {"must-staple-missing", "a certificate that requires a stapled response, and the server sends none",
     WANT_REFUSE, "staple-missing", .leaf = leaf_must_staple},
    {"staple-revoked", "the stapled response says: revoked", WANT_REFUSE, "revoked",
     .policy = policy_staple_revoked},
    {"staple-unknown", "the stapled response says: unknown", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_unknown},
    {"staple-expired", "a stapled response of last month", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_expired},
    {"staple-future", "a stapled response of next month", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_future},
    {"staple-other-cert", "a good stapled response for another certificate", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_other_cert},
    {"staple-broken-signature", "a stapled response with one bit of its signature changed", WANT_REFUSE,
     "staple-invalid", .policy = policy_staple_broken},
    {"staple-stranger", "a stapled response signed by a stranger", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_stranger},
    {"staple-customer", "a stapled response signed by a customer of the CA", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_customer},
    {"staple-try-later", "a stapled response that says: try later", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_try_later},
    {"staple-garbage", "bytes that are not an OCSP response", WANT_REFUSE, "staple-invalid",
     .policy = policy_staple_garbage},
    {"crl-revoked", "the issuer's CRL, which the client has, names the certificate", WANT_REFUSE, "revoked",
     .policy = policy_crl_revoked},
    {"crl-revoked-intermediate", "the root's CRL, which the client has, names the issuing CA", WANT_REFUSE,
     "revoked", .policy = policy_crl_intermediate},
    {"crl-expired", "the client's CRL of the issuer has expired", WANT_REFUSE, "crl-invalid",
     .policy = policy_crl_expired},
    {"crl-broken-signature", "the client's CRL of the issuer is not signed by it", WANT_REFUSE, "crl-invalid",
     .policy = policy_crl_broken},
    {"good-crl", "no fault: the client's CRLs name others", .want = WANT_ACCEPT, .policy = policy_crl_clean},
    {"good-crl-other-issuer", "no fault: another CA's CRL names the same serial", .want = WANT_ACCEPT,
     .policy = policy_crl_other_issuer},
};

const struct scenario_group scenarios_revocation = {
    "revocation",
    "Has its CA revoked it? Stapled OCSP responses, and CRLs that the client was configured with; nothing is "
    "fetched.",
    rows, sizeof rows / sizeof rows[0]};
