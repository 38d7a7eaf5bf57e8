/* Jobs of the reader are carried out in their turn, until its end. */
#include "resolver/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

struct counted {
	struct reader_job job; /* first */
	int runs, frees;
};

static struct counted *
counted_of(struct reader_job *job)
{
	return (struct counted *)(void *)job;
}

static void
counted_run(struct reader_job *job)
{
	counted_of(job)->runs++;
}

static void
counted_free(struct reader_job *job)
{
	counted_of(job)->frees++;
}

static void
stop(void *loop)
{
	loop_stop(loop);
}

static void
none_begins_after_the_end(void **state)
{
	enum { JOBS = 3 };
	static const struct {
		const char *what;
		int before_end; /* jobs that had their turn */
		bool ended;
		int runs;
	} rows[] = {
		{"all have their turn", JOBS, false, JOBS}, {"the end comes first", 0, true, 0},
		{"the end comes last", JOBS, true, JOBS},   {"without an end", 0, false, JOBS},
		{"the end comes between", 1, true, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct counted v[JOBS] = {0};
		struct reader *r;
		struct loop *loop;
		int runs = 0, frees = 0, done = 0;

		assert_int_equal(loop_new(&loop), RES_OK);
		assert_int_equal(reader_new(&r, loop), RES_OK);
		for (int k = 0; k < JOBS; k++) {
			v[k].job = (struct reader_job){.run = counted_run, .free = counted_free};
			assert_int_equal(reader_add(r, &v[k].job), RES_OK);
			if (k + 1 == rows[i].before_end) {
				assert_int_equal(loop_post(loop, stop, loop), RES_OK);
				loop_run(loop);
			}
		}
		if (rows[i].ended)
			reader_end(r);
		loop_end(loop);
		for (int k = 0; k < JOBS; k++) {
			done += reader_is_done(r, &v[k].job);
			reader_leave(r, &v[k].job);
			runs += v[k].runs;
			frees += v[k].frees;
		}
		if (runs != rows[i].runs || done != runs || frees != JOBS)
			fail_msg("%s: %d ran, %d are done, %d freed", rows[i].what, runs, done, frees);
		reader_free(r);
		loop_free(loop);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_begins_after_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
