/* What was shown reaches the journal or is counted as lost, wherever memory runs out on the way. */
#include "resolver/daemon/recorder.h"

#include "base/clock.h"
#include "base/journal.h"
#include "base/log.h"
#include "resolver/daemon/evidence_folder.h"
#include "resolver/daemon/folder_lock.h"
#include "resolver/upstream_set.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/transport/fake_loop.h"
#include "verify/verdict_build.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define ALLOCATIONS_MAX 500 /* there are fewer */

static char folder[64], moved[80];
static struct loop *loop;
static struct recorder *recorder;
static struct counters main_counters, worker_counters;
static struct upstreams set = {.counters = &worker_counters};
static struct tp_target target = {.addr = {.family = ADDR_V4}};
static struct server server = {.set = &set, .target = &target};
static char title[32], journal[1 << 20];

static const uint8_t presented[] = {0, 0, 3, 'a', 'b', 'c'};

static void
start(char *state_dir)
{
	static char nobody[1];
	struct settings settings = {.state_dir = state_dir, .user = nobody, .journal_size = 1 << 20,
				    .evidence_count = 1000, .evidence_size = 1 << 20};

	assert_int_equal(loop_new(&loop), RES_OK);
	assert_int_equal(recorder_new(&recorder, loop, &main_counters), RES_OK);
	recorder_start(recorder, &settings, false);
	recorder_settle(recorder, &settings);
	recorder_configure(recorder, &settings);
}

static int
begin(void **state)
{
	(void)state;
	memset(&main_counters, 0, sizeof main_counters);
	memset(&worker_counters, 0, sizeof worker_counters);
	strcpy(folder, "/tmp/recorder-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(moved, sizeof moved, "%s-moved", folder);
	return 0;
}

static void
folder_empty(const char *path)
{
	const struct dirent *e;
	char name[512];
	DIR *d = opendir(path);

	while (d != NULL && (e = readdir(d)) != NULL) {
		(void)snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		if (e->d_name[0] != '.')
			(void)unlink(name);
	}
	if (d != NULL)
		(void)closedir(d);
	(void)rmdir(path);
}

static int
end(void **state)
{
	char path[128];

	(void)state;
	recorder_ending(recorder, clock_mono_ms() + 1); /* which is never over: the loop's clock stands still */
	recorder_free(recorder);
	recorder = NULL;
	loop_free(loop);
	verdict_clear(&server.verdict);
	(void)snprintf(path, sizeof path, "%s/" REFUSAL_FOLDER, folder);
	folder_empty(path);
	folder_empty(folder);
	folder_empty(moved);
	return 0;
}

/* ---- what is there */

static void
journal_load(void)
{
	char path[128];
	size_t n = 0;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/" JOURNAL_FILE, folder);
	if ((f = fopen(path, "r")) != NULL) {
		n = fread(journal, 1, sizeof journal - 1, f);
		(void)fclose(f);
	}
	journal[n] = '\0';
}

static unsigned
lines_written(void)
{
	unsigned n = 0;

	journal_load();
	for (const char *p = journal; *p != '\0'; p++)
		n += *p == '\n';
	return n;
}

/* A whole record of this upstream. */
static bool
journal_has(const char *upstream)
{
	const char *at;
	char quoted[64];

	(void)snprintf(quoted, sizeof quoted, "\"%s\"", upstream);
	journal_load();
	return (at = strstr(journal, quoted)) != NULL && strchr(at, '\n') != NULL;
}

static unsigned
evidence_written(void)
{
	const struct dirent *e;
	char path[128];
	unsigned n = 0;
	DIR *d;

	(void)snprintf(path, sizeof path, "%s/" REFUSAL_FOLDER, folder);
	if ((d = opendir(path)) == NULL)
		return 0;
	while ((e = readdir(d)) != NULL)
		n += strstr(e->d_name, ".json") != NULL;
	(void)closedir(d);
	return n;
}

static unsigned
lost(void)
{
	return (unsigned)(counter_get(&main_counters, COUNTER_JOURNAL_LOST) +
			  counter_get(&worker_counters, COUNTER_JOURNAL_LOST));
}

/* A certificate of an upstream that was never seen before. */
static void
server_show(const char *name, unsigned i, enum reason refused)
{
	struct verdict *v = &server.verdict;

	verdict_clear(v);
	(void)snprintf(title, sizeof title, "%s-%u", name, i);
	target.upstream = title;
	v->chain = calloc(1, sizeof *v->chain);
	assert_non_null(v->chain);
	v->n_chain = 1;
	v->chain[0].subject = strdup("CN=server");
	v->chain[0].issuer = strdup("CN=issuer");
	v->chain[0].serial = strdup("01");
	v->chain[0].sha256[0] = (uint8_t)i;
	v->chain[0].sha256[1] = (uint8_t)(i >> 8);
	if (refused != REASON_NONE)
		verdict_add(v, refused, "the test says so");
	verdict_close(v, true);
	assert_int_equal(verdict_accepted(v), refused == REASON_NONE);
}

/* True: this allocation failed on the way; 0: none. */
static bool
show(const char *name, unsigned i, enum reason refused, size_t fail_at)
{
	server_show(name, i, refused);
	failing_alloc_begin(fail_at);
	recorder_add(recorder, &server, span_of(presented, sizeof presented));
	(void)fake_loop_turn(loop, 0);
	return failing_alloc_end() >= fail_at;
}

/* What is sent later is written later: with this one everything before it is written or lost. */
static void
show_last(unsigned i)
{
	(void)show("last", i, REASON_NONE, 0);
	for (int n = 0; n < 1000 && !journal_has(title); n++)
		(void)fake_loop_turn(loop, 10);
	assert_true(journal_has(title));
}

static void
what_is_shown_is_written_or_counted(void **state)
{
	static const struct {
		const char *says;
		enum reason refused;
		unsigned parts; /* the record, and the evidence; counted once when it is neither yet */
	} rows[] = {{"accepted", REASON_NONE, 1}, {"refused", REASON_EXPIRED, 2}};

	for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
		bool failed = true;

		if (i > 0) {
			assert_int_equal(end(state), 0);
			assert_int_equal(begin(state), 0);
		}
		start(folder);
		for (unsigned n = 2, k = 1; failed; k = ++n / 2) { /* each twice: what was kept of the first must not hide the second */
			unsigned written = lines_written() + evidence_written(), lost_before = lost();

			assert_true(k < ALLOCATIONS_MAX);
			failed = show(rows[i].says, n, rows[i].refused, k);
			show_last(n);
			written = lines_written() + evidence_written() - written - 1;
			if (written + (lost() - lost_before) != rows[i].parts && (written != 0 || lost() - lost_before != 1))
				fail_msg("%s, allocation %u: %u written, %u lost", rows[i].says, k, written,
					 lost() - lost_before);
			if (!failed && (written != rows[i].parts || lost() != lost_before))
				fail_msg("%s, with memory: %u written, %u lost", rows[i].says, written,
					 lost() - lost_before);
		}
		assert_true(lost() > 0);
	}
}

static void
nothing_is_lost_where_nothing_is_kept(void **state)
{
	static char none[1];

	(void)state;
	start(none);
	for (unsigned k = 1; k < 20; k++) {
		(void)show("accepted", k, REASON_NONE, k);
		(void)show("refused", k, REASON_EXPIRED, k);
	}
	assert_int_equal(lost(), 0);
}

/* ---- the end */

static char logged[4096];

static void
log_keep(void *ctx, const char *line, size_t n)
{
	size_t used = strlen(logged);

	(void)ctx;
	(void)snprintf(logged + used, sizeof logged - used, "%.*s", (int)n, line);
}

/* 0: it has ended. */
static pid_t
helper_pid(void)
{
	long pid = 0;
	char path[64];
	FILE *f;

	(void)snprintf(path, sizeof path, "/proc/self/task/%ld/children", (long)getpid());
	f = fopen(path, "r");
	assert_non_null(f);
	if (fscanf(f, "%ld", &pid) != 1)
		pid = 0;
	(void)fclose(f);
	return (pid_t)pid;
}

static void
helper_signal(int number)
{
	pid_t pid = helper_pid();

	assert_true(pid > 0);
	assert_int_equal(kill(pid, number), 0);
}

/* The row's letters in their order: s, c, k: the helper is stopped, continued or killed; d: the folder is moved away; a, r: an accepted or a
 * refused certificate is shown; e: the loop runs until an error is logged. */
static void
play(const char *letters)
{
	logged[0] = '\0';
	log_capture(log_keep, NULL);
	start(folder);
	for (unsigned i = 0; letters[i] != '\0'; i++) {
		switch (letters[i]) {
		case 's':
			helper_signal(SIGSTOP);
			break;
		case 'c':
			helper_signal(SIGCONT);
			break;
		case 'k':
			helper_signal(SIGKILL);
			break;
		case 'd':
			assert_int_equal(rename(folder, moved), 0);
			break;
		case 'e':
			for (int n = 0; n < 1000 && strstr(logged, "error=") == NULL; n++)
				(void)fake_loop_turn(loop, 10);
			break;
		default:
			(void)show("end", i, letters[i] == 'r' ? REASON_EXPIRED : REASON_NONE, 0);
		}
	}
}

static void
what_the_end_leaves_unwritten_is_logged(void **state)
{
	static const struct {
		const char *what, *play;
		bool late; /* there is no time to wait for the helper */
		const char *want, *never; /* in the log */
	} rows[] = {
		{"all is written", "ar", false, "", "journal-"},
		{"the last record cannot be written", "da", false, "journal-unfinished lost=1 waiting=0", NULL},
		{"why it cannot is logged", "da", false, "journal-not-written error=", "evidence-"},
		{"neither record nor evidence", "dr", false, "journal-unfinished lost=2 waiting=0", NULL},
		{"why the evidence cannot", "dr", false, "evidence-not-written error=", NULL},
		{"it fails as it did before the end", "dae", false, "", "journal-unfinished"},
		{"the helper goes on in time", "sarc", false, "", "journal-"},
		{"the helper is late", "sar", true, "journal-unfinished lost=0 waiting=3", "journal-not-written"},
		{"the helper is killed with all of it", "sark", false, "journal-unfinished lost=3 waiting=0", NULL},
		{"the helper was killed before", "sarke", false, "error=\"its process has ended, restart ctstubd\"",
		 "journal-unfinished"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		if (i > 0) {
			assert_int_equal(end(state), 0);
			assert_int_equal(begin(state), 0);
		}
		play(rows[i].play);
		recorder_ending(recorder, clock_mono_ms() + !rows[i].late);
		recorder_free(recorder);
		recorder = NULL;
		log_capture(NULL, NULL);
		if (rows[i].late)
			helper_signal(SIGCONT);
		for (int n = 0; n < 1000 && helper_pid() != 0; n++)
			(void)fake_loop_turn(loop, 10);
		if (strstr(logged, rows[i].want) == NULL || (rows[i].never != NULL && strstr(logged, rows[i].never) != NULL))
			fail_msg("%s: %s", rows[i].what, logged);
	}
}

/* More than the helper's socket holds. */
static void
a_burst_at_the_end_is_written(void **state)
{
	static uint8_t chain[60000] = {0, 0xea, 0x5d};
	unsigned n = 60;

	(void)state;
	start(folder);
	recorder_ending(recorder, clock_mono_ms() + 1);
	for (unsigned i = 0; i < n; i++) {
		server_show("burst", i, REASON_EXPIRED);
		recorder_add(recorder, &server, span_of(chain, sizeof chain));
	}
	(void)fake_loop_turn(loop, 0);
	recorder_free(recorder);
	recorder = NULL;
	assert_int_equal(lost(), 0);
	assert_int_equal(lines_written(), n);
}

static void
what_a_killed_helper_had_waiting_is_counted(void **state)
{
	(void)state;
	play("srake");
	log_capture(NULL, NULL);
	assert_int_equal(lost(), 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(what_is_shown_is_written_or_counted, begin, end),
	    cmocka_unit_test_setup_teardown(nothing_is_lost_where_nothing_is_kept, begin, end),
	    cmocka_unit_test_setup_teardown(what_the_end_leaves_unwritten_is_logged, begin, end),
	    cmocka_unit_test_setup_teardown(a_burst_at_the_end_is_written, begin, end),
	    cmocka_unit_test_setup_teardown(what_a_killed_helper_had_waiting_is_counted, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
