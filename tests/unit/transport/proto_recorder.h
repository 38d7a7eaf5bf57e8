/*
 * proto_recorder.h - hooks that record what a protocol driver reports, for tests of dot.c and doh.c without a connection.
 */
#ifndef TESTS_UNIT_PROTO_RECORDER_H
#define TESTS_UNIT_PROTO_RECORDER_H

#include "transport/proto.h"

#define RECORDER_MAX 5000

struct heard {
	struct tp_exchange *exchange;
	enum reason failure;
	uint8_t message[64]; /* its beginning */
	size_t n;
	uint32_t age_s, retry_after_s;
	int http_status;
};

struct proto_recorder {
	struct exchange_pool pool;
	struct exchange_list asked; /* and neither answered nor dropped */
	struct heard heard[RECORDER_MAX];
	unsigned n_heard, unprocessed, unexpected;
	int64_t keepalive_ms;
	unsigned stop_at; /* says "gone" at this answer; 0: never */
};

extern const struct proto_hooks recorder_hooks;

void recorder_start(struct proto_recorder *);
void recorder_free(struct proto_recorder *); /* after its protocol driver */
void recorder_drop(struct proto_recorder *, struct tp_exchange *);
/* A question for NAME, with this id, and an OPT record when asked for. */
struct tp_exchange *recorder_question(struct proto_recorder *, const char *label, uint16_t id, bool opt);

#endif
