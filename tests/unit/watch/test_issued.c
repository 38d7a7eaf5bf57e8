/* When an entry is proven to be issued by a CA, and that only proven entries are blocked. */
#include "tests/unit/watch/findings_scene.h"

#include "contrib/watch/judgement.h"

#include <stdlib.h>
#include <string.h>

#define CONFIG "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
#define KNOWN  "watch { block = \"enforce\" known-file = {\"@D/known.txt\"} }\n"

/* ---- entries, real and made up */

static void
as_issued(struct scene *s)
{
	(void)s;
}

static void
by_a_stranger(struct scene *s)
{
	scene_leaf(s, CA_STRANGER_ISSUING, NULL);
}

static void
signature_break(struct forge *leaf)
{
	leaf->broken_signature = true;
}

static void
signed_by_nobody(struct scene *s)
{
	scene_leaf(s, CA_FINA_ISSUING, signature_break);
}

static void
without_a_chain(struct scene *s)
{
	while (s->n_chain > 0)
		buf_free(&s->chain[--s->n_chain]);
}

static void
with_the_chain_of_another(struct scene *s)
{
	scene_chain(s, CA_ISSUING);
}

static void
with_junk_in_its_chain(struct scene *s)
{
	struct buf *last = &s->chain[s->n_chain++];

	*last = s->chain[0];
	s->chain[0] = buf_max(64);
	buf_text(&s->chain[0], "junk");
}

/* The entry has the serial and the key of the good certificate; the precertificate with it is another one, which a CA did issue. */
static void
beside_another_precertificate(struct scene *s)
{
	struct buf tbs = s->tbs, certificate = s->certificate;
	struct forge good;

	s->tbs = s->certificate = buf_max(FORGE_CERT_MAX);
	forged_leaf(&good, CA_ISSUING);
	forge_precert_tbs(&good, &s->tbs);
	good.broken_signature = true;
	forge_certificate(&good, world_logs(forged_world()), &s->certificate);
	forge_free(&good);
	buf_free(&tbs);
	buf_free(&certificate);
}

static void
with_the_key_hash_of_another(struct scene *s)
{
	memcpy(s->issuer_key_hash, world_ca_key(forged_world(), CA_ISSUING)->spki_sha256, 32);
}

/* A server's key signs as if it were that of a CA. */
static void
by_a_server(struct scene *s)
{
	struct forge server, ca;

	forged_leaf(&server, CA_FINA_ISSUING);
	server.subject = "C=XX/CN=server.lab.test";
	server.key = world_key(forged_world(), "another-server", KEY_P256);
	without_a_chain(s);
	scene_chain_add(s, &server);
	s->leaf.issuer = server.subject;
	s->leaf.issuer_key = server.key;
	scene_sign(s);
	forged_ca(&ca, CA_FINA_ISSUING);
	scene_chain_add(s, &ca);
	forge_free(&ca);
	forge_free(&server);
}

/* A CA that may issue for other addresses only. */
static void
by_a_constrained_ca(struct scene *s)
{
	struct forge ca;
	struct addr elsewhere;

	forged_ca(&ca, CA_FINA_ISSUING);
	assert_int_equal(addr_read_ip(&elsewhere, "192.0.2.0"), RES_OK);
	ca.permitted = buf_max(256);
	forge_constraint_ip(&ca.permitted, &elsewhere, 24);
	without_a_chain(s);
	scene_chain_add(s, &ca);
	forge_free(&ca);
}

static void
of_a_retired_ca(struct scene *s)
{
	struct forge ca;

	forged_ca(&ca, CA_FINA_ISSUING);
	ca.not_after_ms = s->leaf.not_before_ms + DAY_MS;
	without_a_chain(s);
	scene_chain_add(s, &ca);
	forge_free(&ca);
}

/* RFC 6962, 3.1: a certificate for nothing but precertificates signs. The final certificate is the CA's own. */
static void
by_a_precertificate_ca(struct scene *s, const char *eku)
{
	struct forge signing, ca, pre = s->leaf;

	forged_ca(&ca, CA_FINA_ISSUING);
	forged_sub_ca(&signing, "C=XX/CN=Precertificates", "precert-signing", world_ca_name(CA_FINA_ISSUING), "ca-fina-issuing");
	signing.eku = eku;
	pre.issuer = signing.subject;
	pre.issuer_key = signing.key;
	pre.n_sct = 0;
	pre.poison = true;
	buf_clear(&s->precertificate);
	forge_certificate(&pre, world_logs(forged_world()), &s->precertificate);
	without_a_chain(s);
	scene_chain_add(s, &signing);
	scene_chain_add(s, &ca);
	forge_free(&signing);
	forge_free(&ca);
}

static void
by_a_precertificate_signing_certificate(struct scene *s)
{
	by_a_precertificate_ca(s, "1.3.6.1.4.1.11129.2.4.4");
}

static void
by_a_ca_that_is_none_for_precertificates(struct scene *s)
{
	by_a_precertificate_ca(s, "1.3.6.1.5.5.7.3.1");
}

static const struct {
	const char *what;
	void (*make)(struct scene *);
	const char *fault;        /* of the precertificate's entry; NULL: it is proven */
	const char *fault_issued; /* of the certificate's */
} entries[] = {
    {"as a trusted CA issued it", as_issued, NULL, NULL},
    {"by a CA that is not trusted", by_a_stranger, "no path", "no path"},
    {"with a broken signature", signed_by_nobody, "no certificate of its chain signed it", "no certificate of its chain signed it"},
    {"without a chain", without_a_chain, "no certificate of its chain signed it", "no certificate of its chain signed it"},
    {"with the chain of another CA", with_the_chain_of_another, "no certificate of its chain signed it", "no certificate of its chain signed it"},
    {"with a certificate in its chain that cannot be read", with_junk_in_its_chain, NULL, NULL},
    {"a good certificate's entry beside another precertificate", beside_another_precertificate, "not what the log holds",
	"no certificate of its chain signed it"},
    {"with the key hash of a CA that did not issue it", with_the_key_hash_of_another, NULL, NULL},
    {"signed with the key of a server", by_a_server, "may not issue", "may not issue"},
    {"of a CA that may not issue for this address", by_a_constrained_ca, "name constraint", "name constraint"},
    {"of a CA that has expired", of_a_retired_ca, "expired", "expired"},
    {"signed by a Precertificate Signing Certificate", by_a_precertificate_signing_certificate, NULL, NULL},
    {"signed by a CA that is not for precertificates", by_a_ca_that_is_none_for_precertificates, "not what the log holds", NULL},
};
#define N_ENTRIES (sizeof entries / sizeof entries[0])

static void
rogue_scene(struct scene *s, size_t i)
{
	scene_open(s, CONFIG PLAIN KNOWN, "");
	scene_leaf(s, CA_FINA_ISSUING, NULL);
	entries[i].make(s);
}

static void
proof_is_a_signature_and_a_path(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * N_ENTRIES; i++) {
		bool precertificate = i < N_ENTRIES;
		const char *what = entries[i % N_ENTRIES].what;
		const char *fault = precertificate ? entries[i % N_ENTRIES].fault : entries[i % N_ENTRIES].fault_issued;
		struct watch_evidence evidence;
		struct watch_finding *f;
		struct scene s;

		rogue_scene(&s, i % N_ENTRIES);
		f = scene_finding(&s, precertificate);
		evidence = scene_evidence(&s, precertificate);
		if (finding_judge(f, s.plan, &evidence) != JUDGEMENT_ROGUE || f->kind != FINDING_ROGUE)
			fail_msg("%s is not rogue", what);
		if (f->proven != (fault == NULL) || (fault == NULL) != (f->unproven == NULL))
			fail_msg("%s, %s: %s", what, precertificate ? "precertificate" : "certificate",
				 f->proven ? "proven" : f->unproven);
		if (fault != NULL && strstr(f->unproven, fault) == NULL)
			fail_msg("%s: \"%s\" instead of \"%s\"", what, f->unproven, fault);
		finding_free(f);
		scene_close(&s);
	}
}

static void
only_what_is_proven_is_blocked(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2 * N_ENTRIES; i++) {
		bool precertificate = i < N_ENTRIES;
		const char *what = entries[i % N_ENTRIES].what;
		bool proven = (precertificate ? entries[i % N_ENTRIES].fault : entries[i % N_ENTRIES].fault_issued) == NULL;
		char *list, *proposed, *record;
		struct scene s;

		rogue_scene(&s, i % N_ENTRIES);
		scene_start(&s);
		scene_see(&s, precertificate, 7);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		list = scene_file_get(&s, "disallow.txt");
		proposed = scene_file_get(&s, "proposed.txt");
		record = scene_file_get(&s, "findings.jsonl");
		if (text_times(list, "\nserial ") != proven || text_times(list, "\nspki-sha256 ") != proven)
			fail_msg("%s: %s", what, list);
		if (text_times(proposed, "\n# serial ") == proven || text_times(proposed, "\nserial ") != 0)
			fail_msg("%s, proposed: %s", what, proposed);
		assert_int_equal(text_times(record, "\"kind\":\"rogue\""), 1); /* reported in any case */
		assert_int_equal(text_times(record, "\"event\":\"not-blocked\""), !proven);
		assert_int_equal(text_times(record, "\"event\":\"blocked\""), proven);
		assert_false(watch_findings_busy(s.w) && !proven);
		free(list);
		free(proposed);
		free(record);
		scene_close(&s);
	}
}

/* ---- another log */

/* A chain that is missing or made up in the first log does not hide the one in another log. */
static void
another_log_proves_what_the_first_did_not(void **state)
{
	for (int again = 0; again < 2; again++) { /* in one process, and with a kill before the answer */
		char *list, *record;
		struct scene s;

		(void)state;
		scene_open(&s, CONFIG PLAIN KNOWN, "");
		scene_leaf(&s, CA_FINA_ISSUING, NULL);
		scene_start(&s);
		scene_see(&s, true, 7);
		watch_findings_step(s.w);
		without_a_chain(&s);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		assert_int_equal(watch_findings_totals(s.w)->not_blocked, 1);
		scene_see(&s, true, 9); /* the same log has nothing new */
		assert_false(watch_findings_busy(s.w));
		scene_chain(&s, CA_FINA_ISSUING);
		scene_see_in(&s, &scene_other_log, true, 12);
		if (again) {
			scene_kill(&s);
			scene_start(&s);
		}
		watch_findings_step(s.w);
		assert_int_equal(scene_asked.index, 12);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		list = scene_file_get(&s, "disallow.txt");
		record = scene_file_get(&s, "findings.jsonl");
		assert_int_equal(text_times(list, "\nserial "), 1);
		assert_int_equal(text_times(record, "\"event\":\"finding\""), 1);
		free(list);
		free(record);
		scene_close(&s);
	}
}

/* A log claims that the allowed CA issued a rogue certificate, before an honest log has the entry. */
static void
a_key_hash_alone_makes_nothing_expected(void **state)
{
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, CONFIG UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}") "watch { block = \"enforce\" }\n", "");
	scene_leaf(&s, CA_FINA_ISSUING, NULL);
	with_the_key_hash_of_another(&s);
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"kind\":\"expected\""), 0);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	free(record);
	scene_close(&s);
}

/* The CA's key is certified by two roots, and the certificate is submitted to a log with the other chain. */
static void
cross_sign(struct scene *s)
{
	struct forge cross;

	forged_ca(&cross, CA_ISSUING);
	cross.issuer = world_ca_name(CA_FINA_ROOT);
	cross.issuer_key = world_ca_key(forged_world(), CA_FINA_ROOT);
	without_a_chain(s);
	scene_chain_add(s, &cross);
	forge_free(&cross);
}

static void
a_block_is_removed_when_another_log_shows_that_it_was_wrong(void **state)
{
	for (int again = 0; again < 2; again++) { /* in one process, and after a restart */
		char *list;
		struct scene s;

		(void)state;
		scene_open(&s, CONFIG UPSTREAM("allow-issuer = {\"spki-sha256 @R\"}") "watch { block = \"enforce\" }\n", "");
		scene_start(&s);
		cross_sign(&s);
		scene_see(&s, true, 7);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		list = scene_file_get(&s, "disallow.txt");
		assert_int_equal(text_times(list, "\nserial "), 1);
		free(list);
		if (again) {
			scene_kill(&s);
			scene_start(&s);
		}
		s.w->reload = false;
		scene_chain(&s, CA_ISSUING);
		scene_see_in(&s, &scene_other_log, true, 12);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		list = scene_file_get(&s, "disallow.txt");
		assert_int_equal(text_times(list, "\nserial ") + text_times(list, "\nspki-sha256 ") + text_times(list, "# finding "), 0);
		assert_int_equal(text_times(list, "# Entries that ctstub-watch"), 1);
		assert_true(s.w->reload);
		free(list);
		scene_close(&s);
	}
}

/* ---- issuers are allowed as by the daemon */

static void
as_sent(struct scene *s)
{
	(void)s;
}

static void
with_its_root(struct scene *s)
{
	struct forge root;

	forged_ca(&root, CA_ROOT);
	scene_chain_add(s, &root);
	forge_free(&root);
}

/* The root's key, certified by another root. */
static void
with_its_root_cross_signed(struct scene *s)
{
	struct forge cross, fina;

	forged_ca(&cross, CA_ROOT);
	cross.issuer = world_ca_name(CA_FINA_ROOT);
	cross.issuer_key = world_ca_key(forged_world(), CA_FINA_ROOT);
	forged_ca(&fina, CA_FINA_ROOT);
	scene_chain_add(s, &cross);
	scene_chain_add(s, &fina);
	forge_free(&cross);
	forge_free(&fina);
}

static void
with_both_certificates_of_its_ca(struct scene *s)
{
	struct forge ca;

	cross_sign(s);
	forged_ca(&ca, CA_ISSUING);
	scene_chain_add(s, &ca);
	forge_free(&ca);
}

static const char *const chains_of[] = {"its CA", "its CA and root", "its CA and the root, cross-signed", "its CA, cross-signed",
					"its CA, cross-signed and by its own root"};
static void (*const chains[])(struct scene *) = {as_sent, with_its_root, with_its_root_cross_signed, cross_sign,
						 with_both_certificates_of_its_ca};
static const char *const allowed[] = {
    "spki-sha256 @I", "spki-sha256 @R", "spki-sha256 @F", "spki-sha256 @L", "issuer CN=Lab Root R1,O=Lab Trust,C=XX",
    "issuer CN=Lab Issuing E1,O=Lab Trust,C=XX", "issuer CN=Toy Fina Root,O=Toy Fina,C=HR"};

/* The daemon judges the certificate with the chain that the log has. */
static bool
daemon_allows(const struct scene *s)
{
	const struct upstream_plan *u = snapshot_upstream(s->plan->snapshot, "lab");
	struct span certs[8] = {buf_span(&s->certificate)};
	const uint8_t ip[4] = {1, 1, 1, 1};
	struct vfy_input in = {.certs = certs, .n_certs = 1 + s->n_chain, .ip = span_of(ip, 4),
			       .now_ms = s->leaf.not_before_ms + DAY_MS};
	struct verdict v = {0};
	bool accepted;

	for (size_t i = 0; i < s->n_chain; i++)
		certs[1 + i] = buf_span(&s->chain[i]);
	vfy_check(&v, u->policy, &in);
	accepted = verdict_accepted(&v);
	if (!accepted)
		assert_int_equal(verdict_reason(&v), REASON_ISSUER_NOT_ALLOWED);
	verdict_clear(&v);
	return accepted;
}

static void
an_issuer_is_allowed_here_when_the_daemon_allows_it(void **state)
{
	unsigned both[2] = {0};

	(void)state;
	for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
		for (size_t k = 0; k < 2 * sizeof chains / sizeof chains[0]; k++) {
			struct watch_evidence evidence;
			struct watch_finding *f;
			char config[512];
			struct scene s;
			bool there;

			(void)snprintf(config, sizeof config, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"%s\"}"), allowed[i]);
			scene_open(&s, config, "");
			chains[k / 2](&s);
			there = daemon_allows(&s);
			f = scene_finding(&s, k % 2 == 0);
			evidence = scene_evidence(&s, k % 2 == 0);
			if ((finding_judge(f, s.plan, &evidence) == JUDGEMENT_EXPECTED) != there)
				fail_msg("\"%s\", %s: %s by the daemon, %s here", allowed[i], chains_of[k / 2],
					 there ? "allowed" : "not allowed", f->because);
			both[there]++;
			finding_free(f);
			scene_close(&s);
		}
	assert_true(both[false] > 20 && both[true] > 20);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proof_is_a_signature_and_a_path),
	    cmocka_unit_test(only_what_is_proven_is_blocked),
	    cmocka_unit_test(another_log_proves_what_the_first_did_not),
	    cmocka_unit_test(a_key_hash_alone_makes_nothing_expected),
	    cmocka_unit_test(a_block_is_removed_when_another_log_shows_that_it_was_wrong),
	    cmocka_unit_test(an_issuer_is_allowed_here_when_the_daemon_allows_it),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
