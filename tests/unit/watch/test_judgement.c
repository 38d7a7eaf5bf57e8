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
	    {"a known fingerprint does not cover a precertificate", "", "cert-sha256 @C\n", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	    {"a known issuer's key, in a precertificate", "", "spki-sha256 @I\n", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"an allowed issuer's key", "allow-issuer = {\"spki-sha256 @I\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"an allowed issuer's key, of a certificate", "allow-issuer = {\"spki-sha256 @I\"}", "", false, JUDGEMENT_NEEDS_CHAIN,
		JUDGEMENT_EXPECTED},
	    {"an allowed root's key", "allow-issuer = {\"spki-sha256 @R\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"an allowed root's key, of a certificate", "allow-issuer = {\"spki-sha256 @R\"}", "", false, JUDGEMENT_NEEDS_CHAIN,
		JUDGEMENT_EXPECTED},
	    {"an allowed issuer that is another", "allow-issuer = {\"spki-sha256 @L\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	    {"a pinned key", "pin = {\"spki-sha256 @L\"}", "", true, JUDGEMENT_EXPECTED, JUDGEMENT_EXPECTED},
	    {"a pinned issuer", "pin = {\"spki-sha256 @I\"}", "", true, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"a pinned root", "pin = {\"spki-sha256 @R\"}", "", false, JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_EXPECTED},
	    {"a pin of another key", "pin = {\"spki-sha256 0000000000000000000000000000000000000000000000000000000000000001\"}", "", false,
		JUDGEMENT_NEEDS_CHAIN, JUDGEMENT_ROGUE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[1024];
		struct scene s;
		struct watch_finding *f;
		struct watch_evidence evidence;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\nwatch { known-file = {\"@D/known.txt\"} }\n"
		    "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" %s }\n"
		    "upstream \"other\" { address = {\"9.9.9.9\"} pin = {\"spki-sha256 @L\"} trust-anchors = \"@D/anchors.pem\" }\n", rows[i].upstream);
		scene_open(&s, config, rows[i].known);
		f = scene_finding(&s, rows[i].precertificate);
		if (finding_judge(f, s.plan, NULL) != rows[i].first)
			fail_msg("%s, without the chain: %s", rows[i].what, f->because);
		evidence = scene_evidence(&s, rows[i].precertificate);
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
	struct watch_finding *f;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("pin = {\"spki-sha256 @L\"}")
	    "upstream \"other\" { address = {\"192.0.2.1\"} name = \"resolver.lab.test\" }\n", "");
	f = scene_finding(&s, true);
	assert_int_equal(f->n_item, 2);
	assert_int_equal(finding_judge(f, s.plan, NULL), JUDGEMENT_ROGUE);
	finding_free(f);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(findings_are_judged),
	    cmocka_unit_test(a_certificate_of_two_upstreams_must_suit_both),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
