/* The state of a log: only a file that was written whole and for this log is read. */
#include "contrib/watch/state.h"

#include "tests/unit/verify/forged.h"

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

/* A head that the log did not sign is refused, also when it is in our own file. */
static void
a_head_in_the_file_must_be_signed(void **state)
{
	const struct ctlog *alpha = NULL;
	struct log_state before = {.start = 3}, after;
	struct watch_log log = {.url = "https://ct.test/", .id_hex = ID};
	char *why = NULL;
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
	scene_close(&s);
	forged_end(&f);
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
	    cmocka_unit_test(a_link_is_not_followed),
	    cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
