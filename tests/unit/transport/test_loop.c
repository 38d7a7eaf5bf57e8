/* The timer wheel against a plain list, and the loop with its real clock (timers due at once, posts, descriptors). */
#include "transport/loop.h"
#include "transport/wheel.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#define TIMERS 500

/* A generator of our own: the same run every time. */
static uint64_t
next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

static void
wheel_agrees_with_a_list(void **state)
{
	static const int64_t steps[] = {1, 3, 63, 64, 65, 4095, 4096, 70000, 28800000, 90000000000};
	struct wheel_timer timer[TIMERS];
	int64_t expect[TIMERS] = {0};
	uint64_t x = 88172645463325252;
	struct wheel *w = malloc(sizeof *w);

	(void)state;
	assert_non_null(w);
	memset(timer, 0, sizeof timer);
	wheel_start(w, 123456789);
	for (int round = 0; round < 3000; round++) {
		struct wheel_timer *t;
		int64_t next = INT64_MAX;

		for (int i = 0; i < 20; i++) {
			size_t k = next_random(&x) % TIMERS;

			if (expect[k] != 0)
				wheel_remove(w, &timer[k]);
			expect[k] = timer[k].due_ms = 0;
			if (i % 4 == 0)
				continue;
			timer[k].due_ms =
			    w->now_ms + (int64_t)(next_random(&x) % (uint64_t)steps[next_random(&x) % 10]);
			expect[k] = timer[k].due_ms;
			wheel_add(w, &timer[k]);
		}
		for (size_t k = 0; k < TIMERS; k++)
			if (expect[k] != 0 && expect[k] < next)
				next = expect[k];
		assert_true(wheel_next_ms(w) <= next);
		wheel_turn(w, w->now_ms + (int64_t)(next_random(&x) % (uint64_t)steps[next_random(&x) % 9]));
		while ((t = wheel_take(w)) != NULL) {
			size_t k = (size_t)(t - timer);

			assert_true(expect[k] != 0 && expect[k] <= w->now_ms);
			assert_int_equal(t->due_ms, 0);
			expect[k] = 0;
		}
		for (size_t k = 0; k < TIMERS; k++)
			assert_true(expect[k] == 0 || expect[k] > w->now_ms);
	}
	free(w);
}

static void
wheel_next_is_exact_for_near_timers(void **state)
{
	static const int64_t dues[] = {1, 2, 63, 64, 100, 1000, 4000, 30000, 3600000, 86400000};
	struct wheel *w = malloc(sizeof *w);

	(void)state;
	assert_non_null(w);
	for (size_t i = 0; i < sizeof dues / sizeof *dues; i++) {
		struct wheel_timer t = {0};
		wheel_start(w, 777);
		t.due_ms = 777 + dues[i];
		wheel_add(w, &t);
		assert_int_equal(wheel_next_ms(w), 777 + dues[i]); /* one wake-up, not one for each level of the wheel */
		wheel_turn(w, wheel_next_ms(w));
		assert_ptr_equal(wheel_take(w), &t);
		assert_int_equal(wheel_next_ms(w), INT64_MAX);
	}
	free(w);
}

struct trace {
	struct loop *loop;
	struct loop_timer again;
	struct loop_defer defer;
	char callbacks[32];
	int turns;
};

static void
say(struct trace *t, const char *what)
{
	strncat(t->callbacks, what, sizeof t->callbacks - strlen(t->callbacks) - 1);
}

static void
trace_on_defer(void *ctx)
{
	say(ctx, "d");
}

static void
trace_on_due(void *ctx)
{
	struct trace *t = ctx;

	say(t, "t");
	loop_defer(&t->defer, t->loop, trace_on_defer, t);
	loop_defer(&t->defer, t->loop, trace_on_defer, t);
	if (++t->turns < 3)
		loop_timer_set(&t->again, 0);
	else
		loop_stop(t->loop);
}

static void
timers_for_now_wait_for_the_next_turn(void **state)
{
	struct trace t = {0};

	(void)state;
	assert_int_equal(loop_new(&t.loop), RES_OK);
	loop_timer_init(&t.again, t.loop, trace_on_due, &t);
	loop_timer_set(&t.again, 0);
	loop_run(t.loop);
	assert_string_equal(t.callbacks, "tdtdtd");
	assert_false(loop_timer_is_set(&t.again));
	loop_free(t.loop);
}

static void
stop_on_due(void *ctx)
{
	loop_stop(ctx);
}

static void
timers_are_never_early(void **state)
{
	static const int64_t after[] = {0, 1, 2, 15};

	(void)state;
	for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
		struct loop_timer timer;
		struct loop *loop;
		int64_t start;

		assert_int_equal(loop_new(&loop), RES_OK);
		loop_timer_init(&timer, loop, stop_on_due, loop);
		start = clock_boot_ms();
		loop_timer_set(&timer, after[i]);
		loop_run(loop);
		assert_true(clock_boot_ms() - start >= after[i]);
		loop_free(loop);
	}
}

struct pipe_watch {
	struct loop *loop;
	struct loop_fd read, write;
	int fd[2];
	int reads, writes;
};

static void
pipe_on_write(void *ctx, unsigned ready)
{
	struct pipe_watch *p = ctx;

	assert_int_equal(ready, LOOP_WRITE);
	p->writes++;
	assert_int_equal(write(p->fd[1], "x", 1), 1);
	assert_int_equal(loop_fd_interest(&p->write, 0), RES_OK);
}

static void
pipe_on_read(void *ctx, unsigned ready)
{
	struct pipe_watch *p = ctx;
	char c;

	assert_int_equal(ready, LOOP_READ);
	assert_int_equal(read(p->fd[0], &c, 1), 1);
	if (++p->reads < 3) {
		assert_int_equal(loop_fd_interest(&p->write, LOOP_WRITE), RES_OK);
		return;
	}
	loop_fd_unwatch(&p->read); /* inside its own callback */
	loop_fd_unwatch(&p->write);
	loop_stop(p->loop);
}

static void
descriptors_follow_their_interest(void **state)
{
	struct pipe_watch p = {0};

	(void)state;
	assert_int_equal(loop_new(&p.loop), RES_OK);
	assert_int_equal(pipe(p.fd), 0);
	assert_int_equal(loop_fd_watch(&p.read, p.loop, p.fd[0], pipe_on_read, &p), RES_OK);
	assert_int_equal(loop_fd_watch(&p.write, p.loop, p.fd[1], pipe_on_write, &p), RES_OK);
	assert_int_equal(loop_fd_interest(&p.write, LOOP_WRITE), RES_OK);
	loop_run(p.loop);
	assert_int_equal(p.reads, 3);
	assert_int_equal(p.writes, 3);
	loop_fd_unwatch(&p.read); /* harmless when not watched */
	close(p.fd[0]);
	close(p.fd[1]);
	loop_free(p.loop);
}

#define POSTS 1000

struct posting {
	struct loop *loop;
	int seen;
};

static struct posting posting;

static void
count_post(void *arg)
{
	assert_int_equal((int)(intptr_t)arg, posting.seen);
	if (++posting.seen == POSTS)
		loop_stop(posting.loop);
}

static void *
post_all(void *arg)
{
	(void)arg;
	for (intptr_t i = 0; i < POSTS; i++)
		if (loop_post(posting.loop, count_post, (void *)i) != RES_OK)
			abort();
	return NULL;
}

static void *
post_number(void *arg)
{
	assert_int_equal(loop_post(posting.loop, count_post, arg), RES_OK);
	return NULL;
}

static void
post_one(intptr_t number, bool by_thread, bool by_reply)
{
	struct loop_reply *reply;
	pthread_t thread;

	if (by_reply) {
		assert_int_equal(loop_reply_new(&reply, posting.loop, count_post, (void *)number), RES_OK);
		loop_reply_post(reply);
	} else if (by_thread) {
		assert_int_equal(pthread_create(&thread, NULL, post_number, (void *)number), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	} else {
		(void)post_number((void *)number);
	}
}

static void
posts_of_another_thread_run_in_order(void **state)
{
	pthread_t thread;

	(void)state;
	posting.seen = 0;
	assert_int_equal(loop_new(&posting.loop), RES_OK);
	assert_int_equal(pthread_create(&thread, NULL, post_all, NULL), 0);
	loop_run(posting.loop);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(posting.seen, POSTS);
	loop_free(posting.loop);
}

static void
what_was_posted_before_the_end_runs_and_nothing_after_it(void **state)
{
	static const struct {
		const char *what;
		int before;     /* posts before the loop is stopped */
		int stopped;    /* between loop_stop and loop_end, whose thread has ended */
		bool by_thread; /* they are another thread's */
		bool by_reply;
	} rows[] = {
		{"nothing is posted", 0, 0, false, false},
		{"one before it is stopped", 1, 0, false, false},
		{"one after it is stopped", 0, 1, false, false},
		{"some before and after", 3, 4, false, false},
		{"a reply", 0, 2, false, true},
		{"those of another thread", 0, 5, true, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct loop_reply *late;
		intptr_t n = 0;

		posting.seen = 0;
		assert_int_equal(loop_new(&posting.loop), RES_OK);
		assert_int_equal(loop_reply_new(&late, posting.loop, count_post, NULL), RES_OK);
		for (int k = 0; k < rows[i].before; k++)
			assert_int_equal(loop_post(posting.loop, count_post, (void *)n++), RES_OK);
		loop_stop(posting.loop);
		loop_run(posting.loop);
		for (int k = 0; k < rows[i].stopped; k++)
			post_one(n++, rows[i].by_thread, rows[i].by_reply);
		loop_end(posting.loop);
		if (posting.seen != n)
			fail_msg("%s: %d of %d ran", rows[i].what, posting.seen, (int)n);
		assert_int_equal(loop_post(posting.loop, count_post, NULL), RES_NOT_FOUND);
		loop_reply_post(late);
		loop_end(posting.loop);
		assert_int_equal(posting.seen, n);
		loop_free(posting.loop);
	}
}

static void
deferred_work_can_be_stopped_by_deferred_work(void **state)
{
	struct trace a = {0}, b = {0};

	(void)state;
	assert_int_equal(loop_new(&a.loop), RES_OK);
	b.loop = a.loop;
	loop_defer(&a.defer, a.loop, stop_on_due, a.loop);
	loop_defer(&b.defer, a.loop, trace_on_defer, &b);
	loop_defer_stop(&b.defer);
	loop_defer_stop(&b.defer);
	loop_run(a.loop);
	assert_string_equal(b.callbacks, "");
	loop_free(a.loop);
}

static void
signals_reach_the_loop(void **state)
{
	struct loop *loop;

	(void)state;
	assert_int_equal(loop_new(&loop), RES_OK);
	assert_int_equal(loop_signal(loop, SIGUSR1, stop_on_due, loop), RES_OK);
	assert_int_equal(kill(getpid(), SIGUSR1), 0);
	loop_run(loop);
	loop_free(loop);
}

/* Without our check libevent would end the program. */
static void
too_few_descriptors_are_an_error(void **state)
{
	struct rlimit before, few;
	struct loop *loop = NULL;
	enum res res = RES_IO;
	int lowest = dup(STDERR_FILENO);

	(void)state;
	assert_true(lowest >= 0 && close(lowest) == 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	for (few.rlim_cur = (rlim_t)lowest; res != RES_OK; few.rlim_cur++) {
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
		errno = 0;
		res = loop_new(&loop);
		if (res != RES_OK)
			assert_int_equal(errno, EMFILE);
		assert_true(res == RES_OK || res == RES_IO);
		assert_true(few.rlim_cur < (rlim_t)lowest + 10);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_true(few.rlim_cur > (rlim_t)lowest + 4);
	loop_free(loop);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(wheel_agrees_with_a_list),
	    cmocka_unit_test(wheel_next_is_exact_for_near_timers),
	    cmocka_unit_test(timers_for_now_wait_for_the_next_turn),
	    cmocka_unit_test(timers_are_never_early),
	    cmocka_unit_test(descriptors_follow_their_interest),
	    cmocka_unit_test(posts_of_another_thread_run_in_order),
		cmocka_unit_test(what_was_posted_before_the_end_runs_and_nothing_after_it),
	    cmocka_unit_test(deferred_work_can_be_stopped_by_deferred_work),
	    cmocka_unit_test(signals_reach_the_loop),
	    cmocka_unit_test(too_few_descriptors_are_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
