/*
 * tcp_conn.h - inside listener_tcp: one connection of a client, and what those of one worker share.
 *
 * What clients can make the worker hold is bounded for all of them together: bytes of unfinished questions, and bytes of
 * replies that they do not read (budget.h says who gives way). The second counts the kernel's buffers too.
 */
#ifndef RESOLVER_DAEMON_TCP_CONN_H
#define RESOLVER_DAEMON_TCP_CONN_H

#include "resolver/budget.h"
#include "resolver/daemon/footprint.h"
#include "resolver/daemon/listener.h"

struct tcp_conn {
	struct tcp_room *room;
	int fd;
	struct addr addr;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_defer defer;
	struct buf in;  /* what was read and not yet worked on */
	struct buf out; /* replies from out_at on are not written yet */
	size_t out_at;
	struct waiter *waiting;
	unsigned in_flight;
	struct budget_item unfinished, unread; /* what it holds of the room's budgets */
	bool blocked;                          /* the client reads no more just now */
	bool eof;                              /* the client has said everything; it may still listen */
	int64_t asked_ms;
	int64_t wrote_ms;
	struct tcp_conn *newer, *older;
};

struct tcp_room {
	struct loop *loop;
	struct engine *engine;
	struct counters *counters;
	struct share *share;
	struct tcp_conn *newest, *oldest; /* by the time of the last question */
	size_t busy;
	struct budget unfinished; /* bytes of questions that are not whole */
	struct budget unread;     /* bytes of replies that nobody reads, here and in the kernel */
	struct footprint_watch *footprint;
	uint8_t bytes[TCP_READ_MAX];
};

/* The descriptor is taken on RES_OK. */
enum res conn_new(struct tcp_room *, int fd, const struct addr *);
void conn_close(struct tcp_conn *);

#endif
