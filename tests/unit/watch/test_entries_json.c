#include "contrib/watch/entries_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ONE  "{\"leaf_input\":\"TEVBRg==\",\"extra_data\":\"RVhUUkE=\"}"
#define LATE "{\"extra_data\":\"RVhUUkE=\",\"leaf_input\":\"TEVBRg==\"}"
#define ESC  "{\"leaf_input\":\"TEVBRg\\u003d=\",\"extra_data\":\"RVhUUkE=\"}"

static const struct {
	const char *name;
	const char *text;
	size_t entries;
	enum res end;
	bool fast; /* read without jansson to its end */
} rows[] = {
    {"no entries", "{\"entries\":[]}", 0, RES_NOT_FOUND, true},
    {"one entry", "{\"entries\":[" ONE "]}", 1, RES_NOT_FOUND, true},
    {"three entries", "{\"entries\":[" ONE "," ONE "," ONE "]}", 3, RES_NOT_FOUND, true},
    {"blanks everywhere", " {\n \"entries\" : [ " ONE " ,\t" ONE " ] } \n", 2, RES_NOT_FOUND, true},
    {"members in another order", "{\"entries\":[" ONE "," LATE "," ONE "]}", 3, RES_NOT_FOUND, false},
    {"an escape in the base64", "{\"entries\":[" ESC "," ONE "]}", 2, RES_NOT_FOUND, false},
    {"one more member", "{\"x\":1,\"entries\":[" ONE "]}", 1, RES_NOT_FOUND, false},
    {"one more member at the end", "{\"entries\":[" ONE "],\"x\":1}", 1, RES_NOT_FOUND, false},
    {"an empty leaf", "{\"entries\":[{\"leaf_input\":\"\",\"extra_data\":\"\"}]}", 1, RES_NOT_FOUND, true},
    {"invalid base64", "{\"entries\":[" ONE ",{\"leaf_input\":\"TEV!Rg==\",\"extra_data\":\"\"}]}", 1, RES_MALFORMED, false},
    {"an entry without a leaf", "{\"entries\":[" ONE ",{\"extra_data\":\"\"}]}", 1, RES_MALFORMED, false},
    {"an entry that is not an object", "{\"entries\":[1]}", 0, RES_MALFORMED, false},
    {"a comma too many", "{\"entries\":[" ONE ",]}", 1, RES_MALFORMED, false},
    {"cut short", "{\"entries\":[" ONE "," ONE, 2, RES_MALFORMED, false},
    {"bytes after the end", "{\"entries\":[" ONE "]}x", 1, RES_MALFORMED, false},
    {"an error message", "{\"error_message\":\"no\",\"success\":false}", 0, RES_MALFORMED, false},
    {"a page", "<html></html>", 0, RES_MALFORMED, false},
    {"nothing", "", 0, RES_MALFORMED, false},
};

static void
answers_are_read(void **state)
{
	struct entries_json in = {0};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct span leaf, extra;
		size_t n = 0;
		enum res r;

		entries_json_open(&in, span_str(rows[i].text));
		while ((r = entries_json_next(&in, &leaf, &extra)) == RES_OK && n++ < 10) {
			assert_true(leaf.n == 0 || span_equal(leaf, span_str("LEAF")));
			assert_true(extra.n == 0 || span_equal(extra, span_str("EXTRA")));
		}
		if (r != rows[i].end || n != rows[i].entries || in.fast != rows[i].fast)
			print_error("%s: %zu entries, %d, fast %d\n", rows[i].name, n, r, in.fast);
		assert_int_equal(r, rows[i].end);
		assert_int_equal(n, rows[i].entries);
		assert_int_equal(in.fast, rows[i].fast);
		assert_int_equal(in.why != NULL, r == RES_MALFORMED);
	}
	entries_json_free(&in);
}

static void
extra_data_is_read_only_when_requested(void **state)
{
	struct entries_json in = {0};
	struct span leaf;

	(void)state;
	entries_json_open(&in, span_str("{\"entries\":[{\"leaf_input\":\"TEVBRg==\",\"extra_data\":\"!\"}]}"));
	assert_int_equal(entries_json_next(&in, &leaf, NULL), RES_OK);
	assert_int_equal(entries_json_next(&in, &leaf, NULL), RES_NOT_FOUND);
	entries_json_free(&in);
}

static void
the_number_of_entries_is_bounded(void **state)
{
	struct buf text = buf_max(1024 * 1024);
	struct entries_json in = {0};
	struct span leaf;
	enum res r;

	(void)state;
	buf_text(&text, "{\"entries\":[" ONE);
	for (size_t i = 0; i < ENTRIES_JSON_MAX; i++)
		buf_text(&text, "," ONE);
	buf_text(&text, "]}");
	entries_json_open(&in, buf_span(&text));
	while ((r = entries_json_next(&in, &leaf, NULL)) == RES_OK)
		;
	assert_int_equal(r, RES_LIMIT);
	assert_int_equal(in.n, ENTRIES_JSON_MAX);
	entries_json_free(&in);
	buf_free(&text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_are_read),
	    cmocka_unit_test(extra_data_is_read_only_when_requested),
	    cmocka_unit_test(the_number_of_entries_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
