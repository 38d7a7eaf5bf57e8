#include "contrib/watch/gzip.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#define PLAIN 100000

static struct gunzip *gunzip;

/* n bytes of a, as a gzip member. */
static void
gzip_put(struct buf *out, size_t n)
{
	z_stream z = {0};
	uint8_t *plain = malloc(n + 1);

	assert_non_null(plain);
	memset(plain, 'a', n);
	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = plain;
	z.avail_in = (unsigned)n;
	z.next_out = buf_room(out, n / 2 + 1000);
	z.avail_out = (unsigned)(n / 2 + 1000);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_added(out, z.total_out);
	(void)deflateEnd(&z);
	free(plain);
}

static const struct {
	const char *name;
	size_t plain;  /* bytes that were packed */
	size_t limit;  /* of the result */
	size_t cut;    /* bytes taken off the end */
	const char *tail; /* appended */
	enum res want;
} rows[] = {
    {"a whole member", PLAIN, PLAIN, 0, "", RES_OK},
    {"nothing, packed", 0, PLAIN, 0, "", RES_OK},
    {"one byte more than allowed", PLAIN, PLAIN - 1, 0, "", RES_LIMIT},
    {"a bomb: a thousand times the limit", 1000 * PLAIN, PLAIN, 0, "", RES_LIMIT},
    {"the last byte is missing", PLAIN, PLAIN, 1, "", RES_MALFORMED},
    {"half is missing", PLAIN, PLAIN, 60, "", RES_MALFORMED},
    {"a byte after the end", PLAIN, 2 * PLAIN, 0, "x", RES_MALFORMED},
};

static void
bodies_are_unpacked_within_the_limit(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf packed = buf_max(SIZE_MAX / 2), out = buf_max(rows[i].limit);
		enum res r;

		gzip_put(&packed, rows[i].plain);
		packed.n -= rows[i].cut;
		buf_text(&packed, rows[i].tail);
		r = gunzip_read(gunzip, &out, buf_span(&packed));
		if (r != rows[i].want)
			print_error("%s: %d\n", rows[i].name, r);
		assert_int_equal(r, rows[i].want);
		assert_true(out.n <= rows[i].limit);
		assert_true(r != RES_OK || out.n == rows[i].plain);
		assert_true(r != RES_OK || out.n == 0 || (out.p[0] == 'a' && out.p[out.n - 1] == 'a'));
		buf_free(&packed);
		buf_free(&out);
	}
}

static void
bodies_other_than_gzip_are_refused(void **state)
{
	struct buf out = buf_max(PLAIN);

	(void)state;
	assert_int_equal(gunzip_read(gunzip, &out, span_str("")), RES_MALFORMED);
	assert_int_equal(gunzip_read(gunzip, &out, span_str("{\"entries\":[]}")), RES_MALFORMED);
	/* zlib's own format */
	assert_int_equal(gunzip_read(gunzip, &out, span_of("\x78\x9c\x03\x00\x00\x00\x00\x01", 8)), RES_MALFORMED);
	buf_free(&out);
}

static int
setup(void **state)
{
	(void)state;
	gunzip = gunzip_new();
	return gunzip == NULL ? -1 : 0;
}

static int
teardown(void **state)
{
	(void)state;
	gunzip_free(gunzip);
	gunzip_free(NULL);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(bodies_are_unpacked_within_the_limit),
	    cmocka_unit_test(bodies_other_than_gzip_are_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
