#include "tests/unit/transport/fake_loop.h"

#include "base/clock.h"
#include "transport/wheel.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define FDS_MAX   256
#define POSTS_MAX 256

struct loop {
	struct wheel wheel;
	unsigned timers;
	struct loop_fd *fd[FDS_MAX];
	unsigned n_fd;
	struct {
		void (*fn)(void *arg);
		void *arg;
	} post[POSTS_MAX];
	unsigned n_post;
	pthread_mutex_t lock;
	TAILQ_HEAD(, loop_defer) defers;
	struct loop_defer end; /* stands in defers while those before it are called */
	bool stop;
	int64_t slept_ms; /* boot time less mono time */
	int64_t wall_off_ms;
};

static struct loop *the_loop;

static int64_t
fake_boot_ms(void)
{
	return the_loop->wheel.now_ms;
}

static int64_t
fake_mono_ms(void)
{
	return the_loop->wheel.now_ms - the_loop->slept_ms;
}

static int64_t
fake_wall_ms(void)
{
	return the_loop->wheel.now_ms + the_loop->wall_off_ms;
}

static const struct clock_source fake_clock = {fake_wall_ms, fake_boot_ms, fake_mono_ms};

enum res
loop_new(struct loop **out)
{
	struct loop *loop;

	if (the_loop != NULL)
		return RES_LIMIT;
	loop = calloc(1, sizeof *loop);
	if (loop == NULL)
		return RES_NOMEM;
	TAILQ_INIT(&loop->defers);
	wheel_start(&loop->wheel, FAKE_LOOP_BOOT_MS);
	loop->wall_off_ms = FAKE_LOOP_WALL_MS - FAKE_LOOP_BOOT_MS;
	pthread_mutex_init(&loop->lock, NULL);
	the_loop = loop;
	clock_use(&fake_clock);
	*out = loop;
	return RES_OK;
}

void
loop_free(struct loop *loop)
{
	if (loop == NULL)
		return;
	pthread_mutex_destroy(&loop->lock);
	clock_use(NULL);
	the_loop = NULL;
	free(loop);
}

int64_t
loop_now_ms(const struct loop *loop)
{
	return loop->wheel.now_ms;
}

static bool
fds_serve(struct loop *loop, int wait_ms)
{
	struct loop_fd *watched[FDS_MAX];
	struct pollfd p[FDS_MAX];
	unsigned n = 0;
	bool any = false;

	for (unsigned i = 0; i < loop->n_fd; i++) {
		struct loop_fd *w = loop->fd[i];

		if (w->interest == 0)
			continue;
		watched[n] = w;
		p[n++] = (struct pollfd){.fd = w->fd,
					 .events = (short)((w->interest & LOOP_READ ? POLLIN : 0) |
							   (w->interest & LOOP_WRITE ? POLLOUT : 0))};
	}
	if (poll(p, n, wait_ms) <= 0)
		return false;
	for (unsigned i = 0; i < n; i++) {
		const short fault = POLLERR | POLLHUP | POLLNVAL;

		/* A callback earlier in this turn may have stopped watching it. */
		for (unsigned j = 0; j < loop->n_fd; j++) {
			if (loop->fd[j] != watched[i] || watched[i]->fd != p[i].fd)
				continue;
			if (p[i].revents & (POLLIN | fault) && watched[i]->interest & LOOP_READ) {
				any = true;
				watched[i]->on_ready(watched[i]->ctx, LOOP_READ);
			} else if (p[i].revents & (POLLOUT | fault) && watched[i]->interest & LOOP_WRITE) {
				any = true;
				watched[i]->on_ready(watched[i]->ctx, LOOP_WRITE);
			}
			break;
		}
	}
	return any;
}

static bool
posts_serve(struct loop *loop)
{
	bool any = false;

	for (;;) {
		void (*fn)(void *);
		void *arg;

		pthread_mutex_lock(&loop->lock);
		if (loop->n_post == 0) {
			pthread_mutex_unlock(&loop->lock);
			return any;
		}
		fn = loop->post[0].fn;
		arg = loop->post[0].arg;
		memmove(loop->post, loop->post + 1, --loop->n_post * sizeof *loop->post);
		pthread_mutex_unlock(&loop->lock);
		fn(arg);
		any = true;
	}
}

static bool
timers_serve(struct loop *loop)
{
	struct wheel_timer *due, end = {.due_ms = INT64_MIN};

	if (TAILQ_EMPTY(&loop->wheel.due))
		return false;
	wheel_add(&loop->wheel, &end);
	while ((due = wheel_take(&loop->wheel)) != NULL && due != &end) {
		struct loop_timer *t = (struct loop_timer *)(void *)((char *)due - offsetof(struct loop_timer, timer));

		loop->timers--;
		t->on_due(t->ctx);
	}
	return true;
}

static bool
defers_serve(struct loop *loop)
{
	struct loop_defer *d, *end = &loop->end;

	if (TAILQ_EMPTY(&loop->defers))
		return false;
	TAILQ_INSERT_TAIL(&loop->defers, end, beside);
	while ((d = TAILQ_FIRST(&loop->defers)) != end) {
		TAILQ_REMOVE(&loop->defers, d, beside);
		d->set = false;
		d->fn(d->ctx);
	}
	TAILQ_REMOVE(&loop->defers, end, beside);
	return true;
}

bool
fake_loop_turn(struct loop *loop, int wait_ms)
{
	bool any = !TAILQ_EMPTY(&loop->defers) || !TAILQ_EMPTY(&loop->wheel.due);

	any |= fds_serve(loop, any ? 0 : wait_ms);
	any |= posts_serve(loop);
	any |= timers_serve(loop);
	any |= defers_serve(loop);
	return any;
}

static void
turn_until_quiet(struct loop *loop)
{
	for (int i = 0; i < 10000 && fake_loop_turn(loop, 0); i++)
		;
}

void
fake_loop_advance(struct loop *loop, int64_t ms)
{
	int64_t until = loop->wheel.now_ms + ms;

	turn_until_quiet(loop);
	while (loop->wheel.now_ms < until) {
		int64_t next = wheel_next_ms(&loop->wheel);

		wheel_turn(&loop->wheel, next < until ? next : until);
		turn_until_quiet(loop);
	}
}

void
fake_loop_suspend(struct loop *loop, int64_t ms)
{
	loop->slept_ms += ms;
	wheel_turn(&loop->wheel, loop->wheel.now_ms + ms);
}

void
fake_loop_wall_step(struct loop *loop, int64_t ms)
{
	loop->wall_off_ms += ms;
}

unsigned
fake_loop_timers(const struct loop *loop)
{
	return loop->timers;
}

unsigned
fake_loop_fds(const struct loop *loop)
{
	return loop->n_fd;
}

void
loop_run(struct loop *loop)
{
	loop->stop = false;
	while (!loop->stop) {
		if (fake_loop_turn(loop, loop->timers > 0 ? 0 : 10))
			continue;
		if (wheel_next_ms(&loop->wheel) != INT64_MAX)
			wheel_turn(&loop->wheel, wheel_next_ms(&loop->wheel));
	}
}

void
loop_stop(struct loop *loop)
{
	loop->stop = true;
}

enum res
loop_fd_watch(struct loop_fd *w, struct loop *loop, int fd, void (*on_ready)(void *ctx, unsigned ready),
	      void *ctx)
{
	if (loop->n_fd == FDS_MAX)
		return RES_NOMEM;
	*w = (struct loop_fd){
	    .loop = loop, .fd = fd, .interest = LOOP_READ, .on_ready = on_ready, .ctx = ctx, .impl = loop};
	loop->fd[loop->n_fd++] = w;
	return RES_OK;
}

enum res
loop_fd_interest(struct loop_fd *w, unsigned interest)
{
	w->interest = interest;
	return RES_OK;
}

void
loop_fd_unwatch(struct loop_fd *w)
{
	struct loop *loop = w->impl;

	if (loop == NULL)
		return;
	for (unsigned i = 0; i < loop->n_fd; i++) {
		if (loop->fd[i] == w) {
			loop->fd[i] = loop->fd[--loop->n_fd];
			break;
		}
	}
	w->impl = NULL;
	w->interest = 0;
}

void
loop_timer_init(struct loop_timer *t, struct loop *loop, void (*on_due)(void *ctx), void *ctx)
{
	*t = (struct loop_timer){.loop = loop, .on_due = on_due, .ctx = ctx};
}

void
loop_timer_set(struct loop_timer *t, int64_t after_ms)
{
	loop_timer_stop(t);
	t->timer.due_ms = t->loop->wheel.now_ms + (after_ms > 0 ? after_ms : 0);
	t->loop->timers++;
	wheel_add(&t->loop->wheel, &t->timer);
}

void
loop_timer_within(struct loop_timer *t, int64_t after_ms)
{
	if (t->timer.due_ms == 0 || t->timer.due_ms > t->loop->wheel.now_ms + after_ms)
		loop_timer_set(t, after_ms);
}

void
loop_timer_stop(struct loop_timer *t)
{
	if (t->timer.due_ms == 0)
		return;
	wheel_remove(&t->loop->wheel, &t->timer);
	t->loop->timers--;
	t->timer.due_ms = 0;
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->timer.due_ms != 0;
}

enum res
loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	enum res res = RES_NOMEM;

	pthread_mutex_lock(&loop->lock);
	if (loop->n_post < POSTS_MAX) {
		loop->post[loop->n_post].fn = fn;
		loop->post[loop->n_post++].arg = arg;
		res = RES_OK;
	}
	pthread_mutex_unlock(&loop->lock);
	return res;
}

void
loop_defer(struct loop_defer *d, struct loop *loop, void (*fn)(void *ctx), void *ctx)
{
	if (d->set)
		return;
	*d = (struct loop_defer){.loop = loop, .fn = fn, .ctx = ctx, .set = true};
	TAILQ_INSERT_TAIL(&loop->defers, d, beside);
}

void
loop_defer_stop(struct loop_defer *d)
{
	if (!d->set)
		return;
	TAILQ_REMOVE(&d->loop->defers, d, beside);
	d->set = false;
}

/* Signals are not scripted: nothing comes. */
enum res
loop_signal(struct loop *loop, int signo, void (*on_signal)(void *ctx), void *ctx)
{
	(void)loop;
	(void)signo;
	(void)on_signal;
	(void)ctx;
	return RES_OK;
}
