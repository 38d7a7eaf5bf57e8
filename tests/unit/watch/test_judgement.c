/* Findings judged: expected or rogue, from the entry alone and with its chain. */
#include "tests/unit/watch/findings_scene.h"

#include "contrib/watch/judgement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
findings_are_judged(void **state)
{
	static const struct {
		const char *what, *upstream, *known;
		bool precertificate;
		enum finding_judged first, with_chain;
	} rows[] = {
	    {"nothing is known", "", "", true, JUDGEMENT_ROGUE, JUDGEMENT_ROGUE},
	    {"nothing is known of the certificate", "", "", false, JUDGEMENT_ROGUE, JUDGEMENT_ROGUE},
	    {"a known key, in a precertificate", "", "spki-sha256 @L\n", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a known key", "", "spki-sha256 @L\n", false, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a known fingerprint", "", "cert-sha256 @C\n", false, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a known fingerprint says nothing of a precertificate", "", "cert-sha256 @C\n", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	    {"a known issuer's key, in a precertificate", "", "spki-sha256 @I\n", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"an allowed issuer's key", "allow-issuer = {\"spki-sha256 @I\"}", "", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"an allowed issuer's key, of a certificate", "allow-issuer = {\"spki-sha256 @I\"}", "", false, JUDGEMENT_NEEDS_CHAIN,
		JUDGEMENT_EXPECTED},
	    {"an allowed root's key", "allow-issuer = {\"spki-sha256 @R\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"an allowed root's key, of a certificate", "allow-issuer = {\"spki-sha256 @R\"}", "", false, JUDGEMENT_NEEDS_CHAIN,
		JUDGEMENT_EXPECTED},
	    {"an allowed issuer that is another", "allow-issuer = {\"spki-sha256 @L\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	    {"a pinned key", "pin = {\"spki-sha256 @L\"}", "", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a pinned issuer", "pin = {\"spki-sha256 @I\"}", "", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a pinned root", "pin = {\"spki-sha256 @R\"}", "", false, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"a pin of another key", "pin = {\"spki-sha256 0000000000000000000000000000000000000000000000000000000000000001\"}", "", false,
		JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[1024];
		struct scene s;
		struct watch_entry e;
		struct watch_match m;
		struct watch_finding *f;
		struct watch_evidence evidence;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\nwatch { known-file = {\"@D/known.txt\"} }\n"
		    "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" %s }\n"
		    "upstream \"other\" { address = {\"9.9.9.9\"} pin = {\"spki-sha256 @L\"} trust-anchors = \"@D/anchors.pem\" }\n", rows[i].upstream);
		scene_open(&s, config, rows[i].known);
		e = scene_entry(&s, rows[i].precertificate, 7);
		assert_true(watch_list_match(s.plan->list, &m, e.certificate, e.precertificate));
		f = finding_new(s.plan, &e, &m, 1);
		assert_non_null(f);
		if (finding_judge(f, s.plan, NULL) != rows[i].first)
			fail_msg("%s, without the chain: %s", rows[i].what, f->because);
		evidence = (struct watch_evidence){.chain = {buf_span(&s.issuing)}, .n_chain = 1};
		if (finding_judge(f, s.plan, &evidence) != rows[i].with_chain)
			fail_msg("%s, with the chain: %s", rows[i].what, f->because);
		finding_free(f);
		scene_close(&s);
	}
}

static void
a_certificate_of_two_upstreams_must_suit_both(void **state)
{
	struct scene s;
	struct watch_entry e;
	struct watch_match m;
	struct watch_finding *f;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("pin = {\"spki-sha256 @L\"}")
	    "upstream \"other\" { address = {\"192.0.2.1\"} name = \"resolver.lab.test\" }\n", "");
	e = scene_entry(&s, true, 7);
	assert_true(watch_list_match(s.plan->list, &m, e.certificate, true));
	f = finding_new(s.plan, &e, &m, 1);
	assert_int_equal(f->n_item, 2);
	assert_int_equal(finding_judge(f, s.plan, NULL), JUDGEMENT_ROGUE);
	finding_free(f);
	scene_close(&s);
}

/* A chain of other CAs proves nothing, whatever the log puts beside the entry. */
static void
a_chain_that_does_not_verify_does_not_count(void **state)
{
	struct scene s;
	struct watch_entry e;
	struct watch_match m;
	struct watch_finding *f;
	struct watch_evidence evidence = {.n_chain = 1};

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @R\"}"), "");
	for (int pre = 0; pre < 2; pre++) {
		forge_free(&s.leaf);
		forged_leaf(&s.leaf, CA_STRANGER_ISSUING);
		buf_clear(&s.certificate);
		buf_clear(&s.tbs);
		forge_certificate(&s.leaf, world_logs(forged_world()), &s.certificate);
		forge_precert_tbs(&s.leaf, &s.tbs);
		e = scene_entry(&s, pre != 0, 7);
		memcpy(e.issuer_key_hash, world_ca_key(forged_world(), CA_STRANGER_ISSUING)->spki_sha256, 32);
		assert_true(watch_list_match(s.plan->list, &m, e.certificate, pre != 0));
		f = finding_new(s.plan, &e, &m, 1);
		evidence.chain[0] = buf_span(&s.issuing);
		assert_int_equal(finding_judge(f, s.plan, &evidence), JUDGEMENT_ROGUE);
		finding_free(f);
	}
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(findings_are_judged),
	    cmocka_unit_test(a_certificate_of_two_upstreams_must_suit_both),
	    cmocka_unit_test(a_chain_that_does_not_verify_does_not_count),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
