/*
 * conn.h - one connection: TCP, TLS, verdict, then DoT or DoH. Inside the transport only.
 *
 * There is one step function per state; its result decides what the connection waits for next, and conn_end is the only
 * way to end it. The peer's certificate is verified before anything is written, again when the policy was replaced or a
 * report mode ended, and every hour.
 *
 * A connection does not know its slot: it works on what the connections of one slot share, and reports through conn_ops.
 * conn.c has its states, conn_data.c sends queries and receives answers, conn_judge.c verifies the peer, and conn_time.c
 * handles timers.
 */
#ifndef TRANSPORT_CONN_H
#define TRANSPORT_CONN_H

#include "transport/exchange.h"
#include "transport/idle.h"
#include "transport/nat.h"
#include "transport/proto.h"
#include "transport/quota.h"
#include "transport/ticket.h"
#include "transport/tls.h"

#define CONN_AGE_MAX_MS    (3600 * INT64_C(1000)) /* then the peer is judged again */
#define CONN_PLAIN_MAX     (256 * 1024)
#define CONN_PRESENTED_MAX (2 * TLS_HANDSHAKE_MAX) /* the message that they came in has at most half of it */
#define CONN_OUT_HIGH      (64 * 1024) /* bytes that wait for the socket; above it nothing is added */
#define CONN_READS_MAX     8           /* per turn, so that one peer cannot occupy the loop */
#define CONN_TICKETS_MAX   2           /* kept per connection */
#define CONN_TAKE_AGAIN_MS 50          /* a question that found no memory tries again */

struct conn;
struct conn_shared;

/* What a connection reports to its slot; never called inside a call of transport.h. */
struct conn_ops {
	void (*on_ready)(struct conn_shared *, struct conn *);
	/* Its peer was judged again, and accepted. */
	void (*on_judged)(struct conn_shared *, struct conn *);
	/* The connection ended by itself; its exchanges are still in its list. was_ready: closed, else failed. */
	void (*on_gone)(struct conn_shared *, struct conn *, bool was_ready, enum reason, const char *detail);
	/* Takes the exchange out of the connection's list and makes its callback. */
	void (*on_answer)(struct conn_shared *, struct conn *, struct tp_exchange *, struct tp_answer *);
	/* The peer did not process the exchange: it waits again, or fails if that happened before. */
	void (*on_unprocessed)(struct conn_shared *, struct conn *, struct tp_exchange *);
	/* The connection has been idle for almost as long as the peer allows. True: it got a question and stays
	 * open. */
	bool (*on_idle)(struct conn_shared *, struct conn *);
	/* The connection wants conn_flush at the end of this turn. */
	void (*want_flush)(struct conn_shared *);
};

/* What the connections of one slot share. */
struct conn_shared {
	const struct conn_ops *ops;
	struct loop *loop;
	const struct tp_target *target;
	struct sigcache *known;       /* of the thread; NULL: none. Lent */
	struct exchange_list waiting; /* for a connection that takes them */
	struct tickets tickets;
	struct idle idle;
	struct nat nat;
	struct quota quota;
	struct tp_stats stats;
	bool unordered; /* the peer has answered a question before an older one, or its protocol says so */
};

struct conn {
	struct conn_shared *shared;
	TAILQ_ENTRY(conn) beside; /* draining or gone: of the slot's list */
	enum { CONN_CONNECTING, CONN_HANDSHAKE, CONN_READY, CONN_GONE } state;
	int fd;
	struct loop_fd watch;
	struct loop_timer timer;
	struct tls *tls;
	struct proto *proto;
	struct exchange_list in_flight; /* oldest first */
	struct buf plain;
	struct verdict verdict;
	struct buf presented; /* the certificates that were judged last, until they are reported: tp_event */
	bool judge_again;     /* the policy was replaced */
	/* Wall clock: findings only reported until then refuse afterwards; 0: never. */
	int64_t report_until_ms;
	bool draining;     /* finishes what it carries and takes nothing new */
	bool retired;      /* ... and what it carries is not repeated on another one */
	unsigned takes;    /* no more questions than this are written on it; 0: any number */
	unsigned carried;  /* questions that were written on it */
	unsigned answered; /* answers that it brought */
	bool offered;      /* a saved session */
	bool outdated;     /* ends because its verdict was too old: nobody else is to blame */
	bool refused;      /* ends because of its verdict */
	bool starved;      /* a question waits that found no memory, or behind a test (quota.h) */
	bool silent;       /* ends because nothing comes any more: the peer has not closed it */
	unsigned tickets;
	int64_t start_ms, judged_ms;
	int64_t used_ms;        /* application bytes went either way */
	int64_t idle_before_ms; /* idle for so long before questions that got no answer; else 0 */
	/* The peer owes an answer and has sent nothing since then; 0: it owes nothing. */
	int64_t quiet_since_ms;
	int64_t keepalive_ms;   /* RFC 7828; -1: the peer sent none */
	int64_t now_us;         /* of this turn's writes or reads */
	struct tls_peer *shown; /* what tp_slot_details lends; NULL: not asked for yet */
};

TAILQ_HEAD(conn_list, conn);

/* A connection that conn_start begins. The ticket, which may be NULL, is taken. NULL: no memory. */
struct conn *conn_create(struct conn_shared *, struct ticket *);
/* Begins to connect. False: it failed at once, and on_gone was called. */
bool conn_start(struct conn *);
/* Sends the waiting exchanges and the protocol's own frames. Judges again first when that is due. */
void conn_flush(struct conn *);
/* Do questions wait although it is ready, because as many were written on it as the peer answers over one connection? Until that
 * is known they wait for the answers that may show otherwise, but not for late ones. */
bool conn_needs_another(const struct conn *);
/* How long it may be idle and still be used: the peer and the network set limits. */
int64_t conn_use_ms(const struct conn *);
/* It was idle for so long. */
void conn_count_use(struct conn *);
/* Has it been idle for too long to be used again? */
bool conn_is_stale(const struct conn *);
/* Do its questions wait behind one that is late (late.h)? False while the connection is not ready. */
bool conn_is_late(const struct conn *);
void conn_close_idle(struct conn *); /* an own close: on_gone is called */
/* The peer closed the connection, or announced that it will: learns from how long it was idle. */
void conn_learn_idle(struct conn *);
/* Closes without a report; its exchanges stay in its list. Freed later, with conn_free. */
void conn_shut(struct conn *);
void conn_free(struct conn *);
void conn_cancel(struct conn *, struct tp_exchange *); /* out of its list and its protocol */

/* Between the files of a connection. */

void conn_end(struct conn *, enum reason, const char *detail); /* on_gone is called */
void conn_end_refused(struct conn *);                          /* with the reason of its verdict */
void conn_end_trouble(struct conn *, const struct tls_trouble *);
/* Sends encrypted bytes. False: the connection is gone. */
bool conn_send(struct conn *);
/* Judges the peer by the target's policy; true: accepted. For tls_want.on_peer. */
bool conn_on_peer(void *conn, const struct tls_peer *);
/* Judges the peer again when that is due. False: it was refused and the connection is gone. If the last judgement
 * was only too old, the connection is just closed: the peer may have a newer certificate or staple by now, and the
 * next handshake will show it. If a new policy refuses the peer, that is reported as a refusal. */
bool conn_judge_again(struct conn *);
/* Starts the target's protocol on a finished handshake. */
enum res conn_open_proto(struct conn *);
/* Reads application data. False: the connection is gone. */
bool conn_read(struct conn *);
void conn_on_timer(void *conn);

#endif
