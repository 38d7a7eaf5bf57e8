/* The hosts file: how much of it an answer holds, and when it is read again. */
#include "resolver/hosts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "resolver/hosts_table.h"
#include "resolver/reader.h"
#include "tests/unit/base/dns/dnswire.h"

static bool
hosts_have(struct hosts *h, const char *name, int64_t now_ms)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_question q;
	bool have;

	wire_question(&b, &q, name, TYPE_A);
	have = hosts_answer(h, &q, now_ms, &out);
	buf_free(&out);
	buf_free(&b);
	return have;
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

static unsigned
hosts_answer_count(struct hosts *h, const char *name)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_question q;
	unsigned n;

	wire_question(&b, &q, name, TYPE_A);
	assert_true(hosts_answer(h, &q, 0, &out));
	n = (unsigned)(out.p[6] << 8 | out.p[7]);
	buf_free(&out);
	buf_free(&b);
	return n;
}

/* More addresses than an answer holds, each twice, between those of another name. */
static void
hosts_answers_are_bounded(void **state)
{
	struct buf text = buf_max(65536);
	struct hosts *h;

	(void)state;
	for (int i = 0; i < 600; i++)
		buf_format(&text, "10.0.%d.%d many.example\n10.9.0.1 other.example\n", i / 2 / 250, i / 2 % 250);
	assert_int_equal(hosts_new(&h, NULL), RES_OK);
	assert_int_equal(hosts_read(h, buf_span(&text)), RES_OK);
	assert_int_equal(hosts_answer_count(h, "many.example"), 256);
	assert_int_equal(hosts_answer_count(h, "other.example"), 1);
	hosts_free(h);
	buf_free(&text);
}

static void
hosts_are_read_again_when_they_change(void **state)
{
	char path[] = "/tmp/ctstub-hosts-XXXXXX";
	int fd = mkstemp(path);
	struct hosts *h;

	(void)state;
	assert_true(fd >= 0);
	write_file(path, "10.0.0.1 one.example\n");
	assert_int_equal(hosts_new(&h, path), RES_OK);
	assert_true(hosts_have(h, "one.example", 5000));
	write_file(path, "10.0.0.1 two.example another.example\n");
	assert_true(hosts_have(h, "one.example", 5999)); /* not looked at again so soon */
	assert_false(hosts_have(h, "one.example", 6000));
	assert_true(hosts_have(h, "two.example", 6000));
	assert_int_equal(remove(path), 0);
	assert_false(hosts_have(h, "two.example", 7000)); /* not there: empty */
	write_file(path, "10.0.0.1 three.example\n");
	assert_true(hosts_have(h, "three.example", 8000));
	write_file(path, "10.0.0.1 number-four.example\n");
	assert_false(hosts_have(h, "number-four.example", 8500));
	assert_false(hosts_look_again(h, "/etc/hosts"));
	assert_true(hosts_look_again(h, path)); /* a reload does not wait for the second to pass */
	assert_true(hosts_have(h, "number-four.example", 8500));
	assert_int_equal(remove(path), 0);
	hosts_free(h);
	(void)fclose(fdopen(fd, "r"));
}

static void
write_hosts(const char *path, const char *name)
{
	char text[128];

	(void)snprintf(text, sizeof text, "10.0.0.1 %s\n", name);
	write_file(path, text);
}

static void
write_many_hosts(const char *path, const char *first)
{
	struct buf text = buf_max((size_t)4 * HOSTS_BESIDE_MIN);

	buf_format(&text, "10.0.0.1 %s\n", first);
	while (text.n <= HOSTS_BESIDE_MIN)
		buf_format(&text, "10.0.0.2 filler-%zu.example\n", text.n);
	write_file(path, buf_cstr(&text));
	buf_free(&text);
}

static void
stop(void *loop)
{
	loop_stop(loop);
}

/* Carries out the jobs that the reader was given so far. */
static void
read_now(struct loop *loop)
{
	assert_int_equal(loop_post(loop, stop, loop), RES_OK);
	loop_run(loop);
}

/* Whoever calls this can open nothing until it is called with the limit that it gave. */
static struct rlimit
no_descriptors(void)
{
	int lowest = dup(STDERR_FILENO);
	struct rlimit before, none;

	assert_true(lowest >= 0 && close(lowest) == 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = before;
	none.rlim_cur = (rlim_t)lowest;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	return before;
}

static void
hosts_that_could_not_be_read_are_read_later(void **state)
{
	static const struct {
		const char *what;
		bool large, first; /* in the background; at the first question */
	} rows[] = {
		{"a small file at the first question", false, true},
		{"a small file that has changed", false, false},
		{"a large file at the first question", true, true},
		{"a large file that has changed", true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		char path[] = "/tmp/ctstub-hosts-XXXXXX";
		void (*write_one)(const char *, const char *) = rows[i].large ? write_many_hosts : write_hosts;
		int fd = mkstemp(path);
		struct reader *reader;
		struct rlimit before;
		struct loop *loop;
		struct hosts *h;

		assert_true(fd >= 0);
		assert_int_equal(loop_new(&loop), RES_OK);
		assert_int_equal(reader_new(&reader, loop), RES_OK);
		assert_int_equal(hosts_new(&h, path), RES_OK);
		hosts_read_beside(h, reader);
		write_one(path, "one.example");
		if (!rows[i].first) {
			assert_true(hosts_have(h, "one.example", 1000));
			write_one(path, "number-two.example");
		}
		before = no_descriptors();
		for (int64_t now = 2000; now < 6000; now += HOSTS_CHECK_MS) {
			if (hosts_have(h, "one.example", now) == rows[i].first)
				fail_msg("%s: what was known before is not given", rows[i].what);
			read_now(loop);
		}
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		(void)hosts_have(h, "any.example", 8000); /* takes the last attempt */
		(void)hosts_have(h, "any.example", 9000);
		read_now(loop);
		if (!hosts_have(h, rows[i].first ? "one.example" : "number-two.example", 10000))
			fail_msg("%s: it is not read again", rows[i].what);
		hosts_free(h);
		reader_free(reader);
		loop_free(loop);
		assert_int_equal(remove(path), 0);
		(void)close(fd);
	}
}

/* At the start no question is answered before the file is read; when it changes, no question waits for it. */
static void
large_hosts_files_are_read_in_the_background(void **state)
{
	char path[] = "/tmp/ctstub-hosts-XXXXXX";
	int fd = mkstemp(path);
	struct reader *reader;
	struct loop *loop;
	struct hosts *h;

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(loop_new(&loop), RES_OK);
	assert_int_equal(reader_new(&reader, loop), RES_OK);
	write_many_hosts(path, "one.example");
	assert_int_equal(hosts_new(&h, path), RES_OK);
	hosts_read_beside(h, reader);
	assert_true(hosts_have(h, "one.example", 1000));
	write_many_hosts(path, "number-two.example");
	assert_true(hosts_have(h, "one.example", 2000));
	assert_true(hosts_have(h, "one.example", 9000)); /* for as long as reading takes */
	read_now(loop);
	assert_true(hosts_have(h, "number-two.example", 10000));
	assert_false(hosts_have(h, "one.example", 10000));

	/* It changes again before its turn: the latest is read, and looked at again. */
	write_many_hosts(path, "the-third.example");
	assert_true(hosts_have(h, "number-two.example", 11000));
	write_file(path, "10.0.0.1 four.example\n");
	read_now(loop);
	assert_true(hosts_have(h, "four.example", 12000));
	assert_false(hosts_have(h, "the-third.example", 12000));

	/* It cannot be read when its turn comes: the entries stay. */
	write_many_hosts(path, "the-fifth.example");
	assert_true(hosts_have(h, "four.example", 13000));
	assert_int_equal(truncate(path, (off_t)HOSTS_FILE_MAX + 1), 0);
	read_now(loop);
	assert_true(hosts_have(h, "four.example", 13500));

	/* It is gone when its turn comes. */
	assert_int_equal(remove(path), 0);
	read_now(loop);
	assert_false(hosts_have(h, "four.example", 15000));

	/* The hosts are freed before the file's turn, and after it. */
	for (int turn = 0; turn < 2; turn++) {
		write_many_hosts(path, turn == 0 ? "the-sixth.example" : "the-seventh.example");
		hosts_free(h);
		assert_int_equal(hosts_new(&h, path), RES_OK);
		hosts_read_beside(h, reader);
		assert_true(hosts_have(h, turn == 0 ? "the-sixth.example" : "the-seventh.example", 1000));
		write_many_hosts(path, "the-last-one.example");
		assert_false(hosts_have(h, "the-last-one.example", 2000));
		if (turn == 1)
			read_now(loop);
	}
	hosts_free(h);
	read_now(loop);
	assert_int_equal(remove(path), 0);
	reader_free(reader);
	loop_free(loop);
	(void)fclose(fdopen(fd, "r"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hosts_answers_are_bounded),
	    cmocka_unit_test(hosts_are_read_again_when_they_change),
	    cmocka_unit_test(hosts_that_could_not_be_read_are_read_later),
	    cmocka_unit_test(large_hosts_files_are_read_in_the_background),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
