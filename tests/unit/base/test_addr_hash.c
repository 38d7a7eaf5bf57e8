/* The hash of clients' addresses. */
#include "base/addr_hash.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct addr
addr_of(const char *text)
{
	struct addr a;

	assert_int_equal(addr_read(&a, text, 0), RES_OK);
	return a;
}

/* The hash of the last address is remembered: it must not be returned for another one. */
static void
each_address_keeps_its_hash(void **state)
{
	static const char *text[] = {"127.0.0.1", "192.0.2.1", "192.0.2.2", "::1", "2001:db8::1", "0.0.0.0", "::"};
	enum { N = sizeof text / sizeof *text };
	struct addr_hash h = addr_hash_new();
	uint64_t first[N];

	(void)state;
	for (size_t i = 0; i < N; i++) {
		struct addr a = addr_of(text[i]);

		first[i] = addr_hash_of(&h, &a);
		for (size_t j = 0; j < i; j++)
			assert_true(first[i] != first[j]);
	}
	for (size_t round = 0; round < 3; round++)
		for (size_t i = 0; i < N; i++) {
			struct addr a = addr_of(text[i * (round + 1) % N]);

			assert_true(addr_hash_of(&h, &a) == first[i * (round + 1) % N]);
			assert_true(addr_hash_of(&h, &a) == first[i * (round + 1) % N]);
		}
}

static void
the_port_does_not_count(void **state)
{
	struct addr a = addr_of("192.0.2.1:53"), b = addr_of("192.0.2.1:54"), c = addr_of("192.0.2.9:54");
	struct addr_hash h = addr_hash_new();
	uint64_t first = addr_hash_of(&h, &a);

	(void)state;
	assert_true(addr_hash_of(&h, &b) == first);
	(void)addr_hash_of(&h, &c);
	assert_true(addr_hash_of(&h, &b) == first);
}

static void
two_keys_give_two_hashes(void **state)
{
	struct addr_hash h = addr_hash_new(), g = addr_hash_new();
	struct addr a = addr_of("192.0.2.1");

	(void)state;
	assert_true(addr_hash_of(&h, &a) != addr_hash_of(&g, &a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(each_address_keeps_its_hash),
	    cmocka_unit_test(the_port_does_not_count),
	    cmocka_unit_test(two_keys_give_two_hashes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
