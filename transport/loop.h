/*
 * loop.h - an event loop: file descriptors, timers, and work posted by other threads.
 *
 * The only interface of the transport and the resolver to libevent. Timers run on boot time, so that a timer due during
 * suspend fires at wake-up. A loop belongs to one thread; only loop_post and loop_stop may be called by others.
 * Tests link another implementation of this header with a scripted clock.
 */
#ifndef TRANSPORT_LOOP_H
#define TRANSPORT_LOOP_H

#include "base/res.h"
#include "transport/wheel.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

struct loop;

/* RES_NOMEM, or RES_IO: no descriptors, errno says why. */
enum res loop_new(struct loop **);
void loop_free(struct loop *); /* everything that was made from it must be gone */
void loop_run(struct loop *);  /* until loop_stop */
void loop_stop(struct loop *);
/* When its thread has ended: runs in this thread what was posted until now. Nothing is taken any more. */
void loop_end(struct loop *);

enum { LOOP_READ = 1, LOOP_WRITE = 2 };

/* Watches one descriptor, level-triggered, for reading at first. Embedded in its owner's struct, zeroed before the
 * first use. An error or the peer's close counts as ready for whatever is watched. */
struct loop_fd {
	struct loop *loop;
	int fd;
	unsigned interest; /* LOOP_READ | LOOP_WRITE */
	void (*on_ready)(void *ctx, unsigned ready);
	void *ctx;
	void *impl;
};

enum res loop_fd_watch(struct loop_fd *, struct loop *, int fd, void (*on_ready)(void *ctx, unsigned ready),
		       void *ctx);
enum res loop_fd_interest(struct loop_fd *, unsigned interest); /* cheap when nothing changes */
/* Harmless when not watched; does not close; may be called inside on_ready. */
void loop_fd_unwatch(struct loop_fd *);

/* One timer, embedded in its owner's struct, zeroed before the first use. O(1) to set and stop. */
struct loop_timer {
	struct loop *loop;
	void (*on_due)(void *ctx);
	void *ctx;
	struct wheel_timer timer; /* its time is of the boot clock */
};

void loop_timer_init(struct loop_timer *, struct loop *, void (*on_due)(void *ctx), void *ctx);
/* Fires once, `after_ms` from now (0: in the next turn). Setting again moves it. */
void loop_timer_set(struct loop_timer *, int64_t after_ms);
void loop_timer_stop(struct loop_timer *); /* harmless when not set; may be called inside on_due */
/* Moves the timer forward to `after_ms` from now, never back. When it fires, its owner looks for what is due. */
void loop_timer_within(struct loop_timer *, int64_t after_ms);
bool loop_timer_is_set(const struct loop_timer *);

/* Boot time as of this turn of the loop: one reading a turn. */
int64_t loop_now_ms(const struct loop *);

/* From any thread: fn(arg) runs in the loop's thread, in order. RES_NOMEM, and RES_NOT_FOUND after loop_end: it will not
 * run. */
enum res loop_post(struct loop *, void (*fn)(void *arg), void *arg);
/* The same in two steps: the first allocates the memory, so the second cannot fail, and a thread that got a request
 * can always reply. */
struct loop_reply;
enum res loop_reply_new(struct loop_reply **out, struct loop *, void (*fn)(void *arg), void *arg);
void loop_reply_post(struct loop_reply *); /* taken; runs unless the loop has ended */
void loop_reply_free(struct loop_reply *); /* one that was not posted; NULL is fine */

/* Runs once at the end of this turn, after all ready descriptors and due timers were handled: used to collect
 * writes. Embedded, zeroed before the first use. Setting it again in the same turn does nothing. If a deferred
 * function sets it, it runs at the end of the next turn, which starts at once. */
struct loop_defer {
	struct loop *loop;
	void (*fn)(void *ctx);
	void *ctx;
	bool set;
	TAILQ_ENTRY(loop_defer) beside;
};
void loop_defer(struct loop_defer *, struct loop *, void (*fn)(void *ctx), void *ctx);
void loop_defer_stop(struct loop_defer *);

/* A signal, in the loop's thread. The watch lives as long as the loop. */
enum res loop_signal(struct loop *, int signo, void (*on_signal)(void *ctx), void *ctx);

#endif
