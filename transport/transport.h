/*
 * transport.h - one upstream address and the encrypted connections to it, over DoT or DoH.
 *
 * A target describes an upstream: the address, the protocol, and the policy by which its certificate is judged. A slot
 * holds the live connection to one target: it connects when a query is sent, keeps the connection while it is useful,
 * learns when the peer closes idle ones and when the network forgets them, resumes sessions (verified again before their
 * use), and reports why it fails. On request it keeps a connection open while there are no queries. No query is written
 * before vfy_check has accepted the peer. Nothing is ever sent in clear text.
 *
 * What it does not know: the configuration file, the cache, what a DNS message means beyond its length and its id.
 *
 * All calls belong to the loop's thread. Callbacks are never made from inside tp_send, tp_cancel or tp_slot_*
 * calls; they may call anything here but tp_slot_free of their own slot.
 */
#ifndef TRANSPORT_TRANSPORT_H
#define TRANSPORT_TRANSPORT_H

#include "base/addr.h"
#include "transport/loop.h"
#include "verify/verify.h"

#include <stdatomic.h>

enum tp_protocol { TP_DOT, TP_DOH };
enum tp_method { TP_POST, TP_GET };

#define TP_MESSAGE_MAX  65535
#define TP_INFLIGHT_MAX 4096 /* questions in flight on one connection; more wait or fail over */
#define TP_QUEUE_MAX    4096 /* questions waiting for a connection of one slot */

struct tp_identity; /* a client certificate with its key (mutual TLS); immutable, shared */
/* Of PEM bytes, lent. *why is constant. */
enum res tp_identity_new(struct tp_identity **, struct span cert, struct span key, const char **why);
void tp_identity_free(struct tp_identity *);

/* Immutable; part of a snapshot that outlives every slot that uses it. */
struct tp_target {
	const char *upstream; /* its title in the configuration, for logs */
	struct addr addr;     /* with port */
	enum tp_protocol protocol;
	enum tp_method method;   /* DoH */
	const char *path;        /* DoH */
	const char *name;        /* "" or the DNS name the certificate must bear as well; SNI, :authority */
	const struct addr *also; /* also-address: the certificate may bear one of these instead */
	size_t n_also;
	const struct tp_identity *identity; /* NULL: none */
	const struct vfy_policy *policy;
	uint64_t generation; /* of the snapshot: tickets and verdicts are of one generation */
};

enum tp_state { TP_IDLE, TP_CONNECTING, TP_HANDSHAKE, TP_READY };

struct tp_slot;

/* What became of one connection attempt or connection; lent for the time of the call. */
struct tp_event {
	enum {
		TP_EVENT_READY,  /* handshake done, verdict accepted */
		TP_EVENT_FAILED, /* never became ready: reason is set */
		TP_EVENT_JUDGED, /* is ready, was judged again (a new policy, an hour later), and accepted */
		TP_EVENT_CLOSED, /* was ready, is gone; reason tells why (REASON_CLOSED for an idle close) */
	} kind;
	enum reason reason;
	/* A verdict is the reason. REASON_OUT_OF_MEMORY alone does not tell: perhaps no judge saw the certificate. */
	bool refused;
	struct verdict *verdict; /* when accepted, or refused; else NULL. Take it by copying and zeroing */
	/* With a verdict: the certificates as presented, each after its length of 24 bits. Empty where no memory was left
	 * for the copy. */
	struct span presented;
	bool resumed;
	const char *tls_version, *cipher, *group, *alpn; /* "" where the handshake did not come so far */
	int64_t handshake_ms;                            /* from connect to ready or failure */
	const char *detail; /* a message of the library or the system for the log; may be NULL */
};

struct tp_hooks {
	void (*on_event)(void *ctx, struct tp_slot *, struct tp_event *); /* may be NULL */
	void *ctx;
	/* Signatures that are known to hold, of this thread, shared by its slots (sigcache.h); lent. NULL: none are known. */
	struct sigcache *known;
};

enum res tp_slot_new(struct tp_slot **, struct loop *, const struct tp_target *, const struct tp_hooks *);
void tp_slot_free(struct tp_slot *); /* questions in flight end without a callback */

/* The outcome of a question; lent for the time of the call. */
struct tp_answer {
	enum reason failure; /* REASON_NONE: message is the answer */
	struct span message; /* whole DNS message; its id is the question's (DoH: 0 on the wire, restored) */
	uint32_t age_s;      /* DoH: Age header, 0 without (RFC 8484, 5.1) */
	int64_t rtt_us;      /* from the write to the answer */
	bool retry_safe;     /* on failure: the question was not written, or surely not processed */
	bool killed;         /* on failure: its connections ended, and it was repeated as often as allowed */
	bool lost;           /* on failure: its connection ended, and no other one could be made */
	bool retired;    /* on failure: given back or retired (tp_slot_...), which is no fault of the peer */
	unsigned alone;  /* how many of these connections carried nothing else */
	int http_status; /* DoH: of the answer, 0 when it did not come to one */
	uint32_t retry_after_s; /* DoH: Retry-After from now, at most a day, 0 without (RFC 9110, 10.2.3) */
};

struct tp_exchange; /* one question in flight; gone after its callback or tp_cancel */
typedef void (*tp_answer_fn)(void *arg, const struct tp_answer *);

/*
 * Sends a DNS question (a whole message with any id, at most TP_MESSAGE_MAX; copied). Opens a connection when there
 * is none. The transport gives it an id of its own on the wire, adds padding to a message with an OPT record last in
 * its additional section, and repeats it once on a fresh connection when the one it was written on turns out dead,
 * unless connection after connection ends here without a single answer. Questions that wait fail when one connection after
 * the other ends before any of them is written.
 * The callback is made exactly once unless tp_cancel comes first. deadline_ms: boot clock; past it the failure is
 * REASON_CONNECT_TIMEOUT when no connection was made, else REASON_CLOSED.
 * RES_LIMIT: too many in flight and waiting.
 */
enum res tp_send(struct tp_exchange **, struct tp_slot *, struct span message, int64_t deadline_ms,
		 tp_answer_fn, void *arg);
/* Right after tp_send: the question is not repeated, for whatever reason its connection ends. */
void tp_send_once(struct tp_exchange *);
void tp_cancel(struct tp_exchange *);
/* The question waits: no connection has carried it yet, or it is behind a late one (tp_slot_is_late). */
bool tp_waits(const struct tp_exchange *);

/* Opens the connection without a question (probing, racing). Harmless when there is one. */
void tp_slot_connect(struct tp_slot *);
/*
 * Keeps a connection open until then (boot clock; 0: no longer) although no question is sent. Shortly before the peer
 * would close an idle one, the slot asks for the root's SOA record; when the peer closes it nevertheless, a fresh one is made.
 * Never sooner than TP_KEEP_EVERY_MS after the last use: with a peer that closes idle connections sooner, or announced
 * that it will (RFC 7828), nothing is kept. A failure ends it until the next call.
 */
#define TP_KEEP_EVERY_MS 4000 /* most public resolvers keep idle connections for 10 s and longer */
void tp_slot_keep(struct tp_slot *, int64_t until_ms);
/* Drops the connection now. Questions in flight are repeated on a fresh one; without any, none is made. forget_tickets: saved
 * sessions too. */
void tp_slot_drop(struct tp_slot *, bool forget_tickets);
/* Questions that wait for the connection, or for room on it, fail, from the loop. */
void tp_slot_give_back(struct tp_slot *);
/* Nothing more is written to the connection, one that is not ready is abandoned, and saved sessions are forgotten, so that the
 * next connection shows a certificate. Questions in flight may still be answered, and are not repeated. Those that wait
 * fail, from the loop. */
void tp_slot_retire(struct tp_slot *);
/* The network has changed: the usual answer time so far is the first guess, and a few quicker answers correct it. How many
 * questions a connection takes is forgotten, and after how long the network forgets an idle one. */
void tp_slot_learn_anew(struct tp_slot *);
/* The ready connection of `from`, a slot of the same target, replaces the connection of this slot, which is dropped;
 * its questions are repeated on the new one. If `from` has no ready connection, or something is in flight on it, a
 * fresh connection is made. */
void tp_slot_adopt(struct tp_slot *, struct tp_slot *from);
/* After a reload: the new target for the same address and protocol. An open connection is judged again by the new
 * policy before its next use, saved sessions likewise; a refusal drops them. The old target may be freed after it. */
void tp_slot_retarget(struct tp_slot *, const struct tp_target *);

/*
 * A question that is sent now would wait behind one whose answer is late: the oldest one has had no answer for
 * tp_slot_late_after_ms, and the peer answers in order as far as is known. With a peer that answers in any order, two are
 * late, and the connection has been silent since the younger was written.
 */
bool tp_slot_is_late(const struct tp_slot *);
/* A question that is sent now would wait until another one ends: the peer allows no more at the same time. */
bool tp_slot_is_full(const struct tp_slot *);
/* After how many milliseconds an answer counts as late: a few times the peer's usual answer time, within bounds. */
int64_t tp_slot_late_after_ms(const struct tp_slot *);

/* A connection that will be made at the end of the turn counts as one that connects. */
enum tp_state tp_slot_state(const struct tp_slot *);
const char *tp_state_text(enum tp_state);

struct tp_stats {
	/* attempts, ready, ready by ticket, by verdict, by wire */
	uint64_t connects, handshakes, resumed, refused, failures;
	/* written once or more; unexpected: answers to no question in flight */
	uint64_t questions, answers, repeated, unexpected;
	uint64_t bytes_out, bytes_in; /* application data */
	uint64_t idle_closes;
	/* Questions of its own that kept a connection open; in no other count but that of bytes. */
	uint64_t kept;
	int64_t handshake_ms;  /* the last one; -1 none */
	int64_t srtt_us;       /* smoothed; -1 none */
	int64_t median_us;     /* running estimate of the median answer time; -1 none */
	int64_t idle_limit_ms; /* learned: the peer closes after this; -1 not known */
	uint32_t in_flight, waiting;
	uint32_t barren; /* connections in a row that ended under questions and had brought no answer */
};
void tp_slot_stats(const struct tp_slot *, struct tp_stats *);

/* What ctstub probe shows of the connection; strings lent until it closes. NULL fields: no connection. */
struct tp_details {
	const char *tls_version; /* "TLS1.3" */
	const char *cipher;      /* as in the event */
	const char *alpn;        /* "dot", "h2", "" when the peer chose none */
	bool resumed;
	bool has_ticket;          /* a saved session is at hand for the next connection */
	const struct span *certs; /* as presented */
	size_t n_certs;
};
void tp_slot_details(const struct tp_slot *, struct tp_details *);

/* Once, before any thread: sets the priorities. The environment is cleaned before (base/environment.h).
 * RES_UNSUPPORTED: GnuTLS is older than 3.7.9. RES_NOMEM. */
enum res tp_global_init(void);

/* Connection attempts: one has at most this long (interface: 1.5 s), a handshake after it at most 3 s in all. */
#define TP_CONNECT_TIMEOUT_MS   1500
#define TP_HANDSHAKE_TIMEOUT_MS 3000

#endif
