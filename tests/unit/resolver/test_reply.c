/* The replies that clients get, and what is counted. */
#include "resolver/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define CLIENT  "beef 0100 0001 0000 0000 0000 (A.tEsT) 0001 0001"
#define ASKS_AD "beef 0120 0001 0000 0000 0000 (A.tEsT) 0001 0001"
#define ANSWER  "0000 81a0 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"

static uint16_t ttl_at[MSG_RRS_MAX];

/* How a row's reply is described. */
enum how { EMPTY, NO_RECURSION, WHOLE, VALIDATED, STALE, CACHED, BROKEN };

static const struct {
	const char *what;
	const char *client;
	enum how how;
	uint16_t rcode;
	enum counter counts_as;
	const char *wire; /* of the reply */
	bool servfail;    /* counted as one */
} rows[] = {
    {"an RCODE alone", CLIENT, EMPTY, RCODE_REFUSED, COUNTER_REFUSED,
     "beef 8185 0001 0000 0000 0000 (A.tEsT) 0001 0001", false},
    {"SERVFAIL of this program is counted", CLIENT, EMPTY, RCODE_SERVFAIL, COUNTER_COUNT,
     "beef 8182 0001 0000 0000 0000 (A.tEsT) 0001 0001", true},
    {"a failure of an upstream without RA", CLIENT, NO_RECURSION, RCODE_REFUSED, COUNTER_COUNT,
     "beef 8105 0001 0000 0000 0000 (A.tEsT) 0001 0001", false},
    {"an answer, with the client's id and spelling", CLIENT, WHOLE, 0, COUNTER_LOCAL,
     "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", false},
    {"no AD from an upstream that is not trusted for it", ASKS_AD, WHOLE, 0, COUNTER_COUNT,
     "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", false},
    {"AD for a client that asks for it", ASKS_AD, VALIDATED, 0, COUNTER_COUNT,
     "beef 81a0 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", false},
    {"no AD for a client that does not ask for it", CLIENT, VALIDATED, 0, COUNTER_COUNT,
     "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", false},
    {"stale data get 30 s", CLIENT, STALE, 0, COUNTER_CACHE_STALE,
     "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000001e 0004 01020304", false},
    {"a cached answer has its age taken off", CLIENT, CACHED, 0, COUNTER_CACHE_HITS,
     "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 000000c8 0004 01020304", false},
    {"an answer that cannot be written becomes SERVFAIL", CLIENT, BROKEN, 0, COUNTER_COUNT,
     "beef 8182 0001 0000 0000 0000 (A.tEsT) 0001 0001", true},
};

static struct reply
describe(size_t row, const struct msg_answer *a, struct cache_hit *hit, struct msg_ede *ede)
{
	struct reply r = reply_whole(a, NULL, rows[row].counts_as);

	*hit = (struct cache_hit){.answer = *a, .age_s = 100};
	switch (rows[row].how) {
	case EMPTY:
		return reply_empty(rows[row].rcode, NULL, rows[row].counts_as);
	case NO_RECURSION:
		r = reply_empty(rows[row].rcode, NULL, rows[row].counts_as);
		r.no_recursion = true;
		return r;
	case VALIDATED:
		r.ad = true;
		return r;
	case STALE:
		return reply_stale(hit, ede);
	case CACHED:
		return reply_cached(hit);
	case WHOLE:
	case BROKEN:
		break;
	}
	return r;
}

static void
replies_are_built_and_counted(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf asked = buf_max(MSG_MAX), answer = buf_max(MSG_MAX), want = buf_max(MSG_MAX);
		struct buf got = buf_max(MSG_MAX);
		struct counters counters = {0};
		struct msg_question q;
		struct msg_answer a;
		struct cache_hit hit;
		struct msg_ede ede;
		struct reply r;

		assert_int_equal(msg_question_read(&q, wire_make(&asked, rows[i].client)), MSG_OK);
		assert_int_equal(msg_answer_read(&a, wire_make(&answer, ANSWER), ttl_at), RES_OK);
		if (rows[i].how == BROKEN)
			a.section.n--; /* not the client's question */
		r = describe(i, &a, &hit, &ede);
		if (!reply_write(&got, &r, &q, true, &counters) ||
		    !span_equal(buf_span(&got), wire_make(&want, rows[i].wire)))
			fail_msg("%s: another reply", rows[i].what);
		for (unsigned c = 0; c < COUNTER_COUNT; c++) {
			bool counted = c == COUNTER_REPLIES || c == (unsigned)rows[i].counts_as ||
				       (c == COUNTER_SERVFAIL && rows[i].servfail);

			if (counter_get(&counters, (enum counter)c) != counted)
				fail_msg("%s: %s is %d", rows[i].what, counter_name((enum counter)c),
					 (int)counter_get(&counters, (enum counter)c));
		}
		buf_free(&asked);
		buf_free(&answer);
		buf_free(&want);
		buf_free(&got);
	}
}

/* A UDP client without EDNS has room for 512 bytes. */
static void
a_reply_that_does_not_fit_is_counted_as_truncated(void **state)
{
	struct buf asked = buf_max(MSG_MAX), wire = buf_max(MSG_MAX), got = buf_max(MSG_MAX);
	struct counters counters = {0};
	struct msg_question q;
	struct msg_answer a;
	struct reply r;
	uint8_t record[16];

	(void)state;
	assert_int_equal(msg_question_read(&q, wire_make(&asked, CLIENT)), MSG_OK);
	(void)wire_make(&wire, ANSWER);
	memcpy(record, wire.p + wire.n - sizeof record, sizeof record); /* the buffer moves when it grows */
	for (unsigned i = 1; i < 60; i++)
		buf_put(&wire, span_of(record, sizeof record));
	be16_write(wire.p + 6, 60);
	assert_int_equal(msg_answer_read(&a, buf_span(&wire), ttl_at), RES_OK);
	r = reply_whole(&a, NULL, COUNTER_COUNT);
	assert_true(reply_write(&got, &r, &q, true, &counters));
	assert_int_equal(counter_get(&counters, COUNTER_TRUNCATED), 0);
	buf_clear(&got);
	assert_true(reply_write(&got, &r, &q, false, &counters));
	assert_true(got.n <= 512);
	assert_int_equal(counter_get(&counters, COUNTER_TRUNCATED), 1);
	assert_int_equal(counter_get(&counters, COUNTER_REPLIES), 2);
	buf_free(&asked);
	buf_free(&wire);
	buf_free(&got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_are_built_and_counted),
	    cmocka_unit_test(a_reply_that_does_not_fit_is_counted_as_truncated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
