/*
 * wire_ear.h - hooks that write down what a wire says, for tests of dot.c and doh.c without a connection.
 */
#ifndef TESTS_UNIT_WIRE_EAR_H
#define TESTS_UNIT_WIRE_EAR_H

#include "transport/wire.h"

#define EAR_MAX 5000

struct heard {
	struct tp_query *query;
	enum reason failure;
	uint8_t message[64]; /* its beginning */
	size_t n;
	uint32_t age_s, retry_after_s;
	int http_status;
};

struct ear {
	struct query_pool pool;
	struct query_list asked; /* and neither answered nor dropped */
	struct heard heard[EAR_MAX];
	unsigned n_heard, unprocessed, unexpected;
	int64_t keepalive_ms;
	unsigned stop_at; /* says "gone" at this answer; 0: never */
};

extern const struct wire_hooks ear_hooks;

void ear_start(struct ear *);
void ear_free(struct ear *); /* after its wire */
void ear_drop(struct ear *, struct tp_query *);
/* A question for NAME, with this id, and an OPT record when asked for. */
struct tp_query *ear_question(struct ear *, const char *label, uint16_t id, bool opt);

#endif
