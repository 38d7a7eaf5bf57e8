#include "resolver/record_ldns.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static const char rare[] = "lan. CAA 0 issue \"ca.example\"";

/* The library is loaded for the whole process, so each order has a process of its own. */
static int
in_a_child(int (*act)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(act());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int
sealed_first(void)
{
	struct buf wire = buf_max(70000);
	const char *why;

	record_ldns_seal();
	why = record_ldns_read(&wire, rare, 3600);
	return why != NULL && strstr(why, "restart ctstubd") != NULL && wire.n == 0 ? 0 : 1;
}

static int
sealed_after_a_record(void)
{
	struct buf wire = buf_max(70000);
	bool ok = record_ldns_read(&wire, rare, 3600) == NULL;

	record_ldns_seal();
	buf_free(&wire);
	ok = ok && record_ldns_read(&wire, "lan. 60 TYPE65280 \\# 2 abcd", 3600) == NULL;
	ok = ok && wire.n == 5 + 10 + 2;
	buf_free(&wire);
	return ok ? 0 : 1;
}

static void
a_sealed_process_does_not_load_it(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(sealed_first), 0);
}

static void
once_loaded_it_stays_in_use(void **state)
{
	(void)state;
	assert_int_equal(in_a_child(sealed_after_a_record), 0);
}

static void
errors_are_named(void **state)
{
	struct buf wire = buf_max(70000), small = buf_max(20);

	(void)state;
	assert_string_equal(record_ldns_read(&wire, "lan. A 1.2.3", 3600), "Syntax error, could not parse the RR's rdata");
	assert_non_null(record_ldns_read(&wire, "", 3600));
	assert_int_equal(wire.n, 0);
	assert_string_equal(record_ldns_read(&small, rare, 3600), "this record cannot be written");
	buf_free(&wire);
	buf_free(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sealed_process_does_not_load_it),
	    cmocka_unit_test(once_loaded_it_stays_in_use),
	    cmocka_unit_test(errors_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
