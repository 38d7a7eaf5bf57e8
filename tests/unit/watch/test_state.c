/* The state of a log: only a file that was written whole and for this log is read. */
#include "contrib/watch/state.h"

#include "base/replace.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/verify/forged.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define ID "0100000000000000000000000000000000000000000000000000000000000000"

static const struct ctlog ctlog = {.id = {1}, .description = "a log"};
static const struct watch_log watched = {&ctlog, "https://ct.test/", ID};

static int read_fails_with; /* this error; 0: it does not */

ssize_t __real_file_read_some(int, void *, size_t);
ssize_t __wrap_file_read_some(int, void *, size_t);

ssize_t
__wrap_file_read_some(int fd, void *to, size_t n)
{
	if (read_fails_with == 0)
		return __real_file_read_some(fd, to, n);
	errno = read_fails_with;
	return -1;
}

struct scene {
	char folder[64];
	int fd;
	struct log_state state;
};

/* A log of which 5 entries were read, and none of them verified; no head. */
static void
scene_open(struct scene *s)
{
	*s = (struct scene){.folder = "/tmp/test-state.XXXXXX"};
	assert_non_null(mkdtemp(s->folder));
	s->fd = open(s->folder, O_RDONLY | O_DIRECTORY);
	assert_true(s->fd >= 0);
}

static void
scene_close(struct scene *s)
{
	char command[128];

	(void)close(s->fd);
	(void)snprintf(command, sizeof command, "rm -r %s", s->folder);
	assert_int_equal(system(command), 0);
}

static void
text_put(const struct scene *s, const char *text)
{
	int fd = openat(s->fd, ID, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	(void)close(fd);
}

static enum res
load(const struct scene *s, struct log_state *out)
{
	char *why = NULL;
	enum res res = state_load(out, s->fd, &watched, &why);

	assert_true((why != NULL) == (res != RES_OK && res != RES_NOT_FOUND));
	free(why);
	return res;
}

#define HEX32(c) c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c
#define FIRST	 "ctstub-watch log state 1\nlog " ID "\nstart 0\n"
#define EMPTY	 "checked-ms 0\nchecked 0\nrange 0\nend\n"

static void
only_a_whole_state_of_this_log_is_read(void **state)
{
	static const struct {
		const char *what, *text;
		enum res res;
	} rows[] = {
	    {"nothing was read yet", FIRST EMPTY, RES_OK},
	    {"an empty file", "", RES_MALFORMED},
	    {"of another log", "ctstub-watch log state 1\nlog " HEX32("ff") "\nstart 0\n" EMPTY, RES_MALFORMED},
	    {"of another version", "ctstub-watch log state 2\nlog " ID "\nstart 0\n" EMPTY, RES_MALFORMED},
	    {"cut short", FIRST "checked-ms 0\nchecked 0\nrange 0\n", RES_MALFORMED},
	    {"more after its end", FIRST EMPTY "range 0\n", RES_MALFORMED},
	    {"a field is missing", FIRST "checked 0\nrange 0\nend\n", RES_MALFORMED},
	    {"an unknown field", FIRST "colour 1\n" EMPTY, RES_MALFORMED},
	    {"a negative number", FIRST "checked-ms -1\nchecked 0\nrange 0\nend\n", RES_MALFORMED},
	    {"a number that is too large", FIRST "checked-ms 99999999999999999999\nchecked 0\nrange 0\nend\n", RES_MALFORMED},
	    {"a range without its hashes", FIRST "checked-ms 0\nchecked 0\nrange 1\nend\n", RES_MALFORMED},
	    {"a range with too many hashes", FIRST "checked-ms 0\nchecked 0\nrange 1 " HEX32("aa") " " HEX32("bb") "\nend\n", RES_MALFORMED},
	    {"a hash that is short", FIRST "checked-ms 0\nchecked 0\nrange 1 aabb\nend\n", RES_MALFORMED},
	    {"more was verified than read", FIRST "checked-ms 0\nchecked 1 " HEX32("aa") "\nrange 0\nend\n", RES_MALFORMED},
	    {"more was read than any head has", FIRST "checked-ms 0\nchecked 0\nrange 1 " HEX32("aa") "\nend\n", RES_MALFORMED},
	};
	struct log_state out;
	struct scene s;

	(void)state;
	scene_open(&s);
	assert_int_equal(load(&s, &out), RES_NOT_FOUND);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		enum res res;

		text_put(&s, rows[i].text);
		res = load(&s, &out);
		if (res != rows[i].res)
			fail_msg("%s: %s", rows[i].what, res_text(res));
	}
	scene_close(&s);
}

/* A head that the log did not sign is refused, also when it is in our own file. Without memory nobody knows. */
static void
a_head_in_the_file_must_be_signed(void **state)
{
	const struct ctlog *alpha = NULL;
	struct log_state before = {.start = 3}, after;
	struct watch_log log = {.url = "https://ct.test/", .id_hex = ID};
	char *why = NULL;
	size_t needed;
	struct forged f;
	struct scene s;

	(void)state;
	forged_begin(&f);
	alpha = ctlogs_at(f.policy.ctlogs, 0);
	log.ctlog = alpha;
	scene_open(&s);
	before.head = (struct head){.size = 9, .timestamp_ms = 1, .hash_algorithm = 4, .signature_algorithm = 3, .n_signature = 8};
	assert_int_equal(state_write(s.fd, &log, &before, &why), RES_OK);
	assert_int_equal(state_load(&after, s.fd, &log, &why), RES_MALFORMED);
	assert_non_null(strstr(why, "move it away"));
	free(why);
	failing_alloc_begin(0);
	assert_int_equal(state_load(&after, s.fd, &log, NULL), RES_MALFORMED);
	needed = failing_alloc_end();
	assert_true(needed >= 4); /* for the file, the root, the signature and what it signs */
	for (size_t i = 1; i <= needed; i++) {
		enum res res;

		failing_alloc_begin(i);
		res = state_load(&after, s.fd, &log, &why);
		(void)failing_alloc_end();
		if (res != RES_NOMEM || strcmp(why, "no memory") != 0)
			fail_msg("allocation %zu of %zu: %s, %s", i, needed, res_text(res), why);
		free(why);
	}
	scene_close(&s);
	forged_end(&f);
}

/* A file that could not be read may be whole. Moving it away would lose the position. */
static void
only_a_damaged_state_is_to_be_moved_away(void **state)
{
	static const struct {
		const char *what;
		int read_error;
		size_t allocation; /* the one that fails; 0: none */
		size_t more;       /* bytes after the state */
		enum res res;
		const char *why;
	} rows[] = {
	    {"the disk fails", EIO, 0, 0, RES_IO, "cannot read watch/" ID ": Input/output error"},
	    {"no memory for the file", 0, 1, 0, RES_NOMEM, "no memory"},
	    {"a file that is too large", 0, 0, STATE_FILE_MAX, RES_MALFORMED, NULL},
	};
	static char text[2 * STATE_FILE_MAX];
	struct log_state out;
	struct scene s;

	(void)state;
	scene_open(&s);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char *why = NULL;
		enum res res;

		(void)snprintf(text, sizeof text, "%s%*s", FIRST EMPTY, (int)rows[i].more, "");
		text_put(&s, text);
		read_fails_with = rows[i].read_error;
		failing_alloc_begin(rows[i].allocation);
		res = state_load(&out, s.fd, &watched, &why);
		(void)failing_alloc_end();
		read_fails_with = 0;
		if (res != rows[i].res || why == NULL || (strstr(why, "move it away") != NULL) != (rows[i].why == NULL) ||
		    (rows[i].why != NULL && strcmp(why, rows[i].why) != 0))
			fail_msg("%s: %s, %s", rows[i].what, res_text(res), why != NULL ? why : "");
		free(why);
	}
	scene_close(&s);
}

/* A symbolic link is not followed, as it may lead anywhere. */
static void
a_link_is_not_followed(void **state)
{
	struct log_state out;
	struct scene s;

	(void)state;
	scene_open(&s);
	text_put(&s, FIRST EMPTY);
	assert_int_equal(renameat(s.fd, ID, s.fd, "elsewhere"), 0);
	assert_int_equal(symlinkat("elsewhere", s.fd, ID), 0);
	assert_int_equal(load(&s, &out), RES_IO);
	scene_close(&s);
}

static void
what_is_written_is_read_again(void **state)
{
	struct log_state before = {.start = 0, .checked_ms = 7}, after;
	char *why = NULL;
	struct scene s;

	(void)state;
	scene_open(&s);
	assert_int_equal(state_write(s.fd, &watched, &before, &why), RES_OK);
	assert_int_equal(load(&s, &after), RES_OK);
	assert_memory_equal(&after.checked, &before.checked, sizeof after.checked);
	assert_int_equal(after.checked_ms, 7);
	scene_close(&s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_a_whole_state_of_this_log_is_read),
	    cmocka_unit_test(a_head_in_the_file_must_be_signed),
	    cmocka_unit_test(only_a_damaged_state_is_to_be_moved_away),
	    cmocka_unit_test(a_link_is_not_followed),
	    cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
