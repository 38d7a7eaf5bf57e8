/* Actions on findings: they are blocked, reported to a program, and kept with their evidence. */
#include "tests/unit/watch/findings_scene.h"

#include "base/log.h"
#include "contrib/watch/child.h"
#include "contrib/watch/findings_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

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
		scene_start(&s);
		scene_see(&s, true, 7);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		text = scene_file_get(&s, rows[i].file);
		if (text_times(text, "\nserial ") != rows[i].serials || text_times(text, "\nspki-sha256 ") != rows[i].keys)
			fail_msg("%s: %s", rows[i].what, text);
		if (rows[i].serials > 0 && strcmp(rows[i].file, "disallow.txt") == 0) {
			char path[128];

			assert_true(text_times(text, "log=\"Toy \\x22log\\x22\"") == 1 && text_times(text, "index=7") == 1);
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

/* The log shows a head some time after a poll, and the next poll gets the entry; from then on it takes one step of the
 * loop, and one step after its chain has come. No other time passes. */
static void
from_the_head_to_the_list_it_takes_less_than_ten_seconds(void **state)
{
	static const struct {
		const char *what, *upstream, *known;
	} rows[] = {{"nothing is known of its issuer", "", "# nothing\n"},
		    {"the chain could show that it is expected", "allow-issuer = {\"spki-sha256 @L\"}", ""}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[512], *list;
		struct scene s;
		int64_t start;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
		    "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" %s }\n"
		    "watch { poll = \"5s\" block = \"enforce\" known-file = {\"@D/known.txt\"} }\n", rows[i].upstream);
		scene_open(&s, config, rows[i].known);
		scene_start(&s);
		start = scene_boot_ms;
		scene_boot_ms += POLL_MS;
		scene_see(&s, true, 7);
		scene_boot_ms += FINDINGS_STEP_MS;
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		scene_boot_ms += FINDINGS_STEP_MS;
		watch_findings_step(s.w);
		list = scene_file_get(&s, "disallow.txt");
		if (text_times(list, "\nserial ") != 1 || scene_boot_ms - start >= 10000)
			fail_msg("%s: %lld ms, %s", rows[i].what, (long long)(scene_boot_ms - start), list);
		assert_true(s.w->reload || launcher_is_busy(s.launcher)); /* the daemon is asked in the same step */
		free(list);
		scene_close(&s);
	}
}

/* Having a certificate issued for the resolver's own key must not get that key blocked. */
static void
an_expected_key_is_never_blocked(void **state)
{
	struct scene s;
	char *text;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n" UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}")
	    "watch { block = \"enforce\" }\n", "");
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	scene_leaf(&s, CA_FINA_ISSUING, NULL); /* the same key, another issuer */
	scene_see(&s, true, 8);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	watch_findings_step(s.w);
	text = scene_file_get(&s, "disallow.txt");
	assert_int_equal(text_times(text, "\nserial "), 1);
	assert_int_equal(text_times(text, "\nspki-sha256 "), 0);
	free(text);
	scene_close(&s);
}

static void
another_key(struct forge *leaf)
{
	leaf->key = world_ca_key(forged_world(), CA_STRANGER_ISSUING);
}

/* Another CA under the issuer's name, which a careless root certified. */
static void
issuer_twin(struct scene *s, struct forge *twin)
{
	forged_ca(twin, CA_FINA_ISSUING);
	twin->subject = world_ca_name(CA_ISSUING);
	scene_leaf(s, CA_ISSUING, another_key);
	s->leaf.issuer_key = twin->key;
	scene_sign(s);
	scene_chain_clear(s);
	scene_chain_add(s, twin);
}

/* A CA issued a certificate with the serial and the issuer name of an expected one, and another key. */
static void
an_expected_serial_is_never_blocked(void **state)
{
	for (int again = 0; again < 2; again++) { /* in one process, and after a restart */
		struct forge twin;
		struct scene s;
		char *text;

		(void)state;
		scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
			   UPSTREAM("allow-issuer = {\"spki-sha256 @I\"}") "watch { block = \"enforce\" }\n", "");
		scene_start(&s);
		scene_see(&s, true, 7);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		if (again) {
			scene_kill(&s);
			scene_start(&s);
		}
		issuer_twin(&s, &twin);
		scene_see(&s, true, 8);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		text = scene_file_get(&s, "disallow.txt");
		assert_int_equal(text_times(text, "\nserial "), 0);
		assert_int_equal(text_times(text, "\nspki-sha256 "), 1);
		free(text);
		forge_free(&twin);
		scene_close(&s);
	}
}

/* @S serial and @N issuer name of the finding, as scene_fill fills the rest. Yours. */
static char *
journal_text(const struct scene *s, const char *kind, const char *rest)
{
	struct watch_finding *f = scene_finding(s, true);
	struct buf text = buf_max(4096);
	char *filled;

	buf_format(&text, "{\"time\":\"2026-11-01T00:00:00Z\",\"event\":\"%s\",\"upstream\":\"lab\",\"address\":\"1.1.1.1:853\",", kind);
	for (; *rest != '\0'; rest++)
		if (rest[0] == '@' && (rest[1] == 'S' || rest[1] == 'N'))
			buf_text(&text, *++rest == 'S' ? f->serial : f->issuer);
		else
			buf_u8(&text, (uint8_t)*rest);
	buf_text(&text, "}\n");
	filled = scene_fill(s, buf_cstr(&text));
	buf_free(&text);
	finding_free(f);
	return filled;
}

/* A rogue certificate has the key or the serial of a good one that was in no log we read, but that the daemon accepted. */
static void
what_the_daemon_accepted_is_never_blocked(void **state)
{
#define SERIAL  "\"serial\":\"@S\","
#define OTHER   "\"serial\":\"1234\","
#define ISSUER  "\"issuer\":\"@N\","
#define KEY(k)  "\"spki_sha256\":\"" k "\","
#define BY(k)   "\"issuer_spki_sha256\":\"" k "\""
	static const struct {
		const char *what, *kind, *record; /* record NULL: the journal cannot be read */
		unsigned serials, keys, comments;
	} rows[] = {
	    {"a good certificate has its key", "first-acceptance", OTHER ISSUER KEY("@L") BY("@F"), 1, 0, 0},
	    {"so does one that is known from before", "known", OTHER ISSUER KEY("@L") BY("@F"), 1, 0, 0},
	    {"one with its key was refused", "refused", OTHER ISSUER KEY("@L") BY("@F"), 1, 1, 0},
	    {"the daemon accepted the rogue one itself", "change", SERIAL ISSUER KEY("@L") BY("@I"), 1, 1, 0},
	    {"it did, and the journal does not have the signer", "change", SERIAL ISSUER KEY("@L") BY(""), 1, 1, 0},
	    {"a good one has its serial and issuer name", "accepted", SERIAL ISSUER KEY("@F") BY("@F"), 0, 1, 0},
	    {"a good one of another CA has its serial", "accepted", SERIAL "\"issuer\":\"CN=Other\"," KEY("@F") BY("@F"), 1, 1, 0},
	    {"a good one has its key, serial and issuer name", "accepted", SERIAL ISSUER KEY("@L") BY("@F"), 0, 0, 1},
	    {"the journal cannot be read", NULL, NULL, 1, 0, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *list, *proposed, *journal, path[128];
		struct scene s;

		scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n" PLAIN
		    "watch { block = \"enforce\" known-file = {\"@D/known.txt\"} }\n", "");
		(void)snprintf(path, sizeof path, "%s/journal.jsonl", s.folder);
		if (rows[i].record == NULL) {
			assert_int_equal(mkdir(path, 0700), 0);
		} else {
			journal = journal_text(&s, rows[i].kind, rows[i].record);
			scene_file_put(&s, "journal.jsonl", journal);
			free(journal);
		}
		scene_start(&s);
		scene_see(&s, true, 7);
		watch_findings_step(s.w);
		scene_chain_arrives(&s);
		watch_findings_step(s.w);
		list = scene_file_get(&s, "disallow.txt");
		proposed = scene_file_get(&s, "proposed.txt");
		if (text_times(list, "\nserial ") != rows[i].serials || text_times(list, "\nspki-sha256 ") != rows[i].keys ||
		    text_times(proposed, "is not blocked: a good certificate") != 2 * rows[i].comments ||
		    watch_findings_totals(s.w)->not_blocked != rows[i].comments)
			fail_msg("%s: %s, %s", rows[i].what, list, proposed);
		free(list);
		free(proposed);
		scene_close(&s);
	}
}

/* A person finds that it is a renewal and enters its key: the watcher removes the block when it is restarted. */
static void
what_becomes_known_is_unblocked(void **state)
{
	static const struct {
		const char *what, *known;
		unsigned serials;
	} rows[] = {{"its key is known now", "spki-sha256 @L\n", 0}, {"another key is known now", "spki-sha256 @F\n", 1}, {"nothing is known now", "", 1}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct config_errors errors = {0};
		char *text, path[128];
		struct scene s;

		scene_open(&s, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n" PLAIN
		    "watch { block = \"enforce\" known-file = {\"@D/known.txt\"} }\n", "");
		scene_start(&s);
		scene_see(&s, true, 7);
		scene_settle(&s);
		scene_kill(&s);
		text = scene_fill(&s, rows[i].known);
		scene_file_put(&s, "known.txt", text);
		free(text);
		watch_plan_free(s.plan);
		s.plan = NULL;
		(void)snprintf(path, sizeof path, "%s/ctstub.conf", s.folder);
		assert_int_equal(watch_plan_read(&s.plan, path, &errors), RES_OK);
		for (int start = 0; start < 2; start++) {
			scene_start(&s);
			text = scene_file_get(&s, "disallow.txt");
			if (text_times(text, "\nserial ") != rows[i].serials || text_times(text, "\nspki-sha256 ") != rows[i].serials ||
			    watch_findings_totals(s.w)->finding[FINDING_ROGUE] != rows[i].serials ||
			    s.w->reload != (rows[i].serials == 0 && start == 0))
				fail_msg("%s, start %d: %s", rows[i].what, start, text);
			free(text);
			scene_kill(&s);
		}
		scene_close(&s);
	}
}

static void
a_program_gets_the_finding_once(void **state)
{
	struct scene s;
	char script[256], *text;

	(void)state;
	assert_int_equal(dup2(STDERR_FILENO, 50), 50); /* as a library may leave one open */
	assert_int_equal(setenv("LEAK", "1", 1), 0);
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	(void)snprintf(script, sizeof script, "#!/bin/sh\n{ cat; echo $CTSTUB_WATCH_KIND; ls /proc/self/fd | grep -x 50; env | grep -c LEAK; } "
	    ">>%s/watch/alerts\n", s.folder);
	scene_script_put(&s, script);
	scene_start(&s);
	scene_see(&s, true, 7);
	scene_kill(&s); /* before anything was done */
	scene_start(&s);
	scene_settle(&s);
	scene_kill(&s);
	scene_start(&s);
	scene_settle(&s);
	text = scene_file_get(&s, "alerts");
	assert_int_equal(text_times(text, "\"kind\":\"rogue\""), 1);
	assert_int_equal(text_times(text, "\nrogue\n"), 1);
	assert_int_equal(text_times(text, "\n50\n"), 0);
	assert_int_equal(text_times(text, "\nrogue\n0\n"), 1);
	(void)close(50);
	assert_int_equal(text_times(text, "\"der\""), 0);
	free(text);
	scene_close(&s);
}

static void
a_missing_program_is_reported(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	scene_start(&s);
	scene_see(&s, true, 7);
	scene_settle(&s);
	assert_int_equal(watch_findings_totals(s.w)->failed, 1);
	scene_close(&s);
}

static void
a_program_that_hangs_is_killed(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN "watch { exec = \"@D/alert\" }\n", "");
	scene_script_put(&s, "#!/bin/sh\nsleep 1000 & wait\n");
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	watch_findings_step(s.w);
	assert_true(watch_findings_busy(s.w));
	scene_boot_ms += CHILD_MS;
	scene_settle(&s);
	assert_int_equal(watch_findings_totals(s.w)->failed, 1);
	scene_close(&s);
}

/* ---- actions that fail */

static char lines[16384]; /* the log */

static void
line_keep(void *ctx, const char *line, size_t n)
{
	size_t at = strlen(lines);

	(void)ctx;
	(void)snprintf(lines + at, sizeof lines - at, "%.*s\n", (int)n, line);
}

static void
line_forget(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	(void)n;
}

/* Files grow to that size and no further. */
static void
files_limit(rlim_t size)
{
	struct rlimit l;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &l), 0);
	l.rlim_cur = size;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &l), 0);
}

static void
record_fill(const struct scene *s)
{
	struct stat st;

	assert_int_equal(fstatat(s->watch, "findings.jsonl", &st, 0), 0);
	files_limit((rlim_t)st.st_size);
}

static void
record_empty(const struct scene *s)
{
	(void)s;
	files_limit(RLIM_INFINITY);
}

static void
list_spoil(const struct scene *s)
{
	assert_int_equal(mkdirat(s->watch, "disallow.txt", 0700), 0);
}

static void
list_mend(const struct scene *s)
{
	assert_int_equal(unlinkat(s->watch, "disallow.txt", AT_REMOVEDIR), 0);
}

static void
proposals_spoil(const struct scene *s)
{
	assert_int_equal(mkdirat(s->watch, "proposed.txt", 0700), 0);
}

static void
proposals_mend(const struct scene *s)
{
	assert_int_equal(unlinkat(s->watch, "proposed.txt", AT_REMOVEDIR), 0);
}

static void
program_put(const struct scene *s)
{
	char script[128];

	(void)snprintf(script, sizeof script, "#!/bin/sh\ncat >>%s/watch/alerts\n", s->folder);
	scene_script_put(s, script);
}

static void
program_spoil(const struct scene *s)
{
	char path[128];

	program_put(s);
	(void)snprintf(path, sizeof path, "%s/alert", s->folder);
	assert_int_equal(chmod(path, 0600), 0);
}

static void
program_absent(const struct scene *s)
{
	(void)s;
}

static bool *no_process; /* also in the launcher */

pid_t __real_fork(void);
pid_t __wrap_fork(void);

pid_t
__wrap_fork(void)
{
	if (no_process == NULL || !*no_process)
		return __real_fork();
	errno = EAGAIN;
	return -1;
}

static void
processes_spoil(const struct scene *s)
{
	program_put(s);
	*no_process = true;
}

static void
processes_mend(const struct scene *s)
{
	(void)s;
	*no_process = false;
}

/* A start reads what the last one left. */
static void
start_again(struct scene *s)
{
	scene_kill(s);
	scene_start(s);
	scene_settle(s);
}

/* An action that cannot be done now is no work to wait for: it is logged once, tried a minute later, and done then. */
static void
actions_that_fail_are_tried_again(void **state)
{
	static const struct {
		const char *what, *more, *watch;
		bool proven;
		bool late; /* spoilt after its chain has come */
		void (*spoil)(const struct scene *), (*mend)(const struct scene *);
		const char *line;        /* of the log, once */
		const char *file, *text; /* what is there in the end, once, and not before */
		const char *done;        /* what the log has of it in the end, once */
	} rows[] = {
	    {"the list is a folder", "", "block = \"enforce\" known-file = {\"@D/known.txt\"}", true, false, list_spoil, list_mend, "not-blocked ",
	     "disallow.txt", "\nserial ", " blocked "},
	    {"the proposals are a folder", "", "block = \"propose\"", true, false, proposals_spoil, proposals_mend, "not-blocked ", "proposed.txt",
	     "\nserial ", " proposed "},
	    {"the proposals are a folder, and nothing proves it", "", "block = \"propose\"", false, false, proposals_spoil, proposals_mend,
	     "error not-blocked ", "findings.jsonl", "\"not-blocked\"", "warn not-blocked "},
	    {"the record is full when it is blocked", "", "block = \"enforce\" known-file = {\"@D/known.txt\"}", true, true, record_fill, record_empty,
	     "finding-not-recorded ", "findings.jsonl", "\"blocked\"", " blocked "},
	    {"the record is full when its chain shows that it is expected", "allow-issuer = {\"spki-sha256 @I\"}", "block = \"report\"", true, false,
	     record_fill, record_empty, "finding-not-recorded ", "findings.jsonl", "\"kind\":\"expected\"", " expected "},
	    {"the program is not there", "", "exec = \"@D/alert\"", true, false, program_absent, program_put, "exec-failed ", "alerts",
	     "\"kind\":\"rogue\"", "error exec-failed "},
	    {"the program may not be run", "", "exec = \"@D/alert\"", true, false, program_spoil, program_put, "exec-failed ", "alerts",
	     "\"kind\":\"rogue\"", "error exec-failed "},
	    {"no process can be started", "", "exec = \"@D/alert\"", true, false, processes_spoil, processes_mend, "exec-failed ", "alerts",
	     "\"kind\":\"rogue\"", "error exec-failed "},
	};

	(void)state;
	(void)signal(SIGXFSZ, SIG_IGN);
	no_process = mmap(NULL, sizeof *no_process, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(no_process, MAP_FAILED);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char config[512], *text;
		struct scene s;

		(void)snprintf(config, sizeof config, "state-dir = \"@D\"\ncontrol-socket = \"@D/none\"\n"
			       "upstream \"lab\" { address = {\"1.1.1.1\"} trust-anchors = \"@D/anchors.pem\" ct = \"off\" %s }\nwatch { %s }\n",
			       rows[i].more, rows[i].watch);
		scene_open(&s, config, "");
		lines[0] = '\0';
		log_capture(line_keep, NULL);
		scene_start(&s);
		scene_see(&s, true, 7);
		if (!rows[i].late)
			rows[i].spoil(&s);
		watch_findings_step(s.w);
		if (!rows[i].proven)
			scene_chain_clear(&s);
		scene_chain_arrives(&s);
		if (rows[i].late)
			rows[i].spoil(&s);
		for (int64_t end = scene_boot_ms + FINDINGS_AGAIN_MS; scene_boot_ms < end; scene_boot_ms += 1000) {
			watch_findings_step(s.w);
			scene_settle(&s); /* a reload may have been asked for */
			assert_int_equal(watch_findings_again(s.w), end);
			text = scene_file_get(&s, rows[i].file);
			if (text_times(text, rows[i].text) != 0 || text_times(lines, rows[i].line) != 1)
				fail_msg("%s, before: %s, %s", rows[i].what, text, lines);
			free(text);
			text = scene_file_get(&s, "findings.jsonl");
			assert_int_equal(text_times(text, "exec-started"), 0);
			free(text);
		}
		rows[i].mend(&s);
		for (int step = 0; step < 3; step++) {
			watch_findings_step(s.w);
			scene_settle(&s);
		}
		start_again(&s);
		text = scene_file_get(&s, rows[i].file);
		if (text_times(text, rows[i].text) != 1 || text_times(lines, rows[i].line) != 1 || text_times(lines, rows[i].done) != 1 ||
		    watch_findings_again(s.w) != INT64_MAX)
			fail_msg("%s, after: %s, %s", rows[i].what, text, lines);
		free(text);
		log_capture(line_forget, NULL);
		scene_close(&s);
	}
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
	scene_start(&s);
	scene_see(&s, true, 7);
	assert_int_equal(record_load(s.w->record, record_at(s.w->record, 0), &f), RES_OK);
	scene_settle(&s);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		char *text;

		(void)snprintf(name, sizeof name, "evidence/%s/%s", finding_id_text(f, id), names[i]);
		text = scene_file_get(&s, name);
		if (*text == '\0')
			fail_msg("%s is empty", name);
		free(text);
	}
	finding_free(f);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(actions_follow_the_configuration),
	    cmocka_unit_test(from_the_head_to_the_list_it_takes_less_than_ten_seconds),
	    cmocka_unit_test(an_expected_key_is_never_blocked),
	    cmocka_unit_test(an_expected_serial_is_never_blocked),
	    cmocka_unit_test(what_the_daemon_accepted_is_never_blocked),
	    cmocka_unit_test(what_becomes_known_is_unblocked),
	    cmocka_unit_test(a_program_gets_the_finding_once),
	    cmocka_unit_test(a_missing_program_is_reported),
	    cmocka_unit_test(a_program_that_hangs_is_killed),
	    cmocka_unit_test(actions_that_fail_are_tried_again),
	    cmocka_unit_test(evidence_is_kept),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
