/* Are there descriptors for a library that ends the program without them? */
#include "base/descriptors.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

/* As many as the limit leaves, no more, and none is kept. */
static void
as_many_as_the_limit_leaves(void **state)
{
	struct rlimit before, now;
	int first = dup(STDIN_FILENO), again;

	(void)state;
	assert_true(first >= 0);
	for (int fd = first; fd <= first + DESCRIPTORS_ASKED_MAX; fd++) /* also what was inherited */
		(void)close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	for (unsigned left = 0; left < DESCRIPTORS_ASKED_MAX; left++) {
		now = (struct rlimit){(rlim_t)first + left, before.rlim_max};
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
		if (left > 0 && !descriptors_are_left(left))
			fail_msg("%u are left", left);
		errno = 0;
		if (descriptors_are_left(left + 1) || errno != EMFILE)
			fail_msg("no more than %u are left, errno %d", left, errno);
	}
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	again = dup(STDIN_FILENO);
	assert_int_equal(again, first);
	(void)close(again);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_many_as_the_limit_leaves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
