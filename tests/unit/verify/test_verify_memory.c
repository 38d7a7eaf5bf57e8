/*
 * test_verify_memory.c - a judgement that runs out of memory, at every allocation in turn: never accepted, nothing leaked.
 *
 * Only our own allocations fail. Those of GnuTLS cannot be made to: 3.7.9 crashes when they fail inside
 * gnutls_x509_trust_list_verify_crt2.
 */
#include "tests/unit/verify/forged.h"
#include "tests/unit/failing_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Our own allocations fail one after the other until a judgement gets through. */
static void
every_allocation_may_fail(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v;
	size_t needed;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	f.disallow = forged_entries("issuer CN=nobody");
	assert_string_equal(forged_reasons(&f, &work), "");
	memset(&v, 0, sizeof v);
	failing_alloc_begin(0);
	vfy_check(&v, &f.policy, &f.in);
	needed = failing_alloc_end();
	assert_true(needed > 10);
	verdict_clear(&v);
	for (size_t at = 1; at <= needed; at++) {
		memset(&v, 0, sizeof v);
		failing_alloc_begin(at);
		vfy_check(&v, &f.policy, &f.in);
		failing_alloc_end();
		if (verdict_accepted(&v))
			fail_msg("accepted when allocation %zu of %zu failed", at, needed);
		assert_int_not_equal(verdict_reason(&v), REASON_NONE);
		assert_non_null(verdict_finding(&v));
		verdict_clear(&v);
	}
	forged_end(&f);
}

/* Memory is bounded, whatever is presented. */
static void
t10_allocations_are_bounded(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	while (f.n < 100)
		forged_put_ca(&f, CA_ISSUING);
	forged_reasons(&f, &work);
	memset(&v, 0, sizeof v);
	failing_alloc_begin(0);
	vfy_check(&v, &f.policy, &f.in);
	assert_true(failing_alloc_end() < 2000);
	verdict_clear(&v);
	forged_end(&f);
}

static void
writing_and_copying_may_fail(void **state)
{
	struct forged f;
	struct vfy_work work;
	struct verdict v, copy;
	size_t needed;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	forged_judge(&f, &v, &work);
	failing_alloc_begin(0);
	assert_int_equal(verdict_copy(&copy, &v), RES_OK);
	needed = failing_alloc_end();
	verdict_clear(&copy);
	for (size_t at = 1; at <= needed; at++) {
		failing_alloc_begin(at);
		assert_int_equal(verdict_copy(&copy, &v), RES_NOMEM);
		failing_alloc_end();
		assert_false(verdict_accepted(&copy));
	}
	failing_alloc_begin(1);
	assert_null(verdict_text(&v));
	failing_alloc_end();
	verdict_clear(&v);
	forged_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(t10_allocations_are_bounded),
	    cmocka_unit_test(writing_and_copying_may_fail),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
