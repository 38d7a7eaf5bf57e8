/*
 * query_event.h - one thing that happened to a question, as a worker gives it to the writer of the query log.
 *
 * Both are processes of one program, so events are bytes of this machine. Client addresses are cut or left out before.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_EVENT_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_EVENT_H

#include "base/addr.h"
#include "resolver/tap.h"

/* The longest event: a reply over TCP, with its other fields. */
#define QUERY_EVENT_MAX (MSG_MAX + 4096)

enum query_event_kind {
	QUERY_EVENT_ASKED,    /* a client's question came; only with dnstap */
	QUERY_EVENT_REPLIED,  /* its reply went out */
	QUERY_EVENT_SENT,     /* to an upstream; only with dnstap */
	QUERY_EVENT_RECEIVED, /* from an upstream; only with dnstap */
	QUERY_EVENT_REOPEN    /* no question: the writer opens its file anew */
};
enum query_protocol { QUERY_UDP, QUERY_TCP, QUERY_DOT, QUERY_DOH };

struct query_event {
	enum query_event_kind kind;
	enum query_protocol protocol;
	enum tap_source source;
	uint16_t rcode;
	int64_t at_us;       /* wall clock */
	int64_t took_us;     /* since the question came, or was sent */
	struct addr client;  /* ADDR_NONE: left out; without a port it is cut */
	uint8_t client_bits; /* so many of it were kept */
	struct addr server;
	uint32_t query_bytes, reply_bytes;
	bool has_ede;
	uint16_t ede; /* INFO-CODE */
	/* Lent. */
	struct span section;  /* the question section as spelled; may be empty */
	struct span upstream; /* its title */
	struct span reason;   /* EXTRA-TEXT of the first Extended DNS Error; may be hostile */
	struct span message;  /* whole; only with dnstap */
};

/* Appends. False: there is no room, and nothing was appended. */
bool query_event_write(struct buf *, const struct query_event *);
/* Takes the next event off the front; its spans point into the batch. False: nothing (more) is there. */
bool query_event_take(struct span *batch, struct query_event *);
/* The largest number of bytes from the front that are whole events, at most max; but at least one event. */
size_t query_event_fit(struct span batch, size_t max);

#endif
