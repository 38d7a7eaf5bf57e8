#include "transport/loop.h"

#include "base/clock.h"
#include "transport/event_base.h"
#include "transport/posts.h"
#include "transport/wheel.h"

#include <errno.h>
#include <event2/event.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

struct loop_reply {
	struct post post; /* first: freed as one */
	struct loop *loop;
};

struct signal_watch {
	struct event *event;
	void (*on_signal)(void *ctx);
	void *ctx;
	SLIST_ENTRY(signal_watch) beside;
};

struct loop {
	struct event_base *base;
	struct wheel wheel;
	int64_t now_ms;
	bool now_known; /* the clock was read in this turn */
	bool running;
	atomic_bool stop;

	int timer_fd;     /* CLOCK_BOOTTIME: libevent's own timers stop during suspend */
	int64_t armed_ms; /* INT64_MAX: not */
	struct event *timer_event;

	int wake_fd; /* an eventfd that other threads write to */
	struct event *wake_event;
	struct posts posts;

	TAILQ_HEAD(, loop_defer) defers;
	SLIST_HEAD(, signal_watch) signals;
};

/* One descriptor in libevent: two events, so that waiting to write costs one system call to start and one to
 * stop. */
struct watch {
	struct event *read;
	struct event *write;
};

static struct loop_timer *
loop_timer_of(struct wheel_timer *t)
{
	return (struct loop_timer *)(void *)((char *)t - offsetof(struct loop_timer, timer));
}

int64_t
loop_now_ms(const struct loop *loop)
{
	struct loop *l = (struct loop *)loop; /* a cache: the first to ask in a turn reads the clock */

	if (!l->running)
		return clock_boot_ms();
	if (!l->now_known) {
		l->now_ms = clock_boot_ms();
		l->now_known = true;
	}
	return l->now_ms;
}

static void
loop_on_timer_fd(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof n) == sizeof n)
		loop->armed_ms = INT64_MAX;
}

static void
loop_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct loop *loop = arg;
	uint64_t n;

	(void)what;
	(void)!read(fd, &n, sizeof n);
	posts_run(&loop->posts);
}

static struct event *
loop_start_event(struct loop *loop, int fd, short what, event_callback_fn fn)
{
	struct event *event = fd < 0 ? NULL : event_new(loop->base, fd, (short)(what | EV_PERSIST), fn, loop);

	if (event != NULL && event_add(event, NULL) != 0) {
		event_free(event);
		event = NULL;
	}
	return event;
}

enum res
loop_new(struct loop **out)
{
	struct loop *loop = calloc(1, sizeof *loop);
	enum res res = RES_NOMEM;
	int failed;

	if (loop == NULL)
		return RES_NOMEM;
	posts_init(&loop->posts);
	TAILQ_INIT(&loop->defers);
	loop->armed_ms = INT64_MAX;
	wheel_start(&loop->wheel, clock_boot_ms());
	loop->timer_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	loop->wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (loop->timer_fd < 0 || loop->wake_fd < 0) {
		res = RES_IO;
		goto fail;
	}
	if ((res = event_base_make(&loop->base)) != RES_OK)
		goto fail;
	res = RES_NOMEM;
	loop->timer_event = loop_start_event(loop, loop->timer_fd, EV_READ, loop_on_timer_fd);
	loop->wake_event = loop_start_event(loop, loop->wake_fd, EV_READ, loop_on_wake);
	if (loop->timer_event == NULL || loop->wake_event == NULL)
		goto fail;
	*out = loop;
	return RES_OK;

fail:
	failed = errno;
	loop_free(loop);
	errno = failed;
	return res;
}

void
loop_free(struct loop *loop)
{
	struct signal_watch *s;

	if (loop == NULL)
		return;
	while ((s = SLIST_FIRST(&loop->signals)) != NULL) {
		SLIST_REMOVE_HEAD(&loop->signals, beside);
		event_free(s->event);
		free(s);
	}
	if (loop->timer_event != NULL)
		event_free(loop->timer_event);
	if (loop->wake_event != NULL)
		event_free(loop->wake_event);
	if (loop->base != NULL)
		event_base_free(loop->base);
	if (loop->timer_fd >= 0)
		close(loop->timer_fd);
	if (loop->wake_fd >= 0)
		close(loop->wake_fd);
	posts_free(&loop->posts);
	free(loop);
}

/* The descriptor is set only when something is due before it would fire: firing once for nothing is cheaper
 * than a system call whenever the first timer is stopped. */
static void
loop_arm_timer(struct loop *loop)
{
	int64_t next = wheel_next_ms(&loop->wheel);
	struct itimerspec at = {0};

	if (next >= loop->armed_ms)
		return;
	at.it_value.tv_sec = next / 1000;
	at.it_value.tv_nsec = next % 1000 * 1000000 + 1; /* a value of zero would disarm it */
	if (timerfd_settime(loop->timer_fd, TFD_TIMER_ABSTIME, &at, NULL) == 0)
		loop->armed_ms = next;
}

static void
loop_run_timers(struct loop *loop)
{
	struct wheel_timer *due,
	    end = {.due_ms = INT64_MIN}; /* a timer set for "now" lies after it: next turn */

	if (wheel_next_ms(&loop->wheel) == INT64_MAX)
		return;
	wheel_turn(&loop->wheel, loop_now_ms(loop));
	if (TAILQ_EMPTY(&loop->wheel.due))
		return;
	wheel_add(&loop->wheel, &end);
	while ((due = wheel_take(&loop->wheel)) != NULL && due != &end) {
		struct loop_timer *t = loop_timer_of(due);

		t->on_due(t->ctx);
	}
}

static void
loop_run_deferred(struct loop *loop)
{
	struct loop_defer *d, end = {.set = true}; /* what is deferred meanwhile lies after it: next turn */

	if (TAILQ_EMPTY(&loop->defers))
		return;
	TAILQ_INSERT_TAIL(&loop->defers, &end, beside);
	while ((d = TAILQ_FIRST(&loop->defers)) != &end) {
		TAILQ_REMOVE(&loop->defers, d, beside);
		d->set = false;
		d->fn(d->ctx);
	}
	TAILQ_REMOVE(&loop->defers, &end, beside);
}

void
loop_run(struct loop *loop)
{
	while (!atomic_load_explicit(&loop->stop, memory_order_acquire)) {
		bool more = !TAILQ_EMPTY(&loop->defers) || !TAILQ_EMPTY(&loop->wheel.due);

		if (!more)
			loop_arm_timer(loop);
		loop->running = true;
		loop->now_known = false;
		(void)event_base_loop(loop->base, more ? EVLOOP_ONCE | EVLOOP_NONBLOCK : EVLOOP_ONCE);
		loop_run_timers(loop);
		loop_run_deferred(loop);
	}
	loop->running = false;
	atomic_store(&loop->stop, false);
}

static void
loop_wake(struct loop *loop)
{
	const uint64_t one = 1;

	/* full: it is awake already */
	while (write(loop->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}

void
loop_stop(struct loop *loop)
{
	atomic_store_explicit(&loop->stop, true, memory_order_release);
	loop_wake(loop);
}

void
loop_end(struct loop *loop)
{
	posts_end(&loop->posts);
}

static enum res
loop_post_add(struct loop *loop, struct post *post)
{
	bool first;
	enum res res = posts_add(&loop->posts, post, &first);

	if (res == RES_OK && first)
		loop_wake(loop);
	return res;
}

enum res
loop_post(struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct post *post = calloc(1, sizeof *post);

	if (post == NULL)
		return RES_NOMEM;
	post->fn = fn;
	post->arg = arg;
	return loop_post_add(loop, post);
}

enum res
loop_reply_new(struct loop_reply **out, struct loop *loop, void (*fn)(void *arg), void *arg)
{
	struct loop_reply *reply = calloc(1, sizeof *reply);

	if (reply == NULL)
		return RES_NOMEM;
	reply->post.fn = fn;
	reply->post.arg = arg;
	reply->loop = loop;
	*out = reply;
	return RES_OK;
}

void
loop_reply_post(struct loop_reply *reply)
{
	(void)loop_post_add(reply->loop, &reply->post);
}

void
loop_reply_free(struct loop_reply *reply)
{
	free(reply);
}

static void
loop_fd_on_event(evutil_socket_t fd, short what, void *arg)
{
	struct loop_fd *w = arg;

	(void)fd;
	w->on_ready(w->ctx, what & EV_READ ? LOOP_READ : LOOP_WRITE);
}

enum res
loop_fd_watch(struct loop_fd *w, struct loop *loop, int fd, void (*on_ready)(void *ctx, unsigned ready),
	      void *ctx)
{
	struct watch *watch = calloc(1, sizeof *watch);

	if (watch == NULL)
		return RES_NOMEM;
	*w = (struct loop_fd){.loop = loop, .fd = fd, .on_ready = on_ready, .ctx = ctx, .impl = watch};
	watch->read = event_new(loop->base, fd, EV_READ | EV_PERSIST, loop_fd_on_event, w);
	watch->write = event_new(loop->base, fd, EV_WRITE | EV_PERSIST, loop_fd_on_event, w);
	if (watch->read == NULL || watch->write == NULL || loop_fd_interest(w, LOOP_READ) != RES_OK) {
		loop_fd_unwatch(w);
		return RES_NOMEM;
	}
	return RES_OK;
}

enum res
loop_fd_interest(struct loop_fd *w, unsigned interest)
{
	struct watch *watch = w->impl;
	unsigned change = w->interest ^ interest;

	if (change & LOOP_READ &&
	    (interest & LOOP_READ ? event_add(watch->read, NULL) : event_del(watch->read)) != 0)
		return RES_IO;
	if (change & LOOP_WRITE &&
	    (interest & LOOP_WRITE ? event_add(watch->write, NULL) : event_del(watch->write)) != 0)
		return RES_IO;
	w->interest = interest;
	return RES_OK;
}

void
loop_fd_unwatch(struct loop_fd *w)
{
	struct watch *watch = w->impl;

	if (watch == NULL)
		return;
	if (watch->read != NULL)
		event_free(watch->read);
	if (watch->write != NULL)
		event_free(watch->write);
	free(watch);
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
	int64_t now = loop_now_ms(t->loop);

	loop_timer_stop(t);
	if (after_ms > INT64_MAX / 2 - now)
		after_ms = INT64_MAX / 2 - now;
	t->timer.due_ms = now + (after_ms > 0 ? after_ms : 0);
	wheel_add(&t->loop->wheel, &t->timer);
}

void
loop_timer_within(struct loop_timer *t, int64_t after_ms)
{
	if (!loop_timer_is_set(t) || t->timer.due_ms > loop_now_ms(t->loop) + after_ms)
		loop_timer_set(t, after_ms);
}

void
loop_timer_stop(struct loop_timer *t)
{
	if (t->timer.due_ms == 0)
		return;
	wheel_remove(&t->loop->wheel, &t->timer);
	t->timer.due_ms = 0;
}

bool
loop_timer_is_set(const struct loop_timer *t)
{
	return t->timer.due_ms != 0;
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

static void
loop_on_signal(evutil_socket_t signo, short what, void *arg)
{
	struct signal_watch *s = arg;

	(void)signo;
	(void)what;
	s->on_signal(s->ctx);
}

enum res
loop_signal(struct loop *loop, int signo, void (*on_signal)(void *ctx), void *ctx)
{
	struct signal_watch *s = calloc(1, sizeof *s);

	if (s == NULL)
		return RES_NOMEM;
	s->on_signal = on_signal;
	s->ctx = ctx;
	s->event = evsignal_new(loop->base, signo, loop_on_signal, s);
	if (s->event == NULL || event_add(s->event, NULL) != 0) {
		if (s->event != NULL)
			event_free(s->event);
		free(s);
		return RES_NOMEM;
	}
	SLIST_INSERT_HEAD(&loop->signals, s, beside);
	return RES_OK;
}
