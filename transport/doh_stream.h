/*
 * doh_stream.h - one request and its response, and the pool that they come from. No HTTP/2 in here.
 */
#ifndef TRANSPORT_DOH_STREAM_H
#define TRANSPORT_DOH_STREAM_H

#include "transport/exchange.h"

#define DOH_BODY_KEEP 4096 /* memory that a free stream keeps */
#define DOH_POOL_MAX  64   /* free streams that are kept */
/* Of all unfinished bodies together. Answers usually arrive whole and have a few hundred bytes; without this limit,
 * a server that starts a thousand bodies and ends none would take 64 MiB per connection. */
#define DOH_BODIES_MAX (1024 * 1024)

struct doh_streams;

struct doh_stream {
	struct doh_streams *all;
	LIST_ENTRY(doh_stream) beside;  /* live or free */
	STAILQ_ENTRY(doh_stream) after; /* finished */
	struct tp_exchange *exchange;   /* NULL: cancelled or answered */
	int32_t id;
	bool done;   /* in the list of finished ones */
	bool closed; /* the session has forgotten it */
	bool ended;  /* END_STREAM came */
	bool reset_by_peer;
	uint32_t error;     /* HTTP/2 code it was closed with */
	const char *broken; /* why the response is not acceptable; NULL: it is so far */
	bool starved;       /* there was no memory for it */
	int status;
	bool type_seen, type_is_dns, encoded, age_seen;
	uint32_t age_s, retry_after_s;
	unsigned fields, blocks;
	size_t field_bytes;
	struct span request; /* of the exchange */
	size_t request_sent;
	struct buf body;
};

struct doh_streams {
	LIST_HEAD(, doh_stream) live;
	LIST_HEAD(, doh_stream) free;
	unsigned n_live, n_free;
	size_t body_bytes;              /* of the live ones */
	STAILQ_HEAD(, doh_stream) done; /* finished, in their order, to be reported */
};

void doh_streams_start(struct doh_streams *);
void doh_streams_end(struct doh_streams *);
struct doh_stream *doh_stream_new(struct doh_streams *); /* NULL: no memory */
void doh_stream_free(struct doh_stream *);
void doh_stream_mark_done(struct doh_stream *);
/* The response is not acceptable: frees its body, and the stream is done. */
void doh_stream_break(struct doh_stream *, const char *what);
/* The next bytes of its body. */
void doh_stream_add(struct doh_stream *, struct span);
struct doh_stream *doh_stream_take_done(struct doh_streams *);
/* Sets the answer's failure; REASON_NONE: the body is an answer. */
void doh_stream_judge(const struct doh_stream *, struct tp_answer *);

#endif
