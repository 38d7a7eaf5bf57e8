/*
 * slot_fixture.h - a slot and its connections against a server in the same thread, on a scripted clock.
 *
 * Link with dot_server.c, and with fake_judge.c and fake_loop.c before the libraries.
 */
#ifndef TESTS_UNIT_SLOT_FIXTURE_H
#define TESTS_UNIT_SLOT_FIXTURE_H

#include "tests/unit/transport/fake_judge.h"
#include "tests/unit/transport/fake_loop.h"
#include "tests/unit/transport/dot_server.h"
#include "transport/transport.h"

#define ASKED_MAX 4096

struct asked {
	struct tp_exchange *exchange;
	unsigned calls;
	enum reason failure;
	bool retry_safe, killed, lost, retired;
	unsigned alone;
	uint8_t message[64];
	size_t n;
};

struct fixture {
	struct loop *loop;
	struct dot_server server;
	struct vfy_policy policy, policy2;
	struct tp_target target, target2;
	struct tp_slot *slot;
	struct asked asked[ASKED_MAX];
	unsigned n_asked, n_done, n_failed;
	unsigned ready, judged, failed, closed;
	enum reason last; /* of the last event that was not ready */
	char detail[64];
	char cipher[64]; /* of the last event */
	bool last_verdict, last_refused, last_resumed;
	size_t presented, last_certificate; /* of the last event: certificates, and bytes of the last one */
	bool drop_in_callback, drop_when_judged, with_opt;
	bool starved; /* allocations fail */
};

/* The fixture of the running test. */
extern struct fixture *f;

int fixture_setup(void **state);
int fixture_teardown(void **state); /* fails when a timer or a descriptor is left */
void fixture_renew(void **state);   /* another fixture, for the next row of a table */

/* Asks for a name of its own; returns the question's index in asked. */
unsigned fixture_ask_until(int64_t deadline_ms);
unsigned fixture_ask(void); /* within four seconds */
/* Notes an answer in the struct asked that it is given. */
void fixture_on_answer(void *asked, const struct tp_answer *);

/* One round of both sides. */
void fixture_pump(void);
/* Enough rounds for an event to happen that must not happen. */
void fixture_pump_a_while(void);
/* Moves time in steps, serving both sides. */
void fixture_let_pass(int64_t ms, int64_t step);

#define PUMP_UNTIL(condition)                                                                                \
	do {                                                                                                 \
		for (int i_ = 0; i_ < 5000 && !(condition); i_++)                                            \
			fixture_pump();                                                                      \
		assert_true(condition);                                                                      \
	} while (0)

#define BYTES(s) (const uint8_t *)(s), sizeof(s) - 1

#define H2_SETTINGS "\0\0\0\4\0\0\0\0\0"
/* :status 200, content-type (RFC 7541, appendix A: 8 and 31); then 12 bytes of DATA */
#define H2_ANSWER(stream)                                                                                    \
	"\0\0\33\1\4\0\0\0" stream "\210\17\20\27application/dns-message"                                    \
	"\0\0\14\0\1\0\0\0" stream "\0\0\201\200\0\0\0\0\0\0\0\0"

#define SLOT_TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

#endif
