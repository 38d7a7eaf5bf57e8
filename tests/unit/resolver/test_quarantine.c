/* Zones whose questions end a server's connections: which get a connection of their own, which are out of service and for how
 * long, and when they are no longer under suspicion. */
#include "resolver/quarantine.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ZONE   UINT64_C(0x123456789abcdef0)
#define SERVER 7

static struct quarantine *q;

static int
setup(void **state)
{
	(void)state;
	q = calloc(1, sizeof *q);
	return q == NULL;
}

static int
teardown(void **state)
{
	(void)state;
	free(q);
	return 0;
}

enum act { KILL, KILL2, ANSWER, CLEAR, KILL2_UNPROVEN };

/* Events at their times, then the state at the time `at`. */
static const struct {
	const char *why;
	struct {
		enum act act;
		int64_t at;
		unsigned times;
	} acts[4];
	int64_t at;
	enum quarantine_state state;
	int64_t retry_at;
} rows[] = {
    {"a zone without history is not quarantined", {{0}}, 0, QUARANTINE_NONE, 0},
    {"one killed connection may be chance: the zone gets a connection of its own", {{KILL, 100, 1}}, 100, QUARANTINE_ALONE, 0},
    {"two killed connections put the zone out for two seconds", {{KILL2, 100, 1}}, 100, QUARANTINE_OUT, 2100},
    {"two kills at different times count as two", {{KILL, 100, 2}}, 150, QUARANTINE_OUT, 2100},
    {"after its time the zone may ask one question at a time", {{KILL2, 100, 1}}, 2100, QUARANTINE_ONE, 2100},
    {"a second offence puts the zone out for four seconds", {{KILL2, 100, 1}, {KILL2, 2100, 1}}, 2200, QUARANTINE_OUT, 6100},
    {"the time doubles to ten seconds at most", {{KILL2, 100, 20}}, 200, QUARANTINE_OUT, 10100},
    {"sixty-four answers clear any number of kills", {{KILL2, 100, 20}, {ANSWER, 200, 64}}, 200, QUARANTINE_NONE, 0},
    {"fewer do not", {{KILL2, 100, 20}, {ANSWER, 200, 63}}, 200, QUARANTINE_ALONE, 0},
    {"while the server answers no zone the time stays at two seconds", {{KILL2_UNPROVEN, 100, 20}}, 200, QUARANTINE_OUT, 2100},
    {"while the server answers no zone twenty kills are cleared like two", {{KILL2_UNPROVEN, 100, 20}, {ANSWER, 200, 16}}, 200,
	QUARANTINE_NONE, 0},
    {"such kills add nothing to what was proven", {{KILL2, 100, 3}, {KILL2_UNPROVEN, 200, 5}}, 300, QUARANTINE_OUT, 8200},
    {"after an answer the zone gets a connection of its own again", {{KILL2, 100, 1}, {ANSWER, 200, 1}}, 200, QUARANTINE_ALONE, 0},
    {"fifteen answers do not clear two kills", {{KILL2, 100, 1}, {ANSWER, 200, 15}}, 200, QUARANTINE_ALONE, 0},
    {"sixteen answers clear two kills", {{KILL2, 100, 1}, {ANSWER, 200, 16}}, 200, QUARANTINE_NONE, 0},
    {"answers before a kill do not count", {{ANSWER, 50, 20}, {KILL2, 100, 1}}, 200, QUARANTINE_OUT, 2100},
    {"alternating good and bad names put the zone out", {{KILL2, 100, 1}, {ANSWER, 200, 9}, {KILL2, 300, 1}}, 400,
	QUARANTINE_OUT, 4300},
    {"without further events the zone is forgotten", {{KILL2, 100, 1}}, 100 + QUARANTINE_MEMORY_MS, QUARANTINE_NONE, 0},
    {"a change of network clears the history", {{KILL2, 100, 1}, {CLEAR, 150, 1}}, 200, QUARANTINE_NONE, 0},
};

static void
play(enum act act, int64_t at)
{
	switch (act) {
	case KILL:
		quarantine_killed(q, SERVER, ZONE, 1, true, at);
		break;
	case KILL2:
		quarantine_killed(q, SERVER, ZONE, 2, true, at);
		break;
	case KILL2_UNPROVEN:
		quarantine_killed(q, SERVER, ZONE, 2, false, at);
		break;
	case ANSWER:
		quarantine_answered(q, SERVER, ZONE);
		break;
	case CLEAR:
		quarantine_clear(q);
		break;
	}
}

static void
what_a_zone_did_decides_how_it_is_asked(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum quarantine_state got;
		int64_t retry;

		quarantine_clear(q);
		for (size_t a = 0; a < 4; a++)
			for (unsigned n = 0; n < rows[i].acts[a].times; n++)
				play(rows[i].acts[a].act, rows[i].acts[a].at);
		got = quarantine_find(q, SERVER, ZONE, rows[i].at, &retry);
		if (got != rows[i].state || retry != rows[i].retry_at)
			fail_msg("%s: state %d, retry at %lld", rows[i].why, (int)got, (long long)retry);
	}
}

static void
a_zone_is_judged_at_each_server_by_itself(void **state)
{
	int64_t retry;

	(void)state;
	quarantine_killed(q, SERVER, ZONE, 2, true, 100);
	assert_int_equal(quarantine_find(q, SERVER + 1, ZONE, 100, &retry), QUARANTINE_NONE);
	assert_int_equal(quarantine_find(q, SERVER, ZONE + 1, 100, &retry), QUARANTINE_NONE);
}

static void
an_answer_after_the_first_kill_proves_that_the_server_lives(void **state)
{
	(void)state;
	assert_false(quarantine_is_proven(q, SERVER, ZONE, 100));
	quarantine_killed(q, SERVER, ZONE, 1, false, 100);
	assert_false(quarantine_is_proven(q, SERVER, ZONE, 99));
	assert_false(quarantine_is_proven(q, SERVER, ZONE, INT64_MIN));
	assert_true(quarantine_is_proven(q, SERVER, ZONE, 100));
}

/* When each of three zones did its first harm; the server is pardoned from 100 on. */
static void
a_server_that_was_at_fault_is_pardoned_for_its_zones_of_that_time(void **state)
{
	static const struct {
		uint32_t server;
		uint64_t zone;
		int64_t first, last;
		enum quarantine_state state;
	} zones[] = {
	    {SERVER, ZONE, 101, 150, QUARANTINE_NONE},
	    {SERVER, ZONE + 1, 100, 150, QUARANTINE_OUT}, /* known before */
	    {SERVER + 1, ZONE, 101, 150, QUARANTINE_OUT}, /* at another server */
	};
	int64_t retry;

	(void)state;
	quarantine_set_poor(q, SERVER, ZONE, 101);
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++) {
		quarantine_killed(q, zones[i].server, zones[i].zone, 2, false, zones[i].first);
		quarantine_killed(q, zones[i].server, zones[i].zone, 2, false, zones[i].last);
	}
	quarantine_pardon(q, SERVER, 100);
	for (size_t i = 0; i < sizeof zones / sizeof *zones; i++)
		assert_int_equal(quarantine_find(q, zones[i].server, zones[i].zone, 200, &retry), zones[i].state);
	assert_true(quarantine_is_poor(q, SERVER, ZONE, 200)); /* that is no matter of connections */
	quarantine_killed(q, SERVER, ZONE, 1, false, 300); /* it starts anew */
	assert_int_equal(quarantine_find(q, SERVER, ZONE, 300, &retry), QUARANTINE_ALONE);
}

static void
harm_on_a_fresh_connection_is_remembered_for_a_minute(void **state)
{
	(void)state;
	quarantine_set_poor(q, SERVER, ZONE, 100);
	assert_true(quarantine_is_poor(q, SERVER, ZONE, 99 + QUARANTINE_POOR_MS));
	assert_false(quarantine_is_poor(q, SERVER, ZONE, 100 + QUARANTINE_POOR_MS));
	quarantine_set_poor(q, SERVER, ZONE, 100);
	for (int i = 0; i < 100; i++)
		quarantine_answered(q, SERVER, ZONE); /* such as SERVFAIL */
	assert_true(quarantine_is_poor(q, SERVER, ZONE, 101));
	quarantine_killed(q, SERVER, ZONE, 1, false, 101);
	for (int i = 0; i < QUARANTINE_ANSWERS; i++)
		quarantine_answered(q, SERVER, ZONE);
	assert_true(quarantine_is_poor(q, SERVER, ZONE, 101));
	quarantine_set_good(q, SERVER, ZONE);
	assert_false(quarantine_is_poor(q, SERVER, ZONE, 101));
}

static void
from_a_full_set_the_oldest_is_dropped(void **state)
{
	int64_t retry;

	(void)state;
	for (uint64_t i = 0; i < 100000; i++)
		quarantine_killed(q, SERVER, i * UINT64_C(0x9e3779b97f4a7c15), 2, true, 1000 + (int64_t)i);
	quarantine_killed(q, SERVER, ZONE, 2, true, 200000);
	assert_int_equal(quarantine_find(q, SERVER, ZONE, 200000, &retry), QUARANTINE_OUT);
	assert_int_equal(quarantine_find(q, SERVER, 0, 200000, &retry), QUARANTINE_NONE);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
	    TEST(what_a_zone_did_decides_how_it_is_asked),
	    TEST(a_zone_is_judged_at_each_server_by_itself),
	    TEST(an_answer_after_the_first_kill_proves_that_the_server_lives),
	    TEST(a_server_that_was_at_fault_is_pardoned_for_its_zones_of_that_time),
	    TEST(harm_on_a_fresh_connection_is_remembered_for_a_minute),
	    TEST(from_a_full_set_the_oldest_is_dropped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
