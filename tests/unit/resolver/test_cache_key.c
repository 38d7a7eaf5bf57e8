/* Which questions are equal. */
#include "resolver/cache_key.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define FIRST "0001 0100 0001 0000 0000 0000 (a.test) 0001 0001"

static const struct {
	const char *what, *wire;
	bool equal;
} rows[] = {
    {"the same", FIRST, true},
    {"another id", "beef 0100 0001 0000 0000 0000 (a.test) 0001 0001", true},
    {"another spelling", "0001 0100 0001 0000 0000 0000 (A.tEsT) 0001 0001", true},
    {"the AD flag", "0001 0120 0001 0000 0000 0000 (a.test) 0001 0001", true},
    {"another name", "0001 0100 0001 0000 0000 0000 (b.test) 0001 0001", false},
    {"a name above", "0001 0100 0001 0000 0000 0000 (test) 0001 0001", false},
    {"another type", "0001 0100 0001 0000 0000 0000 (a.test) 001c 0001", false},
    {"checking disabled", "0001 0110 0001 0000 0000 0000 (a.test) 0001 0001", false},
    {"DNSSEC records wanted", "0001 0100 0001 0000 0000 0001 (a.test) 0001 0001 00 0029 04d0 0000 8000 0000", false},
};

static void
equal_questions_have_equal_keys(void **state)
{
	const struct hash_key hash = hash_key_random();

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf first = buf_max(MSG_MAX), second = buf_max(MSG_MAX);
		struct msg_question a, b;
		struct cache_key x, y;

		assert_int_equal(msg_question_read(&a, wire_make(&first, FIRST)), MSG_OK);
		assert_int_equal(msg_question_read(&b, wire_make(&second, rows[i].wire)), MSG_OK);
		x = cache_key_of(&a);
		y = cache_key_of(&b);
		if (cache_key_equal(&x, &y) != rows[i].equal ||
		    (cache_key_hash(&x, &hash) == cache_key_hash(&y, &hash)) != rows[i].equal)
			fail_msg("%s", rows[i].what);
		buf_free(&first);
		buf_free(&second);
	}
}

/* Questions of another class are rejected before they get here, but a key has the class all the same. */
static void
every_part_of_a_key_counts(void **state)
{
	static uint8_t name[] = "\7example", other[] = "\7exomple";
	const struct cache_key first = {span_of(name, sizeof name), 1, 1, false, false, 0};
	const struct cache_key others[] = {
	    {span_of(other, sizeof other), 1, 1, false, false, 0}, {span_of(name, sizeof name), 28, 1, false, false, 0},
	    {span_of(name, sizeof name), 256, 1, false, false, 0}, {span_of(name, sizeof name), 1, 3, false, false, 0},
	    {span_of(name, sizeof name), 1, 256, false, false, 0}, {span_of(name, sizeof name), 1, 1, true, false, 0},
	    {span_of(name, sizeof name), 1, 1, false, true, 0},
	};
	const struct hash_key hash = hash_key_random();

	(void)state;
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (cache_key_equal(&first, &others[i]) || cache_key_hash(&first, &hash) == cache_key_hash(&others[i], &hash))
			fail_msg("other %zu", i);
}

#define COLLIDING 200
#define CHAINS    4096

static unsigned
chain_of(uint32_t number, const struct hash_key *hash)
{
	uint8_t wire[6] = {4};
	struct cache_key k = {.name = span_of(wire, sizeof wire), .type = 1, .class = CLASS_IN};

	be32_write(wire + 1, number);
	return cache_key_hash(&k, hash) % CHAINS;
}

/* Names that an attacker found to collide in one process do not collide in the next, which has another key. */
static void
r14_names_that_collide_under_one_key_are_spread_by_another(void **state)
{
	const struct hash_key known = hash_key_random(), other = hash_key_random();
	unsigned in_chain[CHAINS] = {0}, longest = 0;

	(void)state;
	for (uint32_t number = 0, n = 0; n < COLLIDING; number++) {
		unsigned *chain = &in_chain[chain_of(number, &other)];

		if (chain_of(number, &known) != 0)
			continue;
		n++;
		longest = ++*chain > longest ? *chain : longest;
	}
	assert_in_range(longest, 1, 6); /* of 200 names on 4096 chains; under the known key all were in one */
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_questions_have_equal_keys),
	    cmocka_unit_test(every_part_of_a_key_counts),
	    cmocka_unit_test(r14_names_that_collide_under_one_key_are_spread_by_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
