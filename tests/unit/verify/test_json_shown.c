/*
 * test_json_shown.c - whatever bytes a text has, it becomes a string of JSON that a person can read.
 */
#include "verify/json_shown.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct row {
	const char *text;
	const char *json;
} rows[] = {
    {NULL, "null"},
    {"", "\"\""},
    {"/etc/ctstub/chain.pem", "\"/etc/ctstub/chain.pem\""},
    {"caf\xc3\xa9", "\"caf\xc3\xa9\""},
    {"caf\xe9", "\"caf\\\\xe9\""},
    {"\xe2\x82", "\"\\\\xe2\\\\x82\""},
    {"\xed\xa0\x80", "\"\\\\xed\\\\xa0\\\\x80\""},
    /* What needs no escape because it is UTF-8 is left to JSON's own. */
    {"a\tb", "\"a\\tb\""},
    {"\t\xff", "\"\\\\x09\\\\xff\""},
};

static void
every_text_becomes_a_string_of_json(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		json_t *value = json_shown(rows[i].text);
		char *out = json_dumps(value, JSON_ENCODE_ANY);

		assert_non_null(out);
		assert_string_equal(out, rows[i].json);
		free(out);
		json_decref(value);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_text_becomes_a_string_of_json),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
