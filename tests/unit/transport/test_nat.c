#include "transport/nat.h"

#include "transport/idle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define NONE INT64_MAX

/* Found dead after so long, when a fresh connection was ready at once. */
static void
dead(struct nat *nat, int64_t idle_ms)
{
	nat_on_dead(nat, idle_ms, 1000);
	nat_on_fresh(nat, 1000, true);
}

static void
the_limit_is_learned_when_a_fresh_connection_works(void **state)
{
	static const struct {
		const char *what;
		int64_t idle_ms, begun_ms;
		bool at_once;
		int64_t use_ms;
	} rows[] = {
	    {"a dead connection and a fresh one", 30000, 1000, true, 27000},
	    {"the fresh one took long: the path was bad", 30000, 1000, false, NONE},
	    {"it was begun later", 30000, 1000 + NAT_CONFIRM_MS, true, NONE},
	    {"in use shortly before", NAT_LEARN_MIN_MS - 1, 1000, true, NONE},
	    {"the machine slept", 2 * IDLE_MAX_MS + 1, 1000, true, NONE},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct nat nat = {0};

		assert_int_equal(nat_use_ms(&nat), NONE);
		nat_on_dead(&nat, rows[i].idle_ms, 1000);
		assert_int_equal(nat_use_ms(&nat), NONE);
		nat_on_fresh(&nat, rows[i].begun_ms, rows[i].at_once);
		if (nat_use_ms(&nat) != rows[i].use_ms)
			fail_msg("%s", rows[i].what);
		nat_on_fresh(&nat, 1000, true); /* one that has nothing to do with it */
		if (nat_use_ms(&nat) != rows[i].use_ms)
			fail_msg("%s: another connection", rows[i].what);
	}
}

/* The limit is tested after exactly so many uses. */
static void
use(struct nat *nat, unsigned uses)
{
	while (uses-- > 0) {
		assert_int_not_equal(nat_use_ms(nat), NONE);
		nat_on_used(nat);
	}
	assert_int_equal(nat_use_ms(nat), NONE);
}

static void
an_accident_is_forgotten(void **state)
{
	struct nat nat = {0};

	(void)state;
	dead(&nat, 30000);
	use(&nat, NAT_TRUST);
	nat_on_alive(&nat, 29999); /* that says nothing of longer times */
	assert_int_equal(nat.limit_ms, 30000);
	nat_on_alive(&nat, 30000);
	assert_int_equal(nat.limit_ms, 0);
	dead(&nat, 40000);
	assert_int_equal(nat_use_ms(&nat), 36000);
	use(&nat, NAT_TRUST);
}

static void
a_limit_that_holds_is_tested_less_and_less(void **state)
{
	struct nat nat = {0};

	(void)state;
	dead(&nat, 30000);
	for (unsigned trust = NAT_TRUST; trust <= NAT_TRUST_MAX; trust *= 2) {
		use(&nat, trust);
		dead(&nat, 30000 + 1000 * trust); /* for how long it was idle then shows nothing new */
		assert_int_equal(nat_use_ms(&nat), 27000);
	}
	use(&nat, NAT_TRUST_MAX);
	dead(&nat, 20000); /* the box forgets sooner */
	assert_int_equal(nat_use_ms(&nat), 18000);
	use(&nat, NAT_TRUST_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_limit_is_learned_when_a_fresh_connection_works),
	    cmocka_unit_test(an_accident_is_forgotten),
	    cmocka_unit_test(a_limit_that_holds_is_tested_less_and_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
