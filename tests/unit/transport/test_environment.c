/* T28, G10: variables that steer the libraries are removed and named. */
#include "transport/environment.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static char named[256];

static void
on_scrubbed(const char *variable)
{
	strncat(named, variable, sizeof named - strlen(named) - 2);
	strcat(named, " ");
}

static void
hostile_variables_go(void **state)
{
	(void)state;
	clearenv();
	setenv("HOME", "/root", 1);
	setenv("SSLKEYLOGFILE", "/tmp/keys", 1);
	setenv("GNUTLS_SYSTEM_PRIORITY_FILE", "/tmp/weak", 1);
	setenv("EVENT_NOEPOLL", "1", 1);
	setenv("XGNUTLS_", "kept", 1);
	setenv("SSLKEYLOGFILES", "kept", 1);
	assert_int_equal(environment_scrub(on_scrubbed), RES_OK);
	assert_string_equal(named, "SSLKEYLOGFILE GNUTLS_SYSTEM_PRIORITY_FILE EVENT_NOEPOLL ");
	assert_null(getenv("SSLKEYLOGFILE"));
	assert_null(getenv("GNUTLS_SYSTEM_PRIORITY_FILE"));
	assert_null(getenv("EVENT_NOEPOLL"));
	assert_string_equal(getenv("HOME"), "/root");
	assert_string_equal(getenv("XGNUTLS_"), "kept");
	assert_string_equal(getenv("SSLKEYLOGFILES"), "kept");
}

static void
a_second_entry_of_the_name_goes_too(void **state)
{
	static char one[] = "SSLKEYLOGFILE=/a", two[] = "SSLKEYLOGFILE=/b", three[] = "TERM=x";
	static char *entries[] = {one, two, three, NULL};
	extern char **environ;
	char **before = environ;

	(void)state;
	environ = entries;
	assert_int_equal(environment_scrub(NULL), RES_OK);
	assert_ptr_equal(entries[0], three);
	assert_null(entries[1]);
	environ = before;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(hostile_variables_go),
	    cmocka_unit_test(a_second_entry_of_the_name_goes_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
