/* Findings recorded once, completed later, and resumed after the process was killed. */
#include "tests/unit/watch/findings_scene.h"

#include "base/text.h"
#include "contrib/watch/findings_state.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* ---- recorded once */

static void
a_certificate_is_one_finding(void **state)
{
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	scene_see(&s, true, 7);
	scene_see(&s, false, 8);
	scene_see(&s, true, 900);
	assert_int_equal(watch_findings_sync(s.w), RES_OK);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	assert_int_equal(watch_findings_totals(s.w)->again, 2);
	scene_kill(&s);
	scene_start(&s);
	scene_see(&s, false, 8);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"event\":\"finding\""), 1);
	assert_int_equal(text_times(record, "\"kind\":\"rogue\""), 1);
	assert_int_equal(text_times(record, "\"item\":\"1.1.1.1\""), 1);
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
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	watch_findings_step(s.w);
	assert_false(watch_findings_busy(s.w));
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\n"), 2);
	assert_int_equal(text_times(record, "\"event\":\"pending\""), 1);
	assert_int_equal(text_times(record, "\"kind\":\"expected\""), 1);
	list = scene_file_get(&s, "disallow.txt");
	assert_string_equal(list, "");
	free(record);
	free(list);
	scene_close(&s);
}

/* A file that was cut at any byte, as by a kill in the middle of a write: in the end it has the finding once. */
static void
a_cut_record_neither_loses_nor_repeats_a_finding(void **state)
{
	struct scene s;
	char *whole;
	size_t n;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	scene_see(&s, true, 7);
	scene_kill(&s);
	whole = scene_file_get(&s, "findings.jsonl");
	n = strlen(whole);
	for (size_t cut = 0; cut <= n; cut += cut + 1 == n ? 1 : 61 < n - cut - 1 ? 61 : n - cut - 1) {
		int fd = openat(s.watch, "findings.jsonl", O_WRONLY | O_TRUNC);
		char *record;

		assert_int_equal(write(fd, whole, cut), (ssize_t)cut);
		(void)close(fd);
		scene_start(&s);
		scene_see(&s, true, 7);
		assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
		scene_kill(&s);
		record = scene_file_get(&s, "findings.jsonl");
		if (text_times(record, "\"event\":\"finding\"") != 1)
			fail_msg("cut at %zu of %zu: %u", cut, n, text_times(record, "\"event\":\"finding\""));
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
	static const struct record_limits few = {10, 10, 10, 10, 1 << 20, 1 << 20};
	struct scene s;
	struct record *second = NULL;
	char *why = NULL;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	clock_use(&scene_clock_hurried);
	assert_int_equal(record_open(&second, s.watch, &few, &why), RES_LIMIT);
	clock_use(&scene_clock);
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
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	assert_int_equal(scene_asked.times, 1);
	assert_int_equal(scene_asked.index, 7);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 0);
	scene_chain_arrives(&s);
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
	scene_start(&s);
	scene_see(&s, true, 7);
	scene_kill(&s);
	scene_start(&s);
	scene_see(&s, true, 7); /* the log is read again from the last position */
	assert_true(watch_findings_busy(s.w));
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
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
	scene_start(&s);
	scene_see(&s, true, 7);
	watch_findings_step(s.w);
	scene_boot_ms += FINDINGS_CHAIN_WAIT_MS;
	watch_findings_step(s.w);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 1);
	assert_int_equal(watch_findings_totals(s.w)->not_blocked, 0);
	scene_boot_ms += FINDINGS_BLOCK_WAIT_MS;
	watch_findings_step(s.w);
	watch_findings_step(s.w);
	assert_int_equal(watch_findings_totals(s.w)->not_blocked, 1);
	list = scene_file_get(&s, "disallow.txt");
	assert_string_equal(list, ""); /* it may still be a renewal */
	free(list);
	list = scene_file_get(&s, "proposed.txt"); /* for a person, as comments */
	assert_int_equal(text_times(list, "\n# serial ") + text_times(list, "\n# spki-sha256 "), 2);
	assert_int_equal(text_times(list, "\nserial ") + text_times(list, "\nspki-sha256 "), 0);
	free(list);
	scene_chain_arrives(&s); /* at last: it was expected */
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"event\":\"finding\""), 1);
	assert_int_equal(text_times(record, "\"event\":\"withdrawn\""), 1);
	free(record);
	scene_close(&s);
}

/* ---- entries that cannot be read, and logs that misbehave */

static void
an_unreadable_entry_is_a_finding(void **state)
{
	struct watch_entry e = {.log = &scene_log, .index = 3, .unreadable = true, .certificate = span_str("\x30\x03no")};
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	watch_entry_seen(s.w, &e);
	watch_entry_seen(s.w, &e);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_UNREADABLE], 1);
	e.certificate = span_str("\x30\x03" "No");
	watch_entry_seen(s.w, &e);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"kind\":\"unreadable\""), 2);
	free(record);
	scene_close(&s);
}

static void
a_misbehaving_log_does_not_fill_the_disk(void **state)
{
	struct head head = {.size = 1};
	struct watch_misbehaviour m = {.log = &scene_log, .kind = "head-forked", .text = "two heads", .second = &head};
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	for (unsigned i = 0; i < 2 * FINDINGS_MISBEHAVED_MAX; i++) {
		watch_log_misbehaved(s.w, &m);
		watch_log_misbehaved(s.w, &m);
		watch_findings_step(s.w);
		head.size++;
	}
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_LOG_MISBEHAVED], FINDINGS_MISBEHAVED_MAX);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"problem\":\"head-forked\""), FINDINGS_MISBEHAVED_MAX);
	free(record);
	scene_close(&s);
}

/* Unreadable entries of one log fill all waiting places; a rogue certificate in another log is blocked all the same. */
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
	scene_start(&s);
	for (e.index = 0; e.index < WAITING_MAX + 10; e.index++) {
		(void)snprintf(bytes, sizeof bytes, "no %u", (unsigned)e.index);
		e.certificate = span_str(bytes);
		watch_entry_seen(s.w, &e);
	}
	watch_findings_step(s.w); /* the evidence of all of them is requested */
	scene_see(&s, true, 7);
	if (scene_asked.fn != NULL) /* the evidence for the finding that gave way comes late, and is not used for the new one */
		scene_asked.fn(scene_asked.arg, RES_IO, "late", &flood, WAITING_MAX - 1, NULL);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 0);
	watch_findings_step(s.w);
	scene_chain_arrives(&s);
	watch_findings_step(s.w);
	list = scene_file_get(&s, "disallow.txt");
	assert_int_equal(text_times(list, "\nserial "), 1);
	free(list);
	scene_close(&s);
}

/* ---- a full record */

static const struct record_limits small = {.max = 6, .log_max = 3, .rogue_max = 8, .rogue_log_max = 4, .bytes_max = 1 << 20,
					   .log_bytes_max = 1 << 19};

/* A finding of its own in that log. */
static enum res
record_one(struct record *r, const struct scene *s, uint8_t log, enum finding_kind kind, unsigned number, size_t bytes)
{
	struct watch_finding *f = scene_finding(s, true);
	enum res res;

	memset(f->log_id, log, sizeof f->log_id);
	f->kind = kind;
	memset(f->id, 0, sizeof f->id);
	f->id[0] = log;
	f->id[1] = (uint8_t)kind;
	f->id[2] = (uint8_t)number;
	for (size_t i = 0; i < bytes; i++)
		buf_u8(&f->der, 0);
	f->der.max = bytes > 0 ? f->der.max + bytes : f->der.max;
	res = record_finding(r, f, RECORD_REPORTED, true);
	finding_free(f);
	return res;
}

static void
a_log_with_a_full_share_takes_no_place_of_others(void **state)
{
	static const struct {
		const char *what;
		uint8_t log;
		enum finding_kind kind;
		unsigned n, taken;
	} rows[] = {
	    {"a log floods with unreadable entries", 1, FINDING_UNREADABLE, 9, 3},
	    {"its rogue findings are recorded all the same", 1, FINDING_ROGUE, 9, 4},
	    {"so are findings of another log", 2, FINDING_UNREADABLE, 9, 3},
	    {"and its rogue findings", 2, FINDING_ROGUE, 9, 4},
	    {"there is a limit for all logs together", 3, FINDING_UNREADABLE, 1, 0},
	    {"and one for rogue findings", 3, FINDING_ROGUE, 1, 0},
	};
	struct record *r = NULL;
	char *why = NULL;
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		unsigned taken = 0;

		/* as after a restart: the shares are counted from the file */
		assert_int_equal(record_open(&r, s.watch, &small, &why), RES_OK);
		for (unsigned n = 0; n < rows[i].n; n++)
			taken += record_one(r, &s, rows[i].log, rows[i].kind, n, 0) == RES_OK;
		if (taken != rows[i].taken)
			fail_msg("%s: %u", rows[i].what, taken);
		record_close(r);
	}
	scene_close(&s);
}

/* Each limit is reported once when it is reached, and each finding is still logged and counted. */
static void
a_full_record_is_an_alarm(void **state)
{
	struct watch_entry e = {.log = &scene_log, .unreadable = true};
	char bytes[16], *record;
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	for (e.index = 0; e.index < FINDINGS_LOG_MAX + 5; e.index++) {
		(void)snprintf(bytes, sizeof bytes, "no %u", (unsigned)e.index);
		e.certificate = span_str(bytes);
		assert_true(watch_entry_seen(s.w, &e));
	}
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_UNREADABLE], FINDINGS_LOG_MAX + 5);
	assert_int_equal(watch_findings_totals(s.w)->unrecorded, 5);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"event\":\"finding\""), FINDINGS_LOG_MAX);
	free(record);
	scene_close(&s);
}

/* More findings than there are places: all are acted on, in turn and without a restart. */
static void
findings_without_a_place_get_one_later(void **state)
{
	struct watch_entry e = {.log = &scene_log, .unreadable = true};
	char bytes[16], *record;
	struct scene s;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	for (e.index = 0; e.index < WAITING_MAX + 40; e.index++) {
		(void)snprintf(bytes, sizeof bytes, "no %u", (unsigned)e.index);
		e.certificate = span_str(bytes);
		assert_true(watch_entry_seen(s.w, &e));
	}
	watch_findings_attach(s.w, NULL, NULL); /* no log answers: what is kept is what was found */
	for (int i = 0; i < 6; i++)
		watch_findings_step(s.w);
	assert_false(watch_findings_busy(s.w));
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"event\":\"evidence\""), WAITING_MAX + 40);
	free(record);
	scene_close(&s);
}

/* An entry whose finding is not on disk does not count as read. */
static void
an_entry_that_cannot_be_recorded_comes_again(void **state)
{
	struct rlimit no_file = {0, RLIM_INFINITY}, before;
	struct watch_entry e;
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	e = scene_entry(&s, true, 7);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_file), 0);
	assert_false(watch_entry_seen(s.w, &e));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_ROGUE], 0);
	assert_true(watch_entry_seen(s.w, &e));
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"event\":\"finding\""), 1);
	free(record);
	scene_close(&s);
}

static void
a_misbehaviour_that_cannot_be_recorded_comes_again(void **state)
{
	const struct rlimit no_file = {0, RLIM_INFINITY};
	struct head head = {.size = 1};
	struct watch_misbehaviour m = {.log = &scene_log, .kind = "head-forked", .text = "two heads", .second = &head};
	struct rlimit before;
	struct scene s;
	char *record;

	(void)state;
	scene_open(&s, "state-dir = \"@D\"\n" PLAIN, "");
	scene_start(&s);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &no_file), 0);
	for (unsigned i = 0; i < 2 * FINDINGS_MISBEHAVED_MAX; i++) /* as often as the log is asked */
		assert_false(watch_log_misbehaved(s.w, &m));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_LOG_MISBEHAVED], 0);
	assert_true(watch_log_misbehaved(s.w, &m));
	assert_true(watch_log_misbehaved(s.w, &m)); /* known */
	assert_int_equal(watch_findings_totals(s.w)->finding[FINDING_LOG_MISBEHAVED], 1);
	record = scene_file_get(&s, "findings.jsonl");
	assert_int_equal(text_times(record, "\"problem\":\"head-forked\""), 1);
	free(record);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_certificate_is_one_finding),
	    cmocka_unit_test(an_expected_certificate_is_only_recorded),
	    cmocka_unit_test(a_cut_record_neither_loses_nor_repeats_a_finding),
	    cmocka_unit_test(two_processes_do_not_share_a_record),
	    cmocka_unit_test(a_finding_waits_for_its_chain),
	    cmocka_unit_test(a_waiting_finding_survives_a_kill),
	    cmocka_unit_test(a_chain_that_does_not_come_is_not_waited_for),
	    cmocka_unit_test(an_unreadable_entry_is_a_finding),
	    cmocka_unit_test(a_misbehaving_log_does_not_fill_the_disk),
	    cmocka_unit_test(a_log_that_floods_hides_no_other_log),
	    cmocka_unit_test(a_log_with_a_full_share_takes_no_place_of_others),
	    cmocka_unit_test(a_full_record_is_an_alarm),
	    cmocka_unit_test(findings_without_a_place_get_one_later),
	    cmocka_unit_test(an_entry_that_cannot_be_recorded_comes_again),
	    cmocka_unit_test(a_misbehaviour_that_cannot_be_recorded_comes_again),
	};

	return cmocka_run_group_tests(tests, scene_group_open, forged_world_close);
}
