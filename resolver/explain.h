/*
 * explain.h - why there is no answer: Extended DNS Errors (RFC 8914) that name upstreams, their addresses and reasons.
 */
#ifndef RESOLVER_EXPLAIN_H
#define RESOLVER_EXPLAIN_H

#include "base/dns/message.h"
#include "resolver/upstream_set.h"

/* INFO-CODEs that are used here */
enum {
	EDE_OTHER = 0,
	EDE_STALE = 3,
	EDE_CACHED_ERROR = 13,
	EDE_BLOCKED = 15,
	EDE_PROHIBITED = 18,
	EDE_STALE_NXDOMAIN = 19,
	EDE_NOT_SUPPORTED = 21,
	EDE_UNREACHABLE = 22,
	EDE_NETWORK = 23
};

/* Who failed one question, and how. */
struct blame {
	const struct server *server; /* NULL: nobody */
	enum reason reason;          /* REASON_NONE: it did not answer in time, or is lame */
	bool lame;                   /* it does not recurse */
};

/* Servers that have one question and have not answered it. */
struct unanswered {
	const struct server *server[UPSTREAM_EDE_MAX];
	size_t n;
};

/* Why there is no answer, one error for each upstream in the order of the route: "cloudflare 1.1.1.1:
 * ct-too-few-scts". INFO-CODE 0 for a verdict, 22 when the upstream was not reached, 23 when the connection broke or
 * brought no answer. If nothing is known against the upstream in general, the error is what blame has; if blame
 * names no server, the servers that have not answered. Returns at least one error, each with a text, which is lent
 * until the next call. */
size_t upstreams_explain(struct upstreams *, const struct route *, const struct blame *,
			 const struct unanswered *, struct msg_ede ede[UPSTREAM_EDE_MAX]);

#endif
