/*
 * tap.h - hooks for the query log: the queries and replies of clients, and the messages to and from upstreams.
 *
 * An engine without a tap pays one comparison a question and one a reply. All that a tap is given is lent for the call;
 * it is called in the worker's thread and must not wait.
 */
#ifndef RESOLVER_TAP_H
#define RESOLVER_TAP_H

#include "resolver/client.h"
#include "resolver/reply.h"

struct server; /* server.h */

/* Where an answer comes from. */
enum tap_source {
	TAP_NOBODY, /* there is no answer: a failure, or the question was refused */
	TAP_LOCAL,
	TAP_FILTER, /* a block list, or rebinding protection */
	TAP_CACHE,
	TAP_STALE,
	TAP_UPSTREAM
};
const char *tap_source_text(enum tap_source); /* "cache" */

struct tap_reply {
	const struct client *client;
	/* The section, when it could be read, and the EDNS; the name may be missing. */
	const struct msg_question *question;
	struct span wire;
	enum tap_source source;
	const struct server *server; /* whose answer it is; NULL: of none */
	uint16_t rcode;              /* with its upper bits */
	const struct msg_ede *ede;   /* the first, which says why; NULL: none */
};

struct tap {
	void (*on_question)(void *ctx, const struct client *, struct span wire);
	void (*on_reply)(void *ctx, const struct tap_reply *);
	/* NULL: not wanted */
	void (*on_sent)(void *ctx, const struct server *, struct span wire);
	void (*on_received)(void *ctx, const struct server *, int64_t sent_us, struct span wire);
	void *ctx;
};

/* reply_write for this client; also reports the reply to the tap. NULL: there is no tap. */
bool tap_reply_write(const struct tap *, struct buf *out, const struct reply *, const struct msg_question *,
		     const struct client *, struct counters *);

#endif
