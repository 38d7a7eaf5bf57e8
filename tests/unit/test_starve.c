/*
 * test_starve.c - a judgement that runs out of memory, at every allocation in turn: never accepted, nothing leaked.
 *
 * The allocations are those of our own objects, which the linker sends here (--wrap). GnuTLS's own can not be starved
 * in the same way: 3.7.9 does not survive it inside gnutls_x509_trust_list_verify_crt2.
 */
#include "tests/unit/forged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
char *__real_strdup(const char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
char *__wrap_strdup(const char *);

static size_t allocations;
static size_t fail_at; /* 0: never */

static bool
starved(void)
{
	return ++allocations == fail_at;
}

void *
__wrap_malloc(size_t n)
{
	return starved() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return starved() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return starved() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return starved() ? NULL : __real_strdup(s);
}

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
	allocations = 0;
	vfy_check(&v, &f.policy, &f.in);
	needed = allocations;
	assert_true(needed > 10);
	verdict_clear(&v);
	for (size_t at = 1; at <= needed; at++) {
		memset(&v, 0, sizeof v);
		allocations = 0;
		fail_at = at;
		vfy_check(&v, &f.policy, &f.in);
		fail_at = 0;
		if (verdict_accepted(&v))
			fail_msg("accepted without allocation %zu of %zu", at, needed);
		assert_int_not_equal(verdict_reason(&v), REASON_NONE);
		assert_non_null(verdict_finding(&v));
		verdict_clear(&v);
	}
	forged_end(&f);
}

/* What is presented is never a reason to allocate without bound. */
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
	allocations = 0;
	vfy_check(&v, &f.policy, &f.in);
	assert_true(allocations < 2000);
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
	allocations = 0;
	assert_int_equal(verdict_copy(&copy, &v), RES_OK);
	needed = allocations;
	verdict_clear(&copy);
	for (size_t at = 1; at <= needed; at++) {
		allocations = 0;
		fail_at = at;
		assert_int_equal(verdict_copy(&copy, &v), RES_NOMEM);
		fail_at = 0;
		assert_false(verdict_accepted(&copy));
	}
	allocations = 0;
	fail_at = 1;
	assert_null(verdict_text(&v));
	fail_at = 0;
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
