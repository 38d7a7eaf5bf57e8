#include "base/jsonl.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* What the reader makes of a line: key=s:text, key=n:number, key=l:a|b, key=o, each followed by a semicolon; "BAD" at the end of
 * a malformed one. */
static const char *
shown(const char *line, char out[4096])
{
	char copy[4096];
	struct jsonl in;
	struct jsonl_member m;
	size_t n = strlen(line), at = 0;

	memcpy(copy, line, n);
	in = jsonl_over((uint8_t *)copy, n);
	out[0] = '\0';
	while (jsonl_next(&in, &m)) {
		at += (size_t)sprintf(out + at, "%.*s=", (int)m.key.n, m.key.p);
		if (m.kind == JSONL_STRING)
			at += (size_t)sprintf(out + at, "s:%.*s", (int)m.text.n, m.text.p);
		else if (m.kind == JSONL_NUMBER)
			at += (size_t)sprintf(out + at, "n:%lld", (long long)m.number);
		else
			at += (size_t)sprintf(out + at, "%s", m.kind == JSONL_LIST ? "l:" : "o");
		for (size_t i = 0; m.kind == JSONL_LIST && i < m.n_item; i++)
			at += (size_t)sprintf(out + at, "%s%.*s", i > 0 ? "|" : "", (int)m.item[i].n, m.item[i].p);
		at += (size_t)sprintf(out + at, ";");
	}
	if (!jsonl_done(&in))
		sprintf(out + at, "BAD");
	return out;
}

static const struct {
	const char *what, *line, *shown;
} lines[] = {
	{"an empty object", "{}", ""},
	{"blanks around everything", " { \"a\" : 1 , \"b\" : \"x\" } ", "a=n:1;b=s:x;"},
	{"a negative number", "{\"a\":-7}", "a=n:-7;"},
	{"the largest number", "{\"a\":9223372036854775807}", "a=n:9223372036854775807;"},
	{"a larger number is of another kind", "{\"a\":9223372036854775808}", "a=o;"},
	{"a fraction is of another kind", "{\"a\":1.5}", "a=o;"},
	{"true and null are of another kind", "{\"a\":true,\"b\":null}", "a=o;b=o;"},
	{"a list of strings", "{\"a\":[\"x\",\"y\"]}", "a=l:x|y;"},
	{"an empty list", "{\"a\":[]}", "a=l:;"},
	{"a list of numbers is of another kind", "{\"a\":[1,2]}", "a=o;"},
	{"a mixed list is of another kind", "{\"a\":[\"x\",2]}", "a=o;"},
	{"an object is skipped", "{\"a\":{\"b\":[1,{\"c\":\"}\"}]},\"d\":1}", "a=o;d=n:1;"},
	{"every escape", "{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "a=s:\"\\/\b\f\n\r\t;"},
	{"characters of one, two and three bytes", "{\"a\":\"\\u0041\\u00e9\\u20ac\"}", "a=s:A\xc3\xa9\xe2\x82\xac;"},
	{"a pair of surrogates", "{\"a\":\"\\ud83d\\ude00\"}", "a=s:\xf0\x9f\x98\x80;"},
	{"UTF-8 as it stands", "{\"a\":\"\xc3\xa9\"}", "a=s:\xc3\xa9;"},
	{"an escaped key", "{\"\\u0061\":1}", "a=n:1;"},
	{"the same key twice is shown twice", "{\"a\":1,\"a\":2}", "a=n:1;a=n:2;"},
	{"nothing", "", "BAD"},
	{"no object", "[1]", "BAD"},
	{"an object that does not end", "{\"a\":1", "a=n:1;BAD"},
	{"a string that does not end", "{\"a\":\"x", "BAD"},
	{"an escape that does not end", "{\"a\":\"x\\", "BAD"},
	{"bytes after the end", "{}x", "BAD"},
	{"two objects", "{}{}", "BAD"},
	{"a comma before the end", "{\"a\":1,}", "a=n:1;BAD"},
	{"no comma", "{\"a\":1 \"b\":2}", "a=n:1;BAD"},
	{"a comma first", "{,\"a\":1}", "BAD"},
	{"no colon", "{\"a\" 1}", "BAD"},
	{"no value", "{\"a\":}", "BAD"},
	{"a key that is no string", "{a:1}", "BAD"},
	{"a control character in a string", "{\"a\":\"\x01\"}", "BAD"},
	{"a NUL by escape", "{\"a\":\"\\u0000\"}", "BAD"},
	{"half a pair of surrogates", "{\"a\":\"\\ud83d\"}", "BAD"},
	{"the second half first", "{\"a\":\"\\ude00\\ud83d\"}", "BAD"},
	{"a pair whose second half is a character", "{\"a\":\"\\ud83d\\u0041\"}", "BAD"},
	{"an unknown escape", "{\"a\":\"\\x\"}", "BAD"},
	{"invalid hex", "{\"a\":\"\\u00g0\"}", "BAD"},
	{"bytes that are not UTF-8", "{\"a\":\"\xff\"}", "BAD"},
	{"a list that does not end", "{\"a\":[\"x\"", "BAD"},
	{"a list with a comma before its end", "{\"a\":[\"x\",]}", "BAD"},
	{"the deepest value that is skipped", "{\"a\":[[[[[[[1]]]]]]]}", "a=o;"},
	{"a deeper one", "{\"a\":[[[[[[[[[1]]]]]]]]]}", "BAD"},
};

static void
each_line(void **state)
{
	char out[4096];
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
		if (strcmp(shown(lines[i].line, out), lines[i].shown) != 0) {
			print_error("%s: %s gives %s\n", lines[i].what, lines[i].line, out);
			failed++;
		}
	assert_int_equal(failed, 0);
}

static void
a_list_has_a_maximum(void **state)
{
	char line[1024] = "{\"a\":[", out[4096];

	(void)state;
	for (int i = 0; i < JSONL_ITEMS_MAX; i++)
		strcat(line, i == 0 ? "\"x\"" : ",\"x\"");
	strcat(line, "]}");
	assert_null(strstr(shown(line, out), "BAD"));
	line[strlen(line) - 2] = '\0';
	strcat(line, ",\"x\"]}");
	assert_non_null(strstr(shown(line, out), "BAD"));
}

static void
what_is_written_is_read(void **state)
{
	const struct span items[] = {span_str("x"), span_str("y\"z")};
	struct buf b = buf_max(4096);
	char out[4096];

	(void)state;
	jsonl_begin(&b);
	jsonl_put_text(&b, "brace", span_str("{"));
	jsonl_put_text(&b, "odd", span_str("\x01\"\\\x7f\xc3\xa9"));
	jsonl_put_text(&b, "latin", span_str("\xe9"));
	jsonl_put_number(&b, "n", INT64_MIN + 1);
	jsonl_put_list(&b, "l", items, 2);
	jsonl_put_list(&b, "none", NULL, 0);
	jsonl_end(&b);
	assert_true(buf_ok(&b));
	assert_int_equal(b.p[b.n - 1], '\n');
	b.p[b.n - 1] = '\0';
	assert_string_equal(shown((const char *)b.p, out),
			    "brace=s:{;odd=s:\x01\"\\\x7f\xc3\xa9;latin=s:\xc3\xa9;n=n:-9223372036854775807;l=l:x|y\"z;none=l:;");
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line),
		cmocka_unit_test(a_list_has_a_maximum),
		cmocka_unit_test(what_is_written_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
