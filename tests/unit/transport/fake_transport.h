/*
 * fake_transport.h - transport.h without sockets: a test acts as the upstreams.
 *
 * A line is one address, whatever slots come and go for it. Questions that reach a line wait there until the test
 * answers them or fails them, or their deadline passes. Callbacks come from the loop, never from inside a call.
 */
#ifndef TESTS_UNIT_FAKE_TRANSPORT_H
#define TESTS_UNIT_FAKE_TRANSPORT_H

#include "transport/transport.h"

#define FAKE_LINES_MAX 32

enum fake_manner {
	FAKE_UP,   /* connections become ready */
	FAKE_FAIL, /* they fail at once, with a reason of the transport or of the judge */
	FAKE_HANG, /* they are tried until their time is up */
};

struct fake_line {
	char name[64]; /* "192.0.2.1" */
	enum fake_manner manner;
	enum reason reason;      /* FAKE_FAIL */
	bool judged;             /* FAKE_FAIL: a verdict, also where the reason is out-of-memory */
	int64_t handshake_ms;    /* not FAKE_HANG: how long it takes; 0: the next turn */
	unsigned room;           /* questions in flight on one connection; more wait. 0: any number */
	unsigned connects, ready, drops, anew; /* counted */
	uint64_t generation;     /* of the newest target */
	int64_t kept_until_ms;   /* the last tp_slot_keep of any of its slots */
	struct tp_slot *slot;    /* NULL: no slot has this address */
};

/* By its address as text; made when it is not there. */
struct fake_line *fake_line(const char *name);
/* All lines as in the beginning; no slot may be left. */
void fake_transport_reset(void);

/* The n-th question that waits there, written and unanswered, the oldest first; NULL: none. */
struct tp_exchange *fake_question(const struct fake_line *, unsigned n);
struct span fake_question_wire(const struct tp_exchange *);
/* True once per question: the test has seen it. */
bool fake_question_claim(struct tp_exchange *);
void fake_answer(struct tp_exchange *, struct span message, uint32_t age_s);
void fake_fail(struct tp_exchange *, enum reason, uint32_t retry_after_s);
/* The shared connection ends under its questions, and so does the one on which they were repeated. */
void fake_close(struct fake_line *);
/* The same for whatever connection this question is on. */
void fake_kill(struct tp_exchange *);
/* The connection that this question is on ends, and its questions wait for another. */
void fake_lose(struct tp_exchange *);
/* The shared connection ends once: what was to be sent once fails, the rest is repeated. */
void fake_end(struct fake_line *);
/* An older connection, which took no more questions, has had its last answer and ends. */
void fake_finish(struct fake_line *);
/* A reload refuses the open connection, the line's first one or the one made next (apart). Its questions wait for another.
 * False: it is not open. */
bool fake_refuse(struct fake_line *, enum reason, bool apart);
/* It was sent over another slot than the line's first one. */
bool fake_question_is_apart(const struct tp_exchange *);

#endif
