/*
 * proto.h - the interface of the protocol drivers, DoT and DoH, to their connection. Inside the transport only.
 *
 * Plain bytes in, plain bytes out; nothing here knows TLS, sockets or time. A protocol owns no questions: it maps its own
 * ids to the questions of its connection, which are in the connection's list.
 */
#ifndef TRANSPORT_PROTO_H
#define TRANSPORT_PROTO_H

#include "transport/exchange.h"

struct proto; /* its beginning: */
struct proto {
	const struct proto_ops *ops;
	const struct proto_hooks *hooks;
	void *ctx; /* of the hooks */
};

struct proto_ops {
	void (*free)(struct proto *);
	/* May one more question be taken now? */
	bool (*has_room)(const struct proto *);
	/* Takes a question: its bytes are in the output, or will be after collect. RES_NOMEM, RES_LIMIT: not
	 * taken. */
	enum res (*take)(struct proto *, struct tp_exchange *, struct buf *out);
	/* The caller gave up; an answer that still arrives is dropped. */
	void (*cancel)(struct proto *, struct tp_exchange *);
	/* Appends whatever else must be sent. Other than REASON_NONE: the connection ends after that was sent. */
	enum reason (*collect)(struct proto *, struct buf *out, const char **detail);
	/* Takes received bytes, which it may overwrite. REASON_NONE: the connection continues. */
	enum reason (*feed)(struct proto *, uint8_t *p, size_t n, const char **detail);
	/* No new questions are possible: the peer accepts no more, or the ids run out. */
	bool (*is_draining)(const struct proto *);
	/* Cancelled questions whose answers may still come. */
	uint32_t (*owed)(const struct proto *);
};

struct proto_hooks {
	/* The question is answered or failed. False: the connection is gone, stop feeding. */
	bool (*on_answer)(void *ctx, struct tp_exchange *, struct tp_answer *);
	/* The peer reports that it did not process it. False: as for on_answer. */
	bool (*on_unprocessed)(void *ctx, struct tp_exchange *);
	/* An answer to no exchange in flight. */
	void (*on_unexpected)(void *ctx);
	/* The peer's idle timeout (RFC 7828). */
	void (*on_keepalive)(void *ctx, int64_t ms);
};

enum res dot_new(struct proto **, const struct proto_hooks *, void *ctx);
/* The target's name or address, path and method are lent until free. */
enum res doh_new(struct proto **, const struct tp_target *, const struct proto_hooks *, void *ctx);

#endif
