#include "verify/ct/sct.h"
#include "base/text.h"
#include "verify/x509/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* One SCT on the wire: v1, a log of 0x11 bytes, 1000 ms, no extensions, SHA-256 with ECDSA, a signature of two bytes. */
static void
sct_put(struct buf *out, uint8_t version, const char *extensions, size_t n_extensions)
{
	buf_u8(out, version);
	for (size_t i = 0; i < 32; i++)
		buf_u8(out, 0x11);
	buf_u64(out, 1000);
	buf_u16(out, (uint16_t)n_extensions);
	buf_put(out, span_of(extensions, n_extensions));
	buf_u8(out, SCT_HASH_SHA256);
	buf_u8(out, SCT_SIGNATURE_ECDSA);
	buf_u16(out, 2);
	buf_u16(out, 0xabcd);
}

static void
item_put(struct buf *out, struct span item)
{
	buf_u16(out, (uint16_t)item.n);
	buf_put(out, item);
}

/* The list as it is in the extension. */
static void
extension_put(struct buf *out, struct span items)
{
	der_header(out, DER_OCTET_STRING, items.n + 2);
	buf_u16(out, (uint16_t)items.n);
	buf_put(out, items);
}

static void
a_list_is_read(void **state)
{
	struct buf sct = buf_max(200), items = buf_max(1000), ext = buf_max(1000);
	struct sct_list list;

	(void)state;
	sct_put(&sct, 0, "\x00\x00\x05\x00\x01\x60\x68\x9f", 8);
	item_put(&items, buf_span(&sct));
	item_put(&items, buf_span(&sct));
	extension_put(&ext, buf_span(&items));
	assert_int_equal(sct_list_read(&list, buf_span(&ext)), RES_OK);
	assert_int_equal(list.n, 2);
	assert_false(list.sct[1].malformed);
	assert_int_equal(list.sct[1].timestamp_ms, 1000);
	assert_int_equal(list.sct[1].log_id.n, 32);
	assert_int_equal(list.sct[1].extensions.n, 8);
	assert_int_equal(list.sct[1].hash_algorithm, SCT_HASH_SHA256);
	assert_int_equal(list.sct[1].signature_algorithm, SCT_SIGNATURE_ECDSA);
	assert_int_equal(list.sct[1].signature.n, 2);
	buf_free(&sct);
	buf_free(&items);
	buf_free(&ext);
}

static void
one_bad_sct_leaves_the_others(void **state)
{
	struct buf sct = buf_max(200), items = buf_max(1000), ext = buf_max(1000);
	struct sct_list list;

	(void)state;
	sct_put(&sct, 0, "", 0);
	for (size_t cut = 1; cut < sct.n; cut++) { /* every prefix of an SCT */
		buf_clear(&items);
		buf_clear(&ext);
		item_put(&items, span_slice(buf_span(&sct), 0, cut));
		item_put(&items, buf_span(&sct));
		extension_put(&ext, buf_span(&items));
		assert_int_equal(sct_list_read(&list, buf_span(&ext)), RES_OK);
		assert_int_equal(list.n, 2);
		assert_true(list.sct[0].malformed);
		assert_false(list.sct[1].malformed);
	}
	buf_u8(&sct, 0); /* a byte after the signature */
	buf_clear(&items);
	buf_clear(&ext);
	item_put(&items, buf_span(&sct));
	extension_put(&ext, buf_span(&items));
	assert_int_equal(sct_list_read(&list, buf_span(&ext)), RES_OK);
	assert_true(list.sct[0].malformed);
	buf_free(&sct);
	buf_free(&items);
	buf_free(&ext);
}

static void
another_version_is_kept_and_not_read(void **state)
{
	static const uint8_t v2[] = {0x04, 0x08, 0, 2, 1, 'x'};
	struct sct_list list;

	(void)state;
	assert_int_equal(sct_list_read(&list, span_of(v2, sizeof v2)), RES_MALFORMED); /* the inner length is wrong */
	assert_int_equal(sct_list_read(&list, span_of("\x04\x06\x00\x04\x00\x02\x01x", 8)), RES_OK);
	assert_int_equal(list.n, 1);
	assert_int_equal(list.sct[0].version, 1);
	assert_false(list.sct[0].malformed);
	assert_int_equal(list.sct[0].log_id.n, 0);
}

static void
t19_a_broken_frame_is_no_list(void **state)
{
	static const struct {
		const char *what;
		const char *wire;
		size_t n;
	} rows[] = {
	    {"nothing", "", 0},
	    {"no OCTET STRING inside", "\x00\x03\x00\x01\x01", 5},
	    {"an INTEGER inside", "\x02\x05\x00\x03\x00\x01\x01", 7},
	    {"an empty list", "\x04\x02\x00\x00", 4},
	    {"a missing length", "\x04\x01\x00", 3},
	    {"an empty item", "\x04\x04\x00\x02\x00\x00", 6},
	    {"an item past the end", "\x04\x05\x00\x03\x00\x02\x01", 7},
	    {"half an item length", "\x04\x06\x00\x04\x00\x01\x01\x00", 8},
	    {"a list length past the end", "\x04\x05\x00\x04\x00\x01\x01", 7},
	    {"a byte after the list", "\x04\x06\x00\x03\x00\x01\x01\x00", 8},
	    {"a byte after the OCTET STRING", "\x04\x05\x00\x03\x00\x01\x01\x00", 8},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct sct_list list = {.n = 7};

		if (sct_list_read(&list, span_of(rows[i].wire, rows[i].n)) != RES_MALFORMED || list.n != 0)
			fail_msg("%s", rows[i].what);
	}
}

static void
t19_the_number_of_scts_is_bounded(void **state)
{
	struct buf sct = buf_max(200), items = buf_max(65535), ext = buf_max(70000);
	struct sct_list list;

	(void)state;
	sct_put(&sct, 0, "", 0);
	for (size_t n = 1; n <= 1000; n++) {
		item_put(&items, buf_span(&sct));
		buf_clear(&ext);
		extension_put(&ext, buf_span(&items));
		assert_int_equal(sct_list_read(&list, buf_span(&ext)), n <= SCT_LIST_MAX ? RES_OK : RES_LIMIT);
		assert_int_equal(list.n, n <= SCT_LIST_MAX ? n : 0);
	}
	buf_free(&sct);
	buf_free(&items);
	buf_free(&ext);
}

static void
t20_the_leaf_index_is_found(void **state)
{
	static const struct {
		const char *what;
		const char *wire;
		size_t n;
		enum res res;
		uint64_t index;
	} rows[] = {
	    {"the usual field", "\x00\x00\x05\x00\x01\x60\x68\x9f", 8, RES_OK, 0x160689f},
	    {"the largest index", "\x00\x00\x05\xff\xff\xff\xff\xff", 8, RES_OK, 0xffffffffff},
	    {"an unknown type in front", "\x07\x00\x01x\x00\x00\x05\x00\x00\x00\x00\x07", 12, RES_OK, 7},
	    {"an unknown type after", "\x00\x00\x05\x00\x00\x00\x00\x07\x07\x00\x00", 11, RES_OK, 7},
	    {"no extensions", "", 0, RES_NOT_FOUND, 0},
	    {"another type only", "\x07\x00\x01x", 4, RES_NOT_FOUND, 0},
	    {"four bytes", "\x00\x00\x04\x00\x00\x00\x07", 7, RES_MALFORMED, 0},
	    {"six bytes", "\x00\x00\x06\x00\x00\x00\x00\x00\x07", 9, RES_MALFORMED, 0},
	    {"it comes twice", "\x00\x00\x05\x00\x00\x00\x00\x07\x00\x00\x05\x00\x00\x00\x00\x07", 16, RES_MALFORMED, 0},
	    {"an unknown type twice", "\x07\x00\x00\x07\x00\x00\x00\x00\x05\x00\x00\x00\x00\x07", 14, RES_MALFORMED, 0},
	    {"past the end", "\x00\x00\x05\x00\x00\x00\x07", 7, RES_MALFORMED, 0},
	    {"a byte after", "\x00\x00\x05\x00\x00\x00\x00\x07\x01", 9, RES_MALFORMED, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint64_t index = 0;

		if (sct_leaf_index(&index, span_of(rows[i].wire, rows[i].n)) != rows[i].res || index != rows[i].index)
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_list_is_read),
	    cmocka_unit_test(one_bad_sct_leaves_the_others),
	    cmocka_unit_test(another_version_is_kept_and_not_read),
	    cmocka_unit_test(t19_a_broken_frame_is_no_list),
	    cmocka_unit_test(t19_the_number_of_scts_is_bounded),
	    cmocka_unit_test(t20_the_leaf_index_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
