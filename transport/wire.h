/*
 * wire.h - what a connection asks of the protocol that it carries, DoT or DoH. Inside the transport only.
 *
 * Plain bytes in, plain bytes out; nothing here knows TLS, sockets or time. A wire holds no question: it maps
 * its own ids to the questions of its connection, whose list they are in.
 */
#ifndef TRANSPORT_WIRE_H
#define TRANSPORT_WIRE_H

#include "transport/query.h"

struct wire; /* its beginning: */
struct wire {
	const struct wire_ops *ops;
	const struct wire_hooks *hooks;
	void *ctx; /* of the hooks */
};

struct wire_ops {
	void (*free)(struct wire *);
	/* May one more question be taken now? */
	bool (*has_room)(const struct wire *);
	/* Takes a question: its bytes are in the output, or will be after gather. RES_NOMEM, RES_LIMIT: not
	 * taken. */
	enum res (*take)(struct wire *, struct tp_query *, struct buf *out);
	/* Nobody waits for it any more; an answer that still comes is dropped. */
	void (*cancel)(struct wire *, struct tp_query *);
	/* What else is to be sent. Other than REASON_NONE: when that is sent, the conversation is over or
	 * broken. */
	enum reason (*gather)(struct wire *, struct buf *out, const char **detail);
	/* Received bytes, which may be written to. REASON_NONE: goes on. */
	enum reason (*feed)(struct wire *, uint8_t *p, size_t n, const char **detail);
	/* No new questions: the peer said so, or its ids come to an end. */
	bool (*is_draining)(const struct wire *);
	/* Cancelled questions whose answers may still come. */
	uint32_t (*owed)(const struct wire *);
};

struct wire_hooks {
	/* The question is answered or failed. False: the connection is gone, stop feeding. */
	bool (*on_answer)(void *ctx, struct tp_query *, struct tp_answer *);
	/* The peer did not process it and says so. */
	void (*on_unprocessed)(void *ctx, struct tp_query *);
	/* An answer that nobody waits for. */
	void (*on_unexpected)(void *ctx);
	/* The peer's idle timeout (RFC 7828). */
	void (*on_keepalive)(void *ctx, int64_t ms);
};

enum res dot_new(struct wire **, const struct wire_hooks *, void *ctx);
/* The target's name or address, path and method are lent until free. */
enum res doh_new(struct wire **, const struct tp_target *, const struct wire_hooks *, void *ctx);

#endif
