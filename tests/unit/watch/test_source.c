/* The URLs of a log's tiles and entries, and the contents of a data tile. */
#include "contrib/watch/source.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct ctlog rfc6962 = {.description = "one"}, tiled = {.description = "two", .tiled = true};
static const struct watch_log log_rfc6962 = {&rfc6962, "https://ct.test/one/", ""}, log_tiled = {&tiled, "https://ct.test/two/", ""};

static void
url_is(struct buf *url, const char *wanted)
{
	assert_string_equal(buf_cstr(url), wanted);
	buf_clear(url);
}

static void
urls_are_those_of_the_standards(void **state)
{
	struct buf url = buf_max(2048);
	struct tree_hash hash;
	uint8_t fingerprint[32] = {0xab};

	(void)state;
	source_head_url(&url, &log_rfc6962);
	url_is(&url, "https://ct.test/one/ct/v1/get-sth");
	source_head_url(&url, &log_tiled);
	url_is(&url, "https://ct.test/two/checkpoint");
	source_consistency_url(&url, &log_rfc6962, 7, 1000);
	url_is(&url, "https://ct.test/one/ct/v1/get-sth-consistency?first=7&second=1000");
	memset(hash.b, 0xfb, sizeof hash.b); /* base64 with a plus and a slash */
	source_inclusion_url(&url, &log_rfc6962, &hash, 9);
	assert_null(strpbrk(strchr(buf_cstr(&url), '?'), "+/"));
	assert_non_null(strstr(buf_cstr(&url), "%2B"));
	assert_non_null(strstr(buf_cstr(&url), "%3D&tree_size=9"));
	buf_clear(&url);
	source_entries_url(&url, &log_rfc6962, 256, 300, 0);
	url_is(&url, "https://ct.test/one/ct/v1/get-entries?start=256&end=299");
	source_entries_url(&url, &log_tiled, 256, 300, 44);
	url_is(&url, "https://ct.test/two/tile/data/001.p/44");
	source_issuer_url(&url, &log_tiled, fingerprint);
	url_is(&url, "https://ct.test/two/issuer/ab00000000000000000000000000000000000000000000000000000000000000");
	buf_free(&url);
}

static void
tiles_are_numbered_in_groups_of_three(void **state)
{
	static const struct {
		uint64_t number;
		unsigned width;
		const char *path;
	} rows[] = {
	    {0, 256, "000"},	     {999, 256, "999"},	      {1000, 256, "x001/000"},	   {1234067, 256, "x001/x234/067"},
	    {5, 255, "005.p/255"}, {1000000000, 1, "x001/x000/x000/000.p/1"},
	};
	struct buf url = buf_max(2048);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		source_tile_url(&url, &log_tiled, 3, rows[i].number, rows[i].width);
		assert_string_equal(strstr(buf_cstr(&url), "tile/3/") + 7, rows[i].path);
		buf_clear(&url);
	}
	buf_free(&url);
}

static void
tiles_are_as_wide_as_the_tree(void **state)
{
	static const struct {
		const char *what;
		unsigned level;
		uint64_t tile, size;
		unsigned width;
	} rows[] = {
	    {"of an empty tree there is none", 0, 0, 0, 0},
	    {"one entry", 0, 0, 1, 1},
	    {"a full tile", 0, 0, 256, 256},
	    {"nothing after it", 0, 1, 256, 0},
	    {"a partial tile", 0, 1, 300, 44},
	    {"hashes of full tiles only", 1, 0, 300, 1},
	    {"none of a partial one", 1, 0, 255, 0},
	    {"the second level", 2, 0, 65536 * 3 + 7, 3},
	    {"the highest level of the largest tree", 7, 0, TREE_SIZE_MAX, 127},
	    {"a level that no tree has", 8, 0, TREE_SIZE_MAX, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (source_tile_width(rows[i].level, rows[i].tile, rows[i].size) != rows[i].width)
			fail_msg("%s: %u", rows[i].what, source_tile_width(rows[i].level, rows[i].tile, rows[i].size));
}

/* A TileLeaf of an X.509 entry: timestamp, kind, certificate, extensions, no issuers. */
static void
tile_leaf_put(struct buf *out, uint64_t timestamp_ms, const char *certificate)
{
	buf_u64(out, timestamp_ms);
	buf_u16(out, 0);
	buf_u24(out, (uint32_t)strlen(certificate));
	buf_text(out, certificate);
	buf_u16(out, 0);
	buf_u16(out, 0);
}

static void
a_data_tile_is_read_to_its_end(void **state)
{
	struct buf tile = buf_max(1024);
	struct batch batch = {.tiled = true};
	struct batch_entry e;

	(void)state;
	tile_leaf_put(&tile, 5, "first");
	tile_leaf_put(&tile, 6, "second");
	batch_open(&batch, true, buf_span(&tile));
	assert_int_equal(batch_next(&batch, &e, false), RES_OK);
	assert_int_equal(e.entry.timestamp_ms, 5);
	assert_int_equal(e.front.n + e.rest.n, 2 + 8 + 2 + 3 + 5 + 2); /* the MerkleTreeLeaf */
	assert_int_equal(batch_next(&batch, &e, false), RES_OK);
	assert_true(span_equal(e.entry.certificate, span_str("second")));
	assert_int_equal(batch_next(&batch, &e, false), RES_NOT_FOUND);
	batch_open(&batch, true, span_slice(buf_span(&tile), 0, tile.n - 1));
	assert_int_equal(batch_next(&batch, &e, false), RES_OK);
	assert_int_equal(batch_next(&batch, &e, false), RES_MALFORMED);
	batch_free(&batch);
	buf_free(&tile);
}

/* Else no origin at all would be compared. */
static void
an_origin_that_is_too_long_is_no_origin_that_is_right(void **state)
{
	static const struct {
		size_t n;
		enum res res;
	} rows[] = {{HEAD_ORIGIN_MAX, RES_MALFORMED}, {HEAD_ORIGIN_MAX + 1, RES_LIMIT}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char url[8 + HEAD_ORIGIN_MAX + 2] = "https://";
		const struct ctlog log = {.description = "long", .tiled = true, .submission_url = url};
		const struct watch_log watched = {&log, "https://ct.test/long/", ""};
		struct head head;
		char *why = NULL;

		memset(url + 8, 'a', rows[i].n);
		assert_int_equal(source_head_read(&head, &watched, span_str("no checkpoint"), &why), rows[i].res);
		assert_non_null(why);
		free(why);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(urls_are_those_of_the_standards),
	    cmocka_unit_test(tiles_are_numbered_in_groups_of_three),
	    cmocka_unit_test(tiles_are_as_wide_as_the_tree),
	    cmocka_unit_test(a_data_tile_is_read_to_its_end),
	    cmocka_unit_test(an_origin_that_is_too_long_is_no_origin_that_is_right),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
