/*
 * tcp_conn.h - DNS over TCP for clients (RFC 7766, RFC 9210): one connection, and the room that those of one worker share.
 *
 * Questions are pipelined, and replies leave as they become known. What clients can make the worker hold is bounded for
 * all of them together: bytes of unfinished questions, and bytes of replies that they do not read (budget.h chooses which
 * connection is closed). The second counts the kernel's buffers too.
 */
#ifndef RESOLVER_DAEMON_TCP_CONN_H
#define RESOLVER_DAEMON_TCP_CONN_H

#include "base/dns/message.h"
#include "resolver/budget.h"
#include "resolver/client_quota.h"
#include "resolver/daemon/heap.h"
#include "resolver/engine.h"

#include <sys/queue.h>

#define TCP_IDLE_MS   30000 /* RFC 7766, 6.2.3; no whole question arrived and none is in flight for so long */
#define TCP_WRITE_MAX 65536 /* replies that a client has not taken; beyond, its connection is closed */
#define TCP_WRITE_LOW 16384 /* above it no further question is read */
#define TCP_READ_MAX  65536 /* of one read; shared by all connections of a worker */
#define TCP_WRITE_MS  10000 /* a client that took no byte for so long is closed */
/* For all clients together, divided among the workers: bytes of incomplete questions, and the same number again for
 * replies that are not read. That is 256 of the largest frames, or a third of a million incomplete questions of the
 * usual size. */
#define TCP_BYTES_MAX (16 * 1024 * 1024)
/* So many bytes held once, memory is given back when they are free again. */
#define TCP_BYTES_HIGH (1024 * 1024)
#define TCP_LOOK_MAX   1024 /* connections looked at to find one to close for another */
/* Of one connection: a client can pipeline a thousand questions at once (C26); more are read when some are answered. */
#define TCP_IN_FLIGHT_MAX 2048
/* Of a worker, if there are descriptors for them; beyond that, the connection that has been idle for longest is
 * closed. */
#define TCP_CONNECTIONS_MAX  10240
#define TCP_CONNECTIONS_HIGH 1024 /* their number after which memory is given back as well */

struct tcp_conn {
	struct tcp_room *room;
	int fd;
	struct addr addr;
	struct loop_fd watch;
	struct loop_timer timer;
	struct loop_defer defer;
	struct buf in;  /* read, but not yet processed */
	struct buf out; /* replies from out_at on are not written yet */
	size_t out_at;
	struct waiter_list waiting;
	unsigned in_flight;
	struct budget_item unfinished, unread; /* what it holds of the room's budgets */
	bool blocked;                          /* the client does not read at the moment */
	bool eof;                              /* the client has sent everything; it may still read */
	int64_t asked_ms;
	int64_t wrote_ms;
	TAILQ_ENTRY(tcp_conn) by_time;
};

struct tcp_room {
	struct loop *loop;
	struct engine *engine;
	struct counters *counters;
	struct client_quota *quota;
	TAILQ_HEAD(, tcp_conn) conns; /* by the time of the last question, the oldest first */
	struct budget unfinished;     /* bytes of questions that are not whole */
	struct budget unread;         /* bytes of replies that nobody reads, here and in the kernel */
	struct heap_watch *heap;
	uint8_t bytes[TCP_READ_MAX];
};

enum res tcp_room_new(struct tcp_room **, struct loop *, struct engine *, struct counters *,
		      uint32_t connections_max, size_t bytes_max, struct heap_watch *);
void tcp_room_free(struct tcp_room *); /* after its listeners; closes the open connections */
bool
tcp_room_is_high(const struct tcp_room *); /* it holds enough memory that returning it to the system pays */
/* A client waits for a reply, or for a part of one that the kernel has not taken. Looks at all connections. */
bool tcp_room_is_busy(const struct tcp_room *);

/* The descriptor is taken on RES_OK. An idle connection may be closed for it. RES_LIMIT: there is no room. */
enum res tcp_conn_new(struct tcp_room *, int fd, const struct addr *);
void tcp_conn_close(struct tcp_conn *);

#endif
