/* Objects kept for the next use: how many, and which. */
#include "base/pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define KEPT_MAX 3

struct object {
	char bytes[40];
};

static void
objects_given_back_are_handed_out_again(void **state)
{
	struct object *a, *b;
	struct pool p;

	(void)state;
	pool_init(&p, sizeof(struct object), KEPT_MAX);
	a = pool_take(&p);
	b = pool_take(&p);
	assert_non_null(a);
	assert_non_null(b);
	assert_ptr_not_equal(a, b);
	pool_give(&p, a);
	pool_give(&p, b);
	assert_int_equal(p.kept, 2);
	assert_ptr_equal(pool_take(&p), b);
	assert_ptr_equal(pool_take(&p), a);
	assert_int_equal(p.kept, 0);
	pool_give(&p, a);
	pool_give(&p, b);
	pool_clear(&p);
	assert_int_equal(p.kept, 0);
}

static void
no_more_than_the_maximum_is_kept(void **state)
{
	void *object[KEPT_MAX + 2];
	struct pool p;

	(void)state;
	pool_init(&p, sizeof(struct object), KEPT_MAX);
	for (size_t i = 0; i < KEPT_MAX + 2; i++)
		object[i] = pool_take(&p);
	for (size_t i = 0; i < KEPT_MAX + 2; i++)
		pool_give(&p, object[i]);
	assert_int_equal(p.kept, KEPT_MAX);
	pool_clear(&p);
	pool_clear(&p); /* harmless */
}

static void
a_zeroed_pool_can_be_cleared(void **state)
{
	struct pool p = {0};

	(void)state;
	pool_clear(&p);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(objects_given_back_are_handed_out_again),
	    cmocka_unit_test(no_more_than_the_maximum_is_kept),
	    cmocka_unit_test(a_zeroed_pool_can_be_cleared),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
