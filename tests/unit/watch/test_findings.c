/* Findings: judged, recorded once, acted on, taken up again after the process was killed. */
#include "contrib/watch/findings.h"
#include "contrib/watch/findings_state.h"
#include "contrib/watch/judgement.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "tests/unit/verify/forged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the reader that is not there */

static struct ctlog toy_ctlog = {.id = {1, 2, 3}, .description = "Toy \"log\""};
static const struct watch_log toy = {&toy_ctlog, "https://127.0.0.1/", "01"};
static struct {
	watch_evidence_fn *fn;
	void *arg;
	uint64_t index;
	unsigned asked;
	enum res answer;
} asked;

enum res
watch_evidence_get(struct watch_reader *r, const struct watch_log *log, uint64_t index, watch_evidence_fn *fn, void *arg)
{
	(void)r;
	(void)log;
	if (asked.answer == RES_OK) {
		asked.fn = fn;
		asked.arg = arg;
		asked.index = index;
	}
	asked.asked++;
	return asked.answer;
}

static const struct watch_log *
log_find(const struct watch_reader *r, const uint8_t id[32])
{
	(void)r;
	return memcmp(id, toy_ctlog.id, 32) == 0 ? &toy : NULL;
}

#define READER ((struct watch_reader *)(void *)&asked)

/* ---- a clock */

static int64_t boot_ms = 1000;

static int64_t
scripted_boot(void)
{
	return boot_ms;
}

static int64_t
scripted_wall(void)
{
	return 1795435200000 + boot_ms;
}

static const struct clock_source scripted = {scripted_wall, scripted_boot, scripted_boot};

/* Runs on with every look. */
static int64_t
hurried_boot(void)
{
	return boot_ms += 1000;
}

static const struct clock_source hurried = {scripted_wall, hurried_boot, hurried_boot};

/* ---- a world, a configuration and a folder */

struct scene {
	char folder[64];
	int watch; /* state-dir/watch */
	struct forged forged;
	struct forge leaf;
	struct buf certificate, tbs, issuing, root;
	struct watch_plan *plan;
	struct watch_findings *w;
};

static void
file_put(const struct scene *s, const char *name, const char *text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", s->folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* @D the folder; @L @I @R the keys of leaf, issuing CA and root in hex; @C the certificate's fingerprint. */
static char *
filled(const struct scene *s, const char *text)
{
	struct buf out = buf_max(65536);
	char hex[65];
	uint8_t hash[32];

	for (; *text != '\0'; text++) {
		if (*text != '@') {
			buf_u8(&out, (uint8_t)*text);
			continue;
		}
		switch (*++text) {
		case 'D':
			buf_text(&out, s->folder);
			break;
		case 'L':
			buf_text(&out, hex_write(hex, span_of(s->leaf.key->spki_sha256, 32)));
			break;
		case 'I':
			buf_text(&out, hex_write(hex, span_of(world_ca_key(forged_world(), CA_ISSUING)->spki_sha256, 32)));
			break;
		case 'R':
			buf_text(&out, hex_write(hex, span_of(world_ca_key(forged_world(), CA_ROOT)->spki_sha256, 32)));
			break;
		case 'C':
			lab_sha256(hash, buf_span(&s->certificate));
			buf_text(&out, hex_write(hex, span_of(hash, 32)));
			break;
		}
	}
	return buf_take_cstr(&out);
}

#define UPSTREAM(more) "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" " more "}\n"
#define PLAIN          UPSTREAM("")

static void
scene_open(struct scene *s, const char *config, const char *known)
{
	char path[128], *text;
	struct config_errors errors = {0};

	*s = (struct scene){.folder = "/tmp/test-findings.XXXXXX"};
	assert_non_null(mkdtemp(s->folder));
	(void)snprintf(path, sizeof path, "%s/watch", s->folder);
	assert_int_equal(mkdir(path, 0750), 0);
	s->watch = open(path, O_RDONLY | O_DIRECTORY);
	forged_begin(&s->forged);
	forged_anchor(&s->forged, CA_ROOT);
	file_put(s, "anchors.pem", buf_cstr(&s->forged.anchors));
	forged_leaf(&s->leaf, CA_ISSUING);
	s->certificate = s->tbs = s->issuing = s->root = buf_max(FORGE_CERT_MAX);
	forge_certificate(&s->leaf, world_logs(forged_world()), &s->certificate);
	forge_precert_tbs(&s->leaf, &s->tbs);
	forged_put_ca(&s->forged, CA_ISSUING);
	buf_put(&s->issuing, s->forged.certs[0]);
	text = filled(s, known);
	file_put(s, "known.txt", text);
	free(text);
	text = filled(s, config);
	(void)snprintf(path, sizeof path, "%s/ctstub.conf", s->folder);
	file_put(s, "ctstub.conf", text);
	free(text);
	if (watch_plan_read(&s->plan, path, &errors) != RES_OK)
		fail_msg("%s", errors.n > 0 ? errors.line[0] : "no memory");
	asked.fn = NULL;
	asked.asked = 0;
	asked.answer = RES_OK;
}

static void
findings_start(struct scene *s)
{
	char *why = NULL;

	if (watch_findings_open(&s->w, s->plan, s->watch, &why) != RES_OK)
		fail_msg("%s", why);
	watch_findings_attach(s->w, READER, log_find);
}

/* As a kill would: nothing more is written. */
static void
findings_kill(struct scene *s)
{
	watch_findings_close(s->w);
	s->w = NULL;
	asked.fn = NULL;
}

static void
scene_close(struct scene *s)
{
	char command[128];

	watch_findings_close(s->w);
	watch_plan_free(s->plan);
	forge_free(&s->leaf);
	forged_end(&s->forged);
	buf_free(&s->certificate);
	buf_free(&s->tbs);
	buf_free(&s->issuing);
	(void)close(s->watch);
	(void)snprintf(command, sizeof command, "rm -r %s", s->folder);
	assert_int_equal(system(command), 0);
}

static struct watch_entry
entry_of(const struct scene *s, bool precertificate, uint64_t index)
{
	struct watch_entry e = {.log = &toy, .index = index, .timestamp_ms = (uint64_t)s->leaf.not_before_ms + 60000,
				.precertificate = precertificate,
				.certificate = buf_span(precertificate ? &s->tbs : &s->certificate)};

	if (precertificate)
		memcpy(e.issuer_key_hash, world_ca_key(forged_world(), CA_ISSUING)->spki_sha256, 32);
	return e;
}

static void
see(struct scene *s, bool precertificate, uint64_t index)
{
	struct watch_entry e = entry_of(s, precertificate, index);

	watch_entry_seen(s->w, &e);
}

static void
chain_arrives(struct scene *s)
{
	struct watch_evidence e = {.leaf = span_str("leaf"), .certificate = buf_span(&s->certificate),
				   .chain = {buf_span(&s->issuing)}, .n_chain = 1};

	assert_non_null(asked.fn);
	asked.fn(asked.arg, RES_OK, NULL, &toy, asked.index, &e);
	asked.fn = NULL;
}

static char *
file_get(const struct scene *s, const char *name)
{
	struct buf b = buf_max(1 << 20);
	int fd = openat(s->watch, name, O_RDONLY);
	ssize_t n = 0;

	while (fd >= 0 && (n = read(fd, buf_room(&b, 65536), 65536)) > 0)
		buf_added(&b, (size_t)n);
	if (fd >= 0)
		(void)close(fd);
	return buf_take_cstr(&b);
}

static unsigned
times(const char *text, const char *what)
{
	unsigned n = 0;

	while ((text = strstr(text, what)) != NULL) {
		n++;
		text++;
	}
	return n;
}

/* ---- judged */

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
		e = entry_of(&s, rows[i].precertificate, 7);
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
	e = entry_of(&s, true, 7);
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
		e = entry_of(&s, pre != 0, 7);
		memcpy(e.issuer_key_hash, world_ca_key(forged_world(), CA_STRANGER_ISSUING)->spki_sha256, 32);
		assert_true(watch_list_match(s.plan->list, &m, e.certificate, pre != 0));
		f = finding_new(s.plan, &e, &m, 1);
		evidence.chain[0] = buf_span(&s.issuing);
		assert_int_equal(finding_judge(f, s.plan, &evidence), JUDGEMENT_ROGUE);
		finding_free(f);
	}
	scene_close(&s);
}

/* ---- recorded once */

static void
a_certificate_is_one_finding(void **state)
{
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	see(&s, true, 7);
	see(&s, false, 8);
	see(&s, true, 900);
	assert_int_equal(watch_findings_sync(s.w), RES_OK);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	assert_int_equal(watch_findings_totals(s.w)->again, 2);
	findings_kill(&s);
	findings_start(&s);
	see(&s, false, 8);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	record = file_get(&s, "findings.jsonl");
	assert_int_equal(times(record, "\"event\":\"finding\""), 1);
	assert_int_equal(times(record, "\"kind\":\"rogue\""), 1);
	assert_int_equal(times(record, "\"item\":\"1.1.1.1\""), 1);
	free(record);
	scene_close(&s);
}

static void
an_expected_certificate_is_only_recorded(void **state)
{
	struct scene s;
	char *record, *list;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}")
	    "watch { block = \"enforce\" exec = \"/bin/false\" }\n", "");
	findings_start(&s);
	see(&s, true, 7);
	watch_findings_step(s.w);
	assert_false(watch_findings_busy(s.w));
	record = file_get(&s, "findings.jsonl");
	assert_int_equal(times(record, "\n"), 1);
	assert_int_equal(times(record, "\"kind\":\"expected\""), 1);
	list = file_get(&s, "disallow.txt");
	assert_string_equal(list, "");
	free(record);
	free(list);
	scene_close(&s);
}

/* A file that was cut at any byte, as by a kill while it is written: the finding is there once in the end. */
static void
a_cut_record_loses_and_doubles_nothing(void **state)
{
	struct scene s;
	char *whole;
	size_t n;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	see(&s, true, 7);
	findings_kill(&s);
	whole = file_get(&s, "findings.jsonl");
	n = strlen(whole);
	for (size_t cut = 0; cut <= n; cut += cut + 1 == n ? 1 : 61 < n - cut - 1 ? 61 : n - cut - 1) {
		int fd = openat(s.watch, "findings.jsonl", O_WRONLY | O_TRUNC);
		char *record;

		assert_int_equal(write(fd, whole, cut), (ssize_t)cut);
		(void)close(fd);
		findings_start(&s);
		see(&s, true, 7);
		assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
		findings_kill(&s);
		record = file_get(&s, "findings.jsonl");
		if (times(record, "\"event\":\"finding\"") != 1)
			fail_msg("cut at %zu of %zu: %u", cut, n, times(record, "\"event\":\"finding\""));
		free(record);
		if (cut == n)
			break;
	}
	free(whole);
	scene_close(&s);
}

static void
two_processes_do_not_share_a_record(void **state)
{
	struct scene s;
	struct record *second = NULL;
	char *why = NULL;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	clock_use(&hurried);
	assert_int_equal(record_open(&second, s.watch, 10, &why), RES_LIMIT);
	clock_use(&scripted);
	free(why);
	scene_close(&s);
}

/* ---- chains that come late or never */

static void
a_finding_waits_for_its_chain(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @R\"}"), "");
	findings_start(&s);
	see(&s, true, 7);
	watch_findings_step(s.w);
	assert_int_equal(asked.asked, 1);
	assert_int_equal(asked.index, 7);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 0);
	chain_arrives(&s);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_EXPECTED], 1);
	watch_findings_step(s.w);
	assert_false(watch_findings_busy(s.w));
	scene_close(&s);
}

static void
a_waiting_finding_survives_a_kill(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @R\"}"), "");
	findings_start(&s);
	see(&s, true, 7);
	findings_kill(&s);
	findings_start(&s);
	see(&s, true, 7); /* the log is read again from the last position */
	assert_true(watch_findings_busy(s.w));
	watch_findings_step(s.w);
	chain_arrives(&s);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_EXPECTED], 1);
	scene_close(&s);
}

static void
a_chain_that_does_not_come_is_not_waited_for(void **state)
{
	struct scene s;
	char *record, *list;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @R\"}")
	    "watch { block = \"enforce\" }\ncontrol-socket = \"@D/none\"\n", "");
	findings_start(&s);
	see(&s, true, 7);
	watch_findings_step(s.w);
	boot_ms += FINDINGS_CHAIN_WAIT_MS;
	watch_findings_step(s.w);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	list = file_get(&s, "disallow.txt");
	assert_string_equal(list, ""); /* it may still be a renewal */
	free(list);
	boot_ms += FINDINGS_BLOCK_WAIT_MS;
	watch_findings_step(s.w);
	list = file_get(&s, "disallow.txt");
	assert_int_equal(times(list, "\nserial "), 1);
	free(list);
	chain_arrives(&s); /* at last: it was expected */
	record = file_get(&s, "findings.jsonl");
	assert_int_equal(times(record, "\"event\":\"finding\""), 1);
	assert_int_equal(times(record, "\"event\":\"withdrawn\""), 1);
	free(record);
	scene_close(&s);
}

/* ---- blocked, told, kept */

static void
actions_follow_the_configuration(void **state)
{
	static const struct {
		const char *what, *watch, *file;
		unsigned serials, keys;
	} rows[] = {
	    {"report blocks nothing", "block = \"report\"", "disallow.txt", 0, 0},
	    {"report proposes nothing", "block = \"report\"", "proposed.txt", 0, 0},
	    {"propose", "block = \"propose\"", "proposed.txt", 1, 1},
	    {"propose blocks nothing", "block = \"propose\"", "disallow.txt", 0, 0},
	    {"enforce", "block = \"enforce\" known-file = {\"@D/known.txt\"}", "disallow.txt", 1, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[512], *text;
		struct scene s;
		struct config_errors errors = {0};
		struct snapshot *snap = NULL;
		struct settings *settings = NULL;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n" PLAIN "watch { %s }\n", rows[i].watch);
		scene_open(&s, config, "");
		findings_start(&s);
		see(&s, true, 7);
		watch_findings_step(s.w);
		chain_arrives(&s);
		watch_findings_step(s.w);
		text = file_get(&s, rows[i].file);
		if (times(text, "\nserial ") != rows[i].serials || times(text, "\nspki-sha256 ") != rows[i].keys)
			fail_msg("%s: %s", rows[i].what, text);
		if (rows[i].serials > 0 && strcmp(rows[i].file, "disallow.txt") == 0) {
			char path[128];

			assert_true(times(text, "log=\"Toy \\x22log\\x22\"") == 1 && times(text, "index=7") == 1);
			(void)snprintf(path, sizeof path, "%s/ctstub.conf", s.folder);
			assert_int_equal(settings_read(&settings, path, &errors), RES_OK);
			assert_int_equal(snapshot_compile(&snap, settings, 1, &errors), RES_OK);
			assert_int_equal(cert_match_count(snap->upstream[0].policy->disallow[1]), 2);
			snapshot_unref(snap);
		}
		free(text);
		scene_close(&s);
	}
}

#define POLL_MS 5000

/* The log shows a head at some moment after a poll, and the entry is handed over at the next poll; from there on it takes
 * one step of the loop, and with a chain that must come, one step after it. No other time passes. */
static void
from_the_head_to_the_list_it_takes_less_than_ten_seconds(void **state)
{
	static const struct {
		const char *what, *upstream;
		bool chain;
	} rows[] = {{"nothing is known of its issuer", "", false},
		    {"the chain could show that it is expected", "allow-issuer = {\"spki-sha256 @L\"}", true}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[512], *list;
		struct scene s;
		int64_t start;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
		    "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" %s }\n"
		    "watch { poll = \"5s\" block = \"enforce\" known-file = {\"@D/known.txt\"} }\n", rows[i].upstream);
		scene_open(&s, config, rows[i].chain ? "" : "# nothing\n");
		findings_start(&s);
		start = boot_ms;
		boot_ms += POLL_MS;
		see(&s, true, 7);
		boot_ms += FINDINGS_STEP_MS;
		watch_findings_step(s.w);
		if (rows[i].chain) {
			chain_arrives(&s);
			boot_ms += FINDINGS_STEP_MS;
			watch_findings_step(s.w);
		}
		list = file_get(&s, "disallow.txt");
		if (times(list, "\nserial ") != 1 || boot_ms - start >= 10000)
			fail_msg("%s: %lld ms, %s", rows[i].what, (long long)(boot_ms - start), list);
		assert_true(s.w->reload || s.w->children.of[0].reload); /* the daemon is asked in the same step */
		free(list);
		scene_close(&s);
	}
}

/* Whoever has a certificate issued for the resolver's own key must not get that key blocked. */
static void
an_expected_key_is_never_blocked(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}")
	    "watch { block = \"enforce\" }\n", "");
	findings_start(&s);
	see(&s, true, 7);
	forge_free(&s.leaf);
	forged_leaf(&s.leaf, CA_STRANGER_ISSUING); /* the same key, another issuer */
	buf_clear(&s.tbs);
	forge_precert_tbs(&s.leaf, &s.tbs);
	{
		struct watch_entry e = entry_of(&s, true, 8);

		memcpy(e.issuer_key_hash, world_ca_key(forged_world(), CA_STRANGER_ISSUING)->spki_sha256, 32);
		watch_entry_seen(s.w, &e);
	}
	watch_findings_step(s.w);
	chain_arrives(&s);
	watch_findings_step(s.w);
	text = file_get(&s, "disallow.txt");
	assert_int_equal(times(text, "\nserial "), 1);
	assert_int_equal(times(text, "\nspki-sha256 "), 0);
	free(text);
	scene_close(&s);
}

/* Runs until nothing waits; the programs of these tests end at once. */
static void
settle(struct scene *s)
{
	for (int i = 0; i < 2000 && watch_findings_busy(s->w); i++) {
		watch_findings_step(s->w);
		if (asked.fn != NULL)
			chain_arrives(s);
		(void)usleep(1000);
	}
	assert_false(watch_findings_busy(s->w));
}

static void
script_put(const struct scene *s, const char *text)
{
	char path[128];

	file_put(s, "alert", text);
	(void)snprintf(path, sizeof path, "%s/alert", s->folder);
	assert_int_equal(chmod(path, 0755), 0);
}

/* An entry that its log made up: serial and issuer of a certificate that is expected, and another key. */
static void
an_expected_serial_is_never_blocked(void **state)
{
	for (int again = 0; again < 2; again++) { /* in one process, and after a restart */
		struct watch_entry e;
		struct scene s;
		char *text;

		(void)state;
		scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
			   UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}") "watch { block = \"enforce\" }\n", "");
		findings_start(&s);
		see(&s, true, 7);
		if (again) {
			findings_kill(&s);
			findings_start(&s);
		}
		s.leaf.key = world_ca_key(forged_world(), CA_STRANGER_ISSUING);
		buf_clear(&s.tbs);
		forge_precert_tbs(&s.leaf, &s.tbs);
		e = entry_of(&s, true, 8);
		memcpy(e.issuer_key_hash, s.leaf.key->spki_sha256, 32);
		watch_entry_seen(s.w, &e);
		watch_findings_step(s.w);
		chain_arrives(&s);
		watch_findings_step(s.w);
		text = file_get(&s, "disallow.txt");
		assert_int_equal(times(text, "\nserial "), 0);
		assert_int_equal(times(text, "\nspki-sha256 "), 1);
		free(text);
		scene_close(&s);
	}
}

static void
a_program_gets_the_finding_once(void **state)
{
	struct scene s;
	char script[256], *text;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	(void)snprintf(script, sizeof script, "#!/bin/sh\n{ cat; echo $CTSTUB_WATCH_KIND; ls /proc/self/fd | grep -x 50; env | grep -c LEAK; } "
	    ">>%s/watch/alerts\n", s.folder);
	assert_int_equal(dup2(s.watch, 50), 50); /* as a library may leave one open */
	assert_int_equal(setenv("LEAK", "1", 1), 0);
	script_put(&s, script);
	findings_start(&s);
	see(&s, true, 7);
	findings_kill(&s); /* before anything was done */
	findings_start(&s);
	settle(&s);
	findings_kill(&s);
	findings_start(&s);
	settle(&s);
	text = file_get(&s, "alerts");
	assert_int_equal(times(text, "\"kind\":\"rogue\""), 1);
	assert_int_equal(times(text, "\nrogue\n"), 1);
	assert_int_equal(times(text, "\n50\n"), 0);
	assert_int_equal(times(text, "\nrogue\n0\n"), 1);
	(void)close(50);
	assert_int_equal(times(text, "\"der\""), 0);
	free(text);
	scene_close(&s);
}

static void
a_missing_program_is_reported(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	findings_start(&s);
	see(&s, true, 7);
	settle(&s);
	assert_int_equal(watch_findings_totals(s.w)->failed, 1);
	scene_close(&s);
}

static void
a_program_that_hangs_is_killed(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	script_put(&s, "#!/bin/sh\nsleep 1000 & wait\n");
	findings_start(&s);
	see(&s, true, 7);
	watch_findings_step(s.w);
	chain_arrives(&s);
	watch_findings_step(s.w);
	assert_true(watch_findings_busy(s.w));
	boot_ms += CHILD_MS;
	settle(&s);
	assert_int_equal(watch_findings_totals(s.w)->failed, 1);
	scene_close(&s);
}

static void
evidence_is_kept(void **state)
{
	static const char *const names[] = {"finding.json", "leaf.bin", "certificate.der", "chain.pem"};
	struct scene s;
	char name[128], id[64];
	struct watch_finding *f;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	see(&s, true, 7);
	assert_int_equal(record_load(s.w->record, record_at(s.w->record, 0), &f), RES_OK);
	settle(&s);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text;

		(void)snprintf(name, sizeof name, "evidence/%s/%s", finding_id_text(f, id), names[i]);
		text = file_get(&s, name);
		if (*text == '\0')
			fail_msg("%s is empty", name);
		free(text);
	}
	finding_free(f);
	scene_close(&s);
}

/* ---- what cannot be read, and logs */

static void
an_unreadable_entry_is_a_finding(void **state)
{
	struct watch_entry e = {.log = &toy, .index = 3, .unreadable = true, .certificate = span_str("\x30\x03no")};
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	watch_entry_seen(s.w, &e);
	watch_entry_seen(s.w, &e);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_UNREADABLE], 1);
	e.certificate = span_str("\x30\x03" "No");
	watch_entry_seen(s.w, &e);
	record = file_get(&s, "findings.jsonl");
	assert_int_equal(times(record, "\"kind\":\"unreadable\""), 2);
	free(record);
	scene_close(&s);
}

static void
a_log_that_lies_fills_no_disk(void **state)
{
	struct head head = {.size = 1};
	struct watch_misbehaviour m = {.log = &toy, .kind = "head-forked", .text = "two heads", .second = &head};
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	findings_start(&s);
	for (unsigned i = 0; i < 2 * FINDINGS_MISBEHAVED_MAX; i++) {
		watch_log_misbehaved(s.w, &m);
		watch_log_misbehaved(s.w, &m);
		watch_findings_step(s.w);
		head.size++;
	}
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_LOG_MISBEHAVED], FINDINGS_MISBEHAVED_MAX);
	record = file_get(&s, "findings.jsonl");
	assert_int_equal(times(record, "\"problem\":\"head-forked\""), FINDINGS_MISBEHAVED_MAX);
	free(record);
	scene_close(&s);
}

/* Entries that nobody can read fill the places of what waits; a rogue certificate in another log is blocked all the same. */
static void
a_log_that_floods_hides_no_other_log(void **state)
{
	static struct ctlog flooding = {.id = {9}, .description = "flood"};
	static const struct watch_log flood = {&flooding, "https://127.0.0.1/", "09"};
	struct watch_entry e = {.log = &flood, .unreadable = true};
	char bytes[16], *list;
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
		   UPSTREAM("allow-issuer = {\"spki-sha256 @L\"}") "watch { block = \"enforce\" }\n", "");
	findings_start(&s);
	for (e.index = 0; e.index < WAITING_MAX + 10; e.index++) {
		(void)snprintf(bytes, sizeof bytes, "no %u", (unsigned)e.index);
		e.certificate = span_str(bytes);
		watch_entry_seen(s.w, &e);
	}
	watch_findings_step(s.w); /* all are asked for */
	see(&s, true, 7);
	if (asked.fn != NULL) /* what was asked for the one that left comes, and is not taken for the new one's */
		asked.fn(asked.arg, RES_IO, "late", &flood, WAITING_MAX - 1, NULL);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 0);
	watch_findings_step(s.w);
	chain_arrives(&s);
	watch_findings_step(s.w);
	list = file_get(&s, "disallow.txt");
	assert_int_equal(times(list, "\nserial "), 1);
	free(list);
	scene_close(&s);
}

static void
errors_of_the_plan_have_their_place(void **state)
{
	static const struct {
		const char *what, *config, *known, *watched, *error;
	} rows[] = {
	    {"a bad item", "watch { watch-file = {\"@D/watched.txt\"} }", "", "1.1.1.1\n*.test\n", "/watched.txt:2: an address, a prefix"},
	    {"a file that is not there", "watch { watch-file = {\"@D/none.txt\"} }", "", "", "none.txt"},
	    {"a bad known entry", "watch { known-file = {\"@D/known.txt\"} }", "spki-sha256 00\n", "", "/known.txt:1: "},
	    {"a known serial", "watch { known-file = {\"@D/known.txt\"} }", "serial 01 issuer CN=x\n", "", "any CA can choose a serial"},
	    {"enforce without anything known", "watch { block = \"enforce\" }", "", "", "upstream \"lab\" has no allow-issuer"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config_errors errors = {0};
		struct watch_plan *plan = NULL;
		struct scene s;
		char path[128], config[512], *text;

		scene_open(&s, "state-dir = \"@D\"\n" PLAIN, rows[i].known);
		file_put(&s, "watched.txt", rows[i].watched);
		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\n" PLAIN "%s\n", rows[i].config);
		text = filled(&s, config);
		file_put(&s, "bad.conf", text);
		(void)snprintf(path, sizeof path, "%s/bad.conf", s.folder);
		if (watch_plan_read(&plan, path, &errors) == RES_OK)
			fail_msg("%s: taken", rows[i].what);
		if (errors.n != 1 || strstr(errors.line[0], "bad.conf:3: ") == NULL || strstr(errors.line[0], rows[i].error) == NULL)
			fail_msg("%s: %s", rows[i].what, errors.n > 0 ? errors.line[0] : "nothing told");
		config_errors_free(&errors);
		free(text);
		scene_close(&s);
	}
}

static void
nobody_on_line(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	(void)n;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(findings_are_judged),
	    cmocka_unit_test(a_certificate_of_two_upstreams_must_suit_both),
	    cmocka_unit_test(a_chain_that_does_not_verify_does_not_count),
	    cmocka_unit_test(a_certificate_is_one_finding),
	    cmocka_unit_test(an_expected_certificate_is_only_recorded),
	    cmocka_unit_test(a_cut_record_loses_and_doubles_nothing),
	    cmocka_unit_test(two_processes_do_not_share_a_record),
	    cmocka_unit_test(a_finding_waits_for_its_chain),
	    cmocka_unit_test(a_waiting_finding_survives_a_kill),
	    cmocka_unit_test(a_chain_that_does_not_come_is_not_waited_for),
	    cmocka_unit_test(actions_follow_the_configuration),
	    cmocka_unit_test(from_the_head_to_the_list_it_takes_less_than_ten_seconds),
	    cmocka_unit_test(an_expected_key_is_never_blocked),
	    cmocka_unit_test(an_expected_serial_is_never_blocked),
	    cmocka_unit_test(a_program_gets_the_finding_once),
	    cmocka_unit_test(a_missing_program_is_reported),
	    cmocka_unit_test(a_program_that_hangs_is_killed),
	    cmocka_unit_test(evidence_is_kept),
	    cmocka_unit_test(an_unreadable_entry_is_a_finding),
	    cmocka_unit_test(a_log_that_lies_fills_no_disk),
	    cmocka_unit_test(a_log_that_floods_hides_no_other_log),
	    cmocka_unit_test(errors_of_the_plan_have_their_place),
	};

	clock_use(&scripted);
	log_capture(nobody_on_line, NULL);
	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
