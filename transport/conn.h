/*
 * conn.h - one connection: TCP, TLS, verdict, then DoT or DoH. Inside the transport only.
 *
 * A state and a step per state: what a step finds decides what is waited for, and conn_end is the only way
 * out. It judges its peer before anything is written, again when the policy was replaced or what it only
 * reported begins to refuse, and every hour.
 */
#ifndef TRANSPORT_CONN_H
#define TRANSPORT_CONN_H

#include "transport/slot.h"
#include "transport/tls.h"
#include "transport/proto.h"

#define CONN_AGE_MAX_MS  (3600 * INT64_C(1000)) /* then it is judged again */
#define CONN_PLAIN_MAX   (256 * 1024)
#define CONN_OUT_HIGH    (64 * 1024) /* not taken by the socket: nothing is added */
#define CONN_READS_MAX   8           /* a turn, so that one peer can not keep the loop for itself */
#define CONN_TICKETS_MAX 2           /* kept of one connection */

struct conn {
	struct tp_slot *slot;
	struct conn *next; /* draining or gone */
	enum { CONN_CONNECTING, CONN_HANDSHAKE, CONN_READY, CONN_GONE } state;
	int fd;
	struct loop_fd watch;
	struct loop_timer timer;
	struct tls *tls;
	struct proto *proto;
	struct exchange_list in_flight; /* oldest first */
	struct buf plain;
	struct verdict verdict;
	bool judge_again; /* the policy was replaced */
	int64_t
	    report_until_ms; /* wall clock: what the verdict only reported refuses from then on; 0: never */
	bool draining;
	bool answered; /* it brought an answer */
	bool offered;  /* a saved session */
	unsigned tickets;
	int64_t start_ms, judged_ms;
	int64_t used_ms;         /* application bytes went either way */
	int64_t idle_before_ms;  /* unused so long before questions that nothing came for; else 0 */
	int64_t silent_since_ms; /* something is owed to us and nothing came since then; 0: nothing is owed */
	int64_t keepalive_ms;    /* RFC 7828; -1: the peer said nothing */
	int64_t now_us;          /* of this turn's writes or reads */
	struct tls_peer *shown;  /* what tp_slot_details lends; NULL: not asked yet */
};

/* Begins to connect. Never fails by itself: what goes wrong at once comes through slot_on_gone before it
 * returns, and then NULL is returned. */
struct conn *conn_open(struct tp_slot *, struct ticket *);
/* Sends what waits in the slot, and the protocol's own frames. Judges again first when that is due. */
void conn_flush(struct conn *);
/* May it still be used after having been idle so long? */
bool conn_is_stale(const struct conn *);
void conn_close_idle(struct conn *); /* an own close: slot_on_gone is called */
/* Closes without a word to the slot; its questions stay in its list. Freed later, with conn_free. */
void conn_shut(struct conn *);
void conn_free(struct conn *);
void conn_cancel(struct conn *, struct tp_exchange *); /* out of its list and its protocol */

/* Between conn.c and conn_time.c. */
void conn_end(struct conn *, enum reason, const char *detail); /* slot_on_gone is called */
/* Judges again when that is due. False: it was refused and is gone. Refused for its age it is only closed: the peer may
 * have a newer certificate or staple by now, and the next handshake will tell. Refused by a new policy it is an event of
 * its own. */
bool conn_judge_again(struct conn *);
void conn_on_timer(void *conn);

#endif
