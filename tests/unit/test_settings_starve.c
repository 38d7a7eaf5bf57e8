/*
 * test_settings_starve.c - a configuration is read while each allocation fails in turn: it is refused or it is whole.
 *
 * Half a file that passes for the whole could lose the user's upstreams, whose place those compiled in would take.
 * The allocations are those of our own objects, flex's and bison's among them, which the linker sends here (--wrap).
 */
#include "config/reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
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

/* All that was said, as text; yours. */
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
read_starved(struct settings **s, size_t at)
{
	struct config_errors errors = {0};
	enum res res;

	allocations = 0;
	fail_at = at;
	res = settings_read_text(s, "x.conf", span_str(whole), &errors);
	fail_at = 0;
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
	assert_int_equal(read_starved(&s, 0), RES_OK);
	needed = allocations;
	assert_true(needed > 100);
	want = settings_text(s);
	settings_free(s);
	for (size_t at = 1; at <= needed; at++) {
		char *have;

		if (read_starved(&s, at) != RES_OK)
			continue;
		have = settings_text(s);
		if (strcmp(have, want) != 0)
			fail_msg("without allocation %zu of %zu the file was read otherwise:\n%s", at, needed, have);
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
