/*
 * scenarios_misissuance.c - a CA that the client trusts issues a certificate that it must not issue.
 *
 * Modelled on the twelve certificates for 1.1.1.1 of 2024 and 2025: a trusted root, an issuing CA, a
 * certificate that is correct, except that the resolver's owner never asked for it.
 */
#include "contrib/lab/pki/derw.h"
#include "contrib/lab/scenarios/site.h"

#include "base/text.h"

#include <stdio.h>

/* The serial of one of the twelve, which the sample configuration and the compiled-in list name. */
static const uint8_t known_serial[] = {0xa5, 0x30, 0xa2, 0x9c, 0xc1, 0xa5, 0xda, 0x40,
				       0x00, 0x00, 0x00, 0x00, 0x56, 0x71, 0xf2, 0x4c};

/* The impostor has a key of its own and the careless CA's certificate for it. */
static void
fina_leaf(struct site *site, struct forge *f, enum ca_id issuer)
{
	site->key = world_key(site->world, "impostor", KEY_P256);
	site_leaf(site, f, issuer);
	f->subject = "C=HR/O=Toy Customer/CN=test1.hr";
}

static void
build_fina(struct site *site)
{
	struct forge f;

	fina_leaf(site, &f, CA_FINA_ISSUING);
	site_put(site, &f);
	forge_free(&f);
	site_put_ca(site, CA_FINA_ISSUING);
}

static void
build_fina_printable(struct site *site)
{
	struct forge f;

	fina_leaf(site, &f, CA_FINA_ISSUING);
	f.string_tag = DERW_PRINTABLE;
	site_put(site, &f);
	forge_free(&f);

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, CA_FINA_ISSUING, &f);
	f.string_tag = DERW_PRINTABLE;
	site_put(site, &f);
	forge_free(&f);
	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, CA_FINA_ROOT, &f);
	f.string_tag = DERW_PRINTABLE;
	site_anchor_forged(site, &f);
	forge_free(&f);
}

static void
build_fina_known(struct site *site)
{
	struct forge f;

	fina_leaf(site, &f, CA_FINA_REAL_NAME);
	f.serial = span_of(known_serial, sizeof known_serial);
	site_put(site, &f);
	forge_free(&f);
	site_put_ca(site, CA_FINA_REAL_NAME);
}

static void
line_name(struct site *site, struct buf *text, const char *before, enum ca_id id)
{
	struct buf name = buf_max(4096);

	derw_name_rfc4514(&name, world_ca_name(id));
	site_line(site, text, "%s %s", before, buf_cstr(&name));
	buf_free(&name);
}

static void
line_hash(struct site *site, struct buf *text, const char *kind, const uint8_t hash[32])
{
	char hex[65];

	site_line(site, text, "%s %s", kind, hex_write(hex, span_of(hash, 32)));
}

static void
line_key(struct site *site, struct buf *text, enum ca_id id)
{
	const struct key *key = world_ca_key(site->world, id);

	site->bad = site->bad || key == NULL;
	if (key != NULL)
		line_hash(site, text, "spki-sha256", key->spki_sha256);
}

static void
line_ca_certificate(struct site *site, struct buf *text, const char *kind, enum ca_id id)
{
	struct buf der = buf_max(FORGE_CERT_MAX);
	struct forge f;
	uint8_t hash[32];

	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, id, &f);
	if (f.issuer_key != NULL)
		forge_certificate(&f, world_logs(site->world), &der);
	lab_sha256(hash, buf_span(&der));
	line_hash(site, text, kind, hash);
	forge_free(&f);
	buf_free(&der);
}

static void
disallow_serial_of(struct site *site, const char *before)
{
	struct forge f = {.serial_seed = site->scenario->name};
	uint8_t serial[20];
	char hex[41], entry[128];

	hex_write(hex, span_of(serial, forge_serial(&f, serial)));
	snprintf(entry, sizeof entry, "serial %s%s issuer", before, hex);
	line_name(site, &site->disallow, entry, CA_FINA_ISSUING);
}

static void
policy_disallow_serial(struct site *site)
{
	disallow_serial_of(site, "");
}

static void
policy_disallow_serial_zeros(struct site *site)
{
	disallow_serial_of(site, "0000");
}

static void
policy_disallow_fingerprint(struct site *site)
{
	uint8_t hash[32];

	lab_sha256(hash, buf_span(&site->chain[0]));
	line_hash(site, &site->disallow, "cert-sha256", hash);
}

static void
policy_disallow_spki(struct site *site)
{
	line_hash(site, &site->disallow, "spki-sha256", site->key->spki_sha256);
}

static void
policy_disallow_issuer(struct site *site)
{
	line_name(site, &site->disallow, "issuer", CA_FINA_ISSUING);
}

static void
policy_disallow_root_name(struct site *site)
{
	line_name(site, &site->disallow, "issuer", CA_FINA_ROOT);
}

static void
policy_disallow_root_key(struct site *site)
{
	line_key(site, &site->disallow, CA_FINA_ROOT);
}

static void
policy_disallow_root_certificate(struct site *site)
{
	line_ca_certificate(site, &site->disallow, "cert-sha256", CA_FINA_ROOT);
}

static void
policy_disallow_issuing_certificate(struct site *site)
{
	line_ca_certificate(site, &site->disallow, "cert-sha256", CA_FINA_ISSUING);
}

static void
policy_disallow_der(struct site *site)
{
	struct buf der = buf_max(4096), base64 = buf_max(8192);

	derw_name(&der, world_ca_name(CA_FINA_ISSUING), DERW_UTF8);
	base64_write(&base64, buf_span(&der));
	site_line(site, &site->disallow, "issuer der:%s", buf_cstr(&base64));
	buf_free(&der);
	buf_free(&base64);
}

static void
policy_disallow_others(struct site *site)
{
	site_line(site, &site->disallow, "serial 01 issuer CN=Nobody");
	line_key(site, &site->disallow, CA_STRANGER_ROOT);
	line_name(site, &site->disallow, "serial 02 issuer", CA_ISSUING);
}

static void
constraint_line(struct site *site, const char *limit)
{
	const struct key *key = world_ca_key(site->world, CA_FINA_ROOT);
	char hex[65];

	site->bad = site->bad || key == NULL;
	if (key != NULL)
		site_line(site, &site->constraints, "spki-sha256 %s %s",
			  hex_write(hex, span_of(key->spki_sha256, 32)), limit);
}

static void
constraint_date(struct site *site, const char *word, int days)
{
	char limit[128], time[TIME_TEXT_MAX];

	snprintf(limit, sizeof limit, "%s %s", word, time_text(site_issued(site) + days * DAY_MS, time));
	constraint_line(site, limit);
}

static void
policy_not_before_max(struct site *site)
{
	constraint_date(site, "not-before-max", -30);
}

static void
policy_sct_not_after(struct site *site)
{
	constraint_date(site, "sct-not-after", -30);
}

static void
policy_distrust_later(struct site *site)
{
	constraint_date(site, "not-before-max", 5);
}

static void
policy_permit_name(struct site *site)
{
	constraint_line(site, "permit-name hr");
}

static void
policy_permit_ip(struct site *site)
{
	constraint_line(site, "permit-ip 10.0.0.0/8");
}

static void
policy_pin_root(struct site *site)
{
	line_key(site, &site->pins, CA_ROOT);
	line_key(site, &site->pins, CA_STRANGER_ROOT);
}

static void
policy_pin_leaf_and_backup(struct site *site)
{
	line_hash(site, &site->pins, "spki-sha256", site->key->spki_sha256);
	line_key(site, &site->pins, CA_STRANGER_ROOT);
}

static void
policy_allow_root_key(struct site *site)
{
	line_key(site, &site->allow_issuer, CA_ROOT);
}

static void
policy_allow_root_name(struct site *site)
{
	line_name(site, &site->allow_issuer, "issuer", CA_ROOT);
}

static void
policy_allow_issuing_certificate(struct site *site)
{
	line_ca_certificate(site, &site->allow_issuer, "cert-sha256", CA_ISSUING);
}

/* The careless root signs a sub-CA under the very name that the client allows. */
static void
build_borrowed_name(struct site *site)
{
	struct forge f;

	fina_leaf(site, &f, CA_FALSE_ROOT);
	site_put(site, &f);
	forge_free(&f);
	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, CA_FALSE_ROOT, &f) ||
		    !world_issue(site->world, CA_FINA_ROOT, &f);
	site_put(site, &f);
	forge_free(&f);
}

/* The good issuing CA, cross-signed by the careless root. */
static void
build_two_paths(struct site *site)
{
	struct forge f;

	site_leaf(site, &f, CA_ISSUING);
	site_put(site, &f);
	forge_free(&f);
	site_put_ca(site, CA_ISSUING);
	forge_init(&f);
	site->bad = site->bad || !world_ca_forge(site->world, CA_ISSUING, &f) ||
		    !world_issue(site->world, CA_FINA_ROOT, &f);
	site_put(site, &f);
	forge_free(&f);
}

static const struct scenario rows[] = {
    {"fina-no-ct", "another trusted CA's certificate for the address, without SCTs", WANT_REFUSE,
     "ct-no-scts", NO_SCTS, .build = build_fina},
    {"fina-one-sct", "the same with one SCT", WANT_REFUSE, "ct-too-few-scts", SCTS({.log = LOG_BETA}),
     .build = build_fina},
    {"fina-full-ct",
     "the same with full transparency: no certificate check can tell, the owner must watch the logs",
     .want = WANT_ACCEPT, .build = build_fina},
    {"fina-disallow-serial", "the same, and its serial and issuer are disallowed", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_serial},
    {"fina-disallow-serial-zeros", "the same, the disallowed serial written with leading zeros", WANT_REFUSE,
     "disallowed", .build = build_fina, .policy = policy_disallow_serial_zeros},
    {"fina-disallow-fingerprint", "the same, and its fingerprint is disallowed", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_fingerprint},
    {"fina-disallow-spki", "the same, and its key is disallowed", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_spki},
    {"fina-disallow-issuer", "the same, and its issuer's name is disallowed", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_issuer},
    {"fina-disallow-issuer-der", "the same, the issuer's name given as bytes", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_der},
    {"fina-disallow-issuer-printable", "the same, the certificate's names in another string type",
     WANT_REFUSE, "disallowed", .build = build_fina_printable, .policy = policy_disallow_issuer},
    {"fina-disallow-issuing-cert", "the same, and the issuing CA's certificate is disallowed", WANT_REFUSE,
     "disallowed", .build = build_fina, .policy = policy_disallow_issuing_certificate},
    {"fina-disallow-root-name", "the same, and the root's name is disallowed as issuer", WANT_REFUSE,
     "disallowed", .build = build_fina, .policy = policy_disallow_root_name},
    {"fina-disallow-root-key", "the same, and the root's key is disallowed", WANT_REFUSE, "disallowed",
     .build = build_fina, .policy = policy_disallow_root_key},
    {"fina-disallow-root-cert", "the same, and the root's certificate is disallowed", WANT_REFUSE,
     "disallowed", .build = build_fina, .policy = policy_disallow_root_certificate},
    {"fina-known", "serial and issuer name of one of the twelve, which is compiled into ctstub", WANT_REFUSE,
     "disallowed", .build = build_fina_known},
    {"good-disallow-others", "no fault: the disallow list names others", .want = WANT_ACCEPT,
     .policy = policy_disallow_others},
    {"disallowed-beside-clean", "a clean path, and a second one through a disallowed root", WANT_REFUSE,
     "disallowed", .build = build_two_paths, .policy = policy_disallow_root_key},
    {"anchor-distrusted-date", "a certificate issued after its root's distrust date", WANT_REFUSE,
     "anchor-distrusted", .build = build_fina, .policy = policy_not_before_max},
    {"anchor-distrusted-sct", "the same by the dates of the SCTs", WANT_REFUSE, "anchor-distrusted",
     .build = build_fina, .policy = policy_sct_not_after},
    {"good-distrusted-later", "no fault: the root lost its trust after this certificate", .want = WANT_ACCEPT,
     .build = build_fina, .policy = policy_distrust_later},
    {"anchor-permit-name", "a root that may vouch for one country's names only", WANT_REFUSE,
     "anchor-distrusted", .build = build_fina, .policy = policy_permit_name},
    {"anchor-permit-ip", "a root that may vouch for private addresses only", WANT_REFUSE, "anchor-distrusted",
     .build = build_fina, .policy = policy_permit_ip},
    {"good-constrained-beside-free", "no fault: one of two paths ends in a root that lost its trust",
     .want = WANT_ACCEPT, .build = build_two_paths, .policy = policy_not_before_max},
    {"good-pin-root", "no fault: the client pins the root's key", .want = WANT_ACCEPT,
     .policy = policy_pin_root},
    {"good-pin-leaf", "no fault: the client pins the server's key and a backup", .want = WANT_ACCEPT,
     .policy = policy_pin_leaf_and_backup},
    {"pin-mismatch", "a trusted CA's logged certificate, and the client pins another root", WANT_REFUSE,
     "pin-mismatch", .build = build_fina, .policy = policy_pin_root},
    {"good-allow-issuer", "no fault: the client allows the root by key", .want = WANT_ACCEPT,
     .policy = policy_allow_root_key},
    {"good-allow-issuer-cert", "no fault: the client allows the issuing CA by certificate",
     .want = WANT_ACCEPT, .policy = policy_allow_issuing_certificate},
    {"issuer-not-allowed", "a trusted CA that is not the one that the client allows", WANT_REFUSE,
     "issuer-not-allowed", .build = build_fina, .policy = policy_allow_root_key},
    {"issuer-borrowed-name", "a sub-CA of the careless root under the allowed root's name", WANT_REFUSE,
     "issuer-not-allowed", .build = build_borrowed_name, .policy = policy_allow_root_name},
};

const struct scenario_group scenarios_misissuance = {
    "misissuance",
    "A CA that the client trusts issues a certificate that it must not issue. Transparency makes it visible; "
    "disallow lists, "
    "pins and allowed issuers stop it.",
    rows, sizeof rows / sizeof rows[0]};
