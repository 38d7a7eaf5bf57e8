/*
 * test_settings_memory.c - a configuration is read while each allocation fails in turn: it is refused or it is whole.
 *
 * If a part of a file were accepted as the whole, the user's upstreams could be lost and those compiled in used instead.
 */
#include "config/reader.h"
#include "tests/unit/failing_alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char whole[] =
    "# everything that a reader meets\n"
    "listen = {\"127.0.0.1:5300\", \"[::1]:5300\",} workers = 2 hedge = false\n"
    "ct { mode = \"require\" policy = \"chrome\" }\n"
    "local { data = {\"printer.test. 60 A 192.0.2.9\"} }\n"
    "upstream \"first\" {\n"
    "  address = {\"192.0.2.1\", \"2001:db8::1\"} name = \"dns.test\"\n"
    "  disallow = {\"serial 01 issuer CN=Nobody\"}\n"
    "  disallow += {\"issuer CN=Nobody either\"}\n"
    "}\n"
    "upstream \"corp\" { address = {\"192.0.2.53\"} ct = \"off\" }\n"
    "forward \"corp.test\" { upstream = {\"corp\"} }\n"
    "forward \"192.0.2.0/24\" { upstream = {} }\n";

/* All errors as text. Yours. */
static char *
settings_text(const struct settings *s)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	assert_non_null(f);
	assert_int_equal(settings_print(s, f), RES_OK);
	assert_int_equal(fclose(f), 0);
	return text;
}

static enum res
read_failing(struct settings **s, size_t at, size_t *needed)
{
	struct config_errors errors = {0};
	enum res res;

	failing_alloc_begin(at);
	res = settings_read_text(s, "x.conf", span_str(whole), &errors);
	*needed = failing_alloc_end();
	config_errors_free(&errors);
	return res;
}

static void
every_allocation_may_fail(void **state)
{
	struct settings *s = NULL;
	size_t needed, survived = 0;
	char *want;

	(void)state;
	assert_int_equal(read_failing(&s, 0, &needed), RES_OK);
	assert_true(needed > 100);
	want = settings_text(s);
	settings_free(s);
	for (size_t at = 1; at <= needed; at++) {
		size_t asked;
		char *have;

		if (read_failing(&s, at, &asked) != RES_OK)
			continue;
		have = settings_text(s);
		if (strcmp(have, want) != 0)
			fail_msg("when allocation %zu of %zu fails, the file is read differently:\n%s", at, needed, have);
		free(have);
		settings_free(s);
		survived++;
	}
	assert_true(survived < needed / 10);
	free(want);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_allocation_may_fail)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
