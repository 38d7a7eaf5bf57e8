/* scenarios_chain.c - paths, dates and the rights of issuers (RFC 5280, 6). */
#include "contrib/lab/pki/derw.h"
#include "contrib/lab/scenarios/scenarios_strength.h"
#include "contrib/lab/scenarios/site.h"

static void
put_leaf_and_changed_issuing(struct site *site, void (*change)(struct site *, struct forge *))
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca_changed(site, CA_ISSUING, change);
}

static void
build_self_signed(struct site *site)
{
	struct forge f;

	site_leaf(site, &f, CA_ISSUING);
	f.issuer = f.subject;
	f.issuer_key = f.key;
	site_put(site, &f);
	forge_free(&f);
}

static void
build_unknown_ca(struct site *site)
{
	site_put_leaf(site, CA_STRANGER_ISSUING);
	site_put_ca(site, CA_STRANGER_ISSUING);
}

static void
build_unknown_ca_whole(struct site *site)
{
	build_unknown_ca(site);
	site_put_ca(site, CA_STRANGER_ROOT);
}

static void
build_false_name(struct site *site)
{
	site_put_leaf(site, CA_FALSE_ISSUING);
	site_put_ca(site, CA_FALSE_ISSUING);
	site_put_ca(site, CA_FALSE_ROOT);
}

static void
leaf_broken_signature(struct site *site, struct forge *f)
{
	(void)site;
	f->broken_signature = true;
}

static void
leaf_expired(struct site *site, struct forge *f)
{
	f->not_before_ms -= 90 * DAY_MS;
	f->not_after_ms = world_at(site->world) - DAY_MS;
	for (size_t i = 0; i < f->n_sct; i++)
		f->sct[i].ms -= 90 * DAY_MS;
}

static void
leaf_not_yet_valid(struct site *site, struct forge *f)
{
	f->not_before_ms = world_at(site->world) + 30 * DAY_MS;
	f->not_after_ms = f->not_before_ms + 60 * DAY_MS;
}

static void
ca_expired(struct site *site, struct forge *f)
{
	f->not_after_ms = world_at(site->world) - DAY_MS;
}

static void
ca_not_yet_valid(struct site *site, struct forge *f)
{
	f->not_before_ms = world_at(site->world) + 30 * DAY_MS;
}

static void
build_expired_intermediate(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_expired);
}

static void
build_future_intermediate(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_not_yet_valid);
}

static void
ca_by_old_root(struct site *site, struct forge *f)
{
	site->bad = site->bad || !world_issue(site->world, CA_OLD_ROOT, f);
}

static void
build_expired_root(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_by_old_root);
	site_anchor(site, CA_OLD_ROOT);
}

static void
ca_end_entity(struct site *site, struct forge *f)
{
	(void)site;
	f->basic = BASIC_END_ENTITY;
}

static void
ca_no_basic(struct site *site, struct forge *f)
{
	(void)site;
	f->basic = BASIC_NONE;
}

static void
ca_no_cert_sign(struct site *site, struct forge *f)
{
	(void)site;
	f->usage = USAGE_DIGITAL_SIGNATURE | USAGE_CRL_SIGN;
}

static void
ca_version_1(struct site *site, struct forge *f)
{
	(void)site;
	f->version = 1;
}

static void
build_not_a_ca(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_end_entity);
}

static void
build_no_basic_constraints(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_no_basic);
}

static void
build_no_cert_sign(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_no_cert_sign);
}

static void
build_version_1_ca(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_version_1);
}

/* A customer's own server certificate signs one for the resolver. */
static void
build_leaf_as_ca(struct site *site)
{
	static const char customer_dn[] = "C=XX/O=A Customer/CN=customer.test";
	const struct key *customer = world_key(site->world, "customer", KEY_P256);
	struct forge leaf, issuer;

	site_leaf(site, &leaf, CA_ISSUING);
	leaf.issuer = customer_dn;
	leaf.issuer_key = customer;
	site_put(site, &leaf);
	forge_free(&leaf);

	site_leaf(site, &issuer, CA_ISSUING);
	issuer.subject = customer_dn;
	issuer.key = customer;
	issuer.serial_seed = "customer";
	buf_clear(&issuer.san);
	forge_san_dns(&issuer, span_str("customer.test"));
	site_put(site, &issuer);
	forge_free(&issuer);
	site_put_ca(site, CA_ISSUING);
}

#define MIDDLE_DN "C=XX/O=Lab Trust/CN=Lab Middle M1"

static void
ca_middle(struct site *site, struct forge *f, int path_length)
{
	f->subject = MIDDLE_DN;
	f->serial_seed = "middle";
	f->key = world_key(site->world, "ca-middle", KEY_P256);
	f->path_length = path_length;
}

static void
ca_middle_short(struct site *site, struct forge *f)
{
	ca_middle(site, f, 0);
}

static void
ca_middle_long(struct site *site, struct forge *f)
{
	ca_middle(site, f, 1);
}

static void
ca_by_middle(struct site *site, struct forge *f)
{
	f->issuer = MIDDLE_DN;
	f->issuer_key = world_key(site->world, "ca-middle", KEY_P256);
}

static void
build_path_too_long(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_by_middle);
	site_put_ca_changed(site, CA_ISSUING, ca_middle_short);
}

static void
build_long_path(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_by_middle);
	site_put_ca_changed(site, CA_ISSUING, ca_middle_long);
}

static void
ca_excludes(struct site *site, struct forge *f)
{
	forge_constraint_ip(&f->excluded, &site->ip4, 24);
}

static void
ca_permits_others(struct site *site, struct forge *f)
{
	struct addr ten = {.family = ADDR_V4, .ip = {10}};

	(void)site;
	forge_constraint_ip(&f->permitted, &ten, 8);
}

static void
ca_permits_these(struct site *site, struct forge *f)
{
	forge_constraint_ip(&f->permitted, &site->ip4, 24);
	forge_constraint_ip(&f->permitted, &site->ip6, 48);
}

static void
build_excluded(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_excludes);
}

static void
build_not_permitted(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_permits_others);
}

static void
build_permitted(struct site *site)
{
	put_leaf_and_changed_issuing(site, ca_permits_these);
}

static void
build_missing_intermediate(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
}

static void
build_garbage(struct site *site)
{
	static const uint8_t noise[] = {0x30, 0x82, 0x01, 0x00, 0x30, 0x03, 0x02, 0x01, 0x05};

	site_put_der(site, span_of(noise, sizeof noise));
	site_put_ca(site, CA_ISSUING);
}

static void
build_endless(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	for (int i = 0; i < 100; i++)
		site_put_ca(site, CA_ISSUING);
}

static void
build_superfluous(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca(site, CA_STRANGER_ISSUING);
	site_put_ca(site, CA_ISSUING);
	site_put_ca(site, CA_FINA_ISSUING);
	site_put_ca(site, CA_STRANGER_ROOT);
}

static void
build_unordered(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca(site, CA_ROOT);
	site_put_ca_changed(site, CA_ISSUING, ca_middle_long);
	site_put_ca_changed(site, CA_ISSUING, ca_by_middle);
}

static void
build_root_included(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca(site, CA_ISSUING);
	site_put_ca(site, CA_ROOT);
}

/* The trusted root's key under an expired older root, as when an old cross-sign runs out. */
static void
build_cross_expired(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca(site, CA_ISSUING);
	site_put_ca_changed(site, CA_ROOT, ca_by_old_root);
	site_anchor(site, CA_OLD_ROOT);
	site_anchor(site, CA_ROOT);
}

static void
build_expired_twin(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca_changed(site, CA_ISSUING, ca_expired);
	site_put_ca(site, CA_ISSUING);
}

static void
ca_by_stranger(struct site *site, struct forge *f)
{
	site->bad = site->bad || !world_issue(site->world, CA_STRANGER_ROOT, f);
}

static void
build_untrusted_twin(struct site *site)
{
	site_put_leaf(site, CA_ISSUING);
	site_put_ca_changed(site, CA_ISSUING, ca_by_stranger);
	site_put_ca(site, CA_ISSUING);
}

static const struct scenario rows[] = {
    {"self-signed", "its own signature, everything else right", WANT_REFUSE, "untrusted",
     .build = build_self_signed},
    {"unknown-ca", "a CA that nobody trusts", WANT_REFUSE, "untrusted", .build = build_unknown_ca},
    {"unknown-ca-whole", "a CA that nobody trusts, its root sent along", WANT_REFUSE, "untrusted",
     .build = build_unknown_ca_whole},
    {"unknown-ca-same-names", "a CA under the trusted one's names with keys of its own", WANT_REFUSE,
     "bad-signature", .build = build_false_name},
    {"missing-intermediate", "the leaf alone; the CA between is not sent", WANT_REFUSE, "untrusted",
     .build = build_missing_intermediate},
    {"broken-signature", "a good certificate with one bit of its signature changed", WANT_REFUSE,
     "bad-signature", .leaf = leaf_broken_signature},
    {"expired", "a certificate that expired yesterday", WANT_REFUSE, "expired", .leaf = leaf_expired},
    {"not-yet-valid", "a certificate that begins next month", WANT_REFUSE, "not-yet-valid",
     .leaf = leaf_not_yet_valid},
    {"expired-intermediate", "an issuing CA that expired yesterday", WANT_REFUSE, "expired",
     .build = build_expired_intermediate},
    {"not-yet-valid-intermediate", "an issuing CA that begins next month", WANT_REFUSE, "not-yet-valid",
     .build = build_future_intermediate},
    {"expired-root", "a path to an expired trusted root", WANT_REFUSE, "expired",
     .build = build_expired_root},
    {"not-a-ca", "an issuer whose certificate says CA:FALSE", WANT_REFUSE, "not-a-ca",
     .build = build_not_a_ca},
    {"no-basic-constraints", "an issuer whose certificate lacks basic constraints", WANT_REFUSE, "not-a-ca",
     .build = build_no_basic_constraints},
    {"no-cert-sign", "an issuing CA whose key usage lacks certificate signing", WANT_REFUSE, "not-a-ca",
     .build = build_no_cert_sign},
    {"version-1-ca", "an issuing CA with a version 1 certificate", WANT_REFUSE, "not-a-ca",
     .build = build_version_1_ca},
    {"leaf-as-ca", "a customer's server certificate signs one for the resolver", WANT_REFUSE, "not-a-ca",
     .build = build_leaf_as_ca},
    {"path-too-long", "one CA more than the path length allows", WANT_REFUSE, "path-too-long",
     .build = build_path_too_long},
    {"good-long-path", "no fault: one CA more, and the path length allows it", .want = WANT_ACCEPT,
     .build = build_long_path},
    {"constraint-excluded", "a CA that may not vouch for this network", WANT_REFUSE, "name-constraints",
     .build = build_excluded},
    {"constraint-not-permitted", "a CA that may vouch for another network only", WANT_REFUSE,
     "name-constraints", .build = build_not_permitted},
    {"good-constraint", "no fault: the CA is limited to the resolver's networks", .want = WANT_ACCEPT,
     .build = build_permitted},
    {"client-auth-only", "a certificate for TLS clients", WANT_REFUSE, "wrong-usage",
     .leaf = strength_leaf_client_auth},
    {"code-signing-only", "a certificate for signing code", WANT_REFUSE, "wrong-usage",
     .leaf = strength_leaf_code_signing},
    {"unknown-critical", "a critical extension that nobody knows", WANT_REFUSE, "unknown-critical",
     .leaf = strength_leaf_unknown_critical},
    {"extension-twice", "the subjectAltName extension occurs twice", WANT_REFUSE, "cert-malformed",
     .leaf = strength_leaf_extension_twice},
    {"good-rsa-2048", "no fault: an RSA key of 2048 bits", .want = WANT_ACCEPT,
     .leaf = strength_leaf_rsa_2048},
    {"rsa-1024", "an RSA key of 1024 bits", WANT_REFUSE, "weak-key", .leaf = strength_leaf_rsa_1024},
    {"rsa-1024-intermediate", "an issuing CA with an RSA key of 1024 bits", WANT_REFUSE, "weak-key",
     .build = strength_build_weak_intermediate},
    {"sha1-signature", "a certificate signed with SHA-1", WANT_REFUSE, "weak-signature",
     .leaf = strength_leaf_sha1},
    {"sha1-intermediate", "an issuing CA's certificate signed with SHA-1", WANT_REFUSE, "weak-signature",
     .build = strength_build_sha1_intermediate},
    {"md5-signature", "a certificate signed with MD5", WANT_REFUSE, "weak-signature",
     .build = strength_build_md5},
    {"garbage", "bytes that are not a certificate", WANT_REFUSE, "cert-malformed", .build = build_garbage},
    {"endless-chain", "a hundred certificates", WANT_REFUSE, "chain-too-long", .build = build_endless},
    {"good-superfluous", "no fault: unrelated certificates stand between the right ones", .want = WANT_ACCEPT,
     .build = build_superfluous},
    {"good-unordered", "no fault: the right certificates in the wrong order", .want = WANT_ACCEPT,
     .build = build_unordered},
    {"good-root-included", "no fault: the root is sent along", .want = WANT_ACCEPT,
     .build = build_root_included},
    {"good-cross-expired", "no fault: the root also comes cross-signed by a trusted root that has expired",
     .want = WANT_ACCEPT, .build = build_cross_expired},
    {"good-expired-twin", "no fault: an expired twin of the issuing CA is sent before the good one",
     .want = WANT_ACCEPT, .build = build_expired_twin},
    {"good-untrusted-twin",
     "no fault: a twin of the issuing CA by an unknown root is sent before the good one", .want = WANT_ACCEPT,
     .build = build_untrusted_twin},
};

const struct scenario_group scenarios_chain = {
    "chain", "Who signed it, when, and with what right? Paths, dates, usages and strength.", rows,
    sizeof rows / sizeof rows[0]};
