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

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(equal_questions_have_equal_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
