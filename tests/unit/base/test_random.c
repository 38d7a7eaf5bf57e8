/* The keyed hash against values of another implementation, and the bounds of random numbers. */
#include "base/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* SipHash-1-3 with the key 00 01 .. 0f over the bytes 00 01 .. : from an implementation in Python that agrees with
 * CPython's hash of bytes, which is SipHash-1-3 with the key of zeros. */
static const struct {
	size_t n;
	uint64_t hash;
} vectors[] = {
	{0, 0xabac0158050fc4dcU},  {1, 0xc9f49bf37d57ca93U},  {7, 0xd3927d989bb11140U},  {8, 0x369095118d299a8eU},
	{9, 0x25a48eb36c063de4U}, {15, 0xd320d86d2a519956U}, {63, 0x9d199062b7bbb3a8U},
};

static void
the_hash_is_siphash(void **state)
{
	uint8_t bytes[64];
	struct hash_key key;

	(void)state;
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	memcpy(&key, bytes, sizeof key);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++)
		if (hash_keyed(&key, span_of(bytes, vectors[i].n)) != vectors[i].hash)
			fail_msg("%zu bytes: %jx", vectors[i].n, (uintmax_t)hash_keyed(&key, span_of(bytes, vectors[i].n)));
}

/* A pool that is filled again repeats no number. By chance two of 10,000 numbers of 64 bits are equal once in 10^11 runs. */
static void
nothing_comes_twice(void **state)
{
	enum { N = 10000 };
	static uint64_t seen[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		random_bytes(&seen[i], sizeof seen[i]);
		assert_int_not_equal(seen[i], 0);
		for (size_t j = i > 300 ? i - 300 : 0; j < i; j++) /* the pool has 64 of them */
			if (seen[j] == seen[i])
				fail_msg("number %zu is that of %zu again", i, j);
	}
}

static void
every_number_below_the_bound(void **state)
{
	static const uint32_t bounds[] = {1, 2, 3, 7, 16};

	(void)state;
	for (size_t i = 0; i < sizeof bounds / sizeof *bounds; i++) {
		uint32_t seen = 0;

		for (int n = 0; n < 5000; n++) { /* by chance one of 16 numbers does not come once in 10^138 runs */
			uint32_t v = random_below(bounds[i]);

			assert_true(v < bounds[i]);
			seen |= 1U << v;
		}
		assert_int_equal(seen, (1U << bounds[i]) - 1);
	}
}

static void
long_requests_are_filled_to_their_end(void **state)
{
	static const size_t lengths[] = {1, 63, 64, 65, 1000};
	uint8_t bytes[1001], or[1001];

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		memset(or, 0, sizeof or);
		for (int n = 0; n < 20; n++) { /* by chance a byte is zero 20 times once in 10^48 runs */
			memset(bytes, 0, sizeof bytes);
			random_bytes(bytes, lengths[i]);
			for (size_t k = 0; k < sizeof bytes; k++)
				or[k] |= bytes[k];
		}
		for (size_t k = 0; k < sizeof or; k++)
			assert_int_equal(or[k] != 0, k < lengths[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hash_is_siphash),
		cmocka_unit_test(nothing_comes_twice),
		cmocka_unit_test(every_number_below_the_bound),
		cmocka_unit_test(long_requests_are_filled_to_their_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
