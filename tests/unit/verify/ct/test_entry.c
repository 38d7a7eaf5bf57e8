#include "verify/ct/entry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define HASH  "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk"
#define TIME  "\0\0\1\2\3\4\5\6"
#define X509  TIME "\0\0" "\0\0\4" "CERT" "\0\0"
#define PRE   TIME "\0\1" HASH "\0\0\3" "TBS" "\0\2" "xy"
#define BYTES(s) s, sizeof s - 1

static const struct {
	const char *name;
	const char *leaf;
	size_t n;
	enum res want;
	bool precertificate;
	const char *certificate;
} leaves[] = {
    {"a certificate", BYTES("\0\0" X509), RES_OK, false, "CERT"},
    {"a precertificate", BYTES("\0\0" PRE), RES_OK, true, "TBS"},
    {"nothing", BYTES(""), RES_MALFORMED, false, NULL},
    {"another version", BYTES("\1\0" X509), RES_UNSUPPORTED, false, NULL},
    {"another type of leaf", BYTES("\0\1" X509), RES_UNSUPPORTED, false, NULL},
    {"another type of entry", BYTES("\0\0" TIME "\0\2" "\0\0\4" "CERT" "\0\0"), RES_UNSUPPORTED, false, NULL},
    {"a byte after the end", BYTES("\0\0" X509 "!"), RES_MALFORMED, false, NULL},
    {"extensions cut short", BYTES("\0\0" TIME "\0\0" "\0\0\4" "CERT" "\0\1"), RES_MALFORMED, false, NULL},
    {"a certificate longer than the leaf", BYTES("\0\0" TIME "\0\0" "\1\0\4" "CERT" "\0\0"), RES_MALFORMED, false, NULL},
    {"an empty certificate", BYTES("\0\0" TIME "\0\0" "\0\0\0" "\0\0"), RES_MALFORMED, false, NULL},
    {"a precertificate without its key hash", BYTES("\0\0" TIME "\0\1" "\0\0\3" "TBS" "\0\0"), RES_MALFORMED, true, NULL},
};

static void
leaves_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof leaves / sizeof leaves[0]; i++) {
		struct entry entry = {0};
		enum res r = entry_read_leaf(&entry, span_of(leaves[i].leaf, leaves[i].n));

		if (r != leaves[i].want)
			print_error("%s: %d\n", leaves[i].name, r);
		assert_int_equal(r, leaves[i].want);
		if (r != RES_OK)
			continue;
		assert_int_equal(entry.timestamp_ms, 0x0000010203040506);
		assert_int_equal(entry.precertificate, leaves[i].precertificate);
		assert_true(span_equal(entry.certificate, span_str(leaves[i].certificate)));
		assert_int_equal(entry.issuer_key_hash != NULL, leaves[i].precertificate);
		assert_true(!leaves[i].precertificate || memcmp(entry.issuer_key_hash, HASH, 32) == 0);
	}
}

static const struct {
	const char *name;
	const char *bytes;
	size_t n;
	bool precertificate;
	enum res want;
	size_t n_chain;
} extras[] = {
    {"no issuer", BYTES("\0\0\0"), false, RES_OK, 0},
    {"two issuers", BYTES("\0\0\11" "\0\0\1A" "\0\0\2BC"), false, RES_OK, 2},
    {"a precertificate and one issuer", BYTES("\0\0\3PRE" "\0\0\4" "\0\0\1A"), true, RES_OK, 1},
    {"an unexpected precertificate", BYTES("\0\0\3PRE" "\0\0\4" "\0\0\1A"), false, RES_MALFORMED, 0},
    {"a chain instead of a precertificate", BYTES("\0\0\0"), true, RES_MALFORMED, 0},
    {"an empty precertificate", BYTES("\0\0\0" "\0\0\4" "\0\0\1A"), true, RES_MALFORMED, 0},
    {"an empty issuer", BYTES("\0\0\3" "\0\0\0"), false, RES_MALFORMED, 0},
    {"an issuer longer than the chain", BYTES("\0\0\4" "\0\0\2A"), false, RES_MALFORMED, 0},
    {"a byte after the end", BYTES("\0\0\0!"), false, RES_MALFORMED, 0},
    {"sixteen issuers",
     BYTES("\0\0\100" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A"
	   "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A"),
     false, RES_OK, 16},
    {"seventeen issuers",
     BYTES("\0\0\104" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A"
	   "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A" "\0\0\1A"),
     false, RES_LIMIT, 0},
};

static void
extra_data_is_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof extras / sizeof extras[0]; i++) {
		struct entry_extra extra;
		enum res r = entry_read_extra(&extra, span_of(extras[i].bytes, extras[i].n), extras[i].precertificate);

		if (r != extras[i].want)
			print_error("%s: %d\n", extras[i].name, r);
		assert_int_equal(r, extras[i].want);
		if (r != RES_OK)
			continue;
		assert_int_equal(extra.n_chain, extras[i].n_chain);
		assert_int_equal(extra.precertificate.n, extras[i].precertificate ? 3 : 0);
	}
}

#define ISSUER "iiiiiiiiiiiiiiiiiiiiiiiiiiiiiiii"

static const struct {
	const char *name;
	const char *tile;
	size_t n;
	size_t entries; /* that can be read */
	enum res end;
} tiles[] = {
    {"an empty tile", BYTES(""), 0, RES_NOT_FOUND},
    {"a certificate and a precertificate", BYTES(X509 "\0\40" ISSUER PRE "\0\0\3PRE" "\0\0"), 2, RES_NOT_FOUND},
    {"two certificates of two issuers", BYTES(X509 "\0\100" ISSUER ISSUER X509 "\0\0"), 2, RES_NOT_FOUND},
    {"half a fingerprint", BYTES(X509 "\0\20" "iiiiiiiiiiiiiiii"), 0, RES_MALFORMED},
    {"a second entry cut short", BYTES(X509 "\0\0" X509), 1, RES_MALFORMED},
    {"an entry of another type", BYTES(TIME "\0\2" "\0\0\4" "CERT" "\0\0" "\0\0"), 0, RES_UNSUPPORTED},
    {"a precertificate of no bytes", BYTES(PRE "\0\0\0" "\0\0"), 0, RES_MALFORMED},
    {"a certificate of no bytes", BYTES(TIME "\0\0" "\0\0\0" "\0\0" "\0\0"), 0, RES_MALFORMED},
    {"one byte", BYTES("\0"), 0, RES_MALFORMED},
};

static void
tiles_are_read(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof tiles / sizeof tiles[0]; i++) {
		struct span tile = span_of(tiles[i].tile, tiles[i].n), leaf;
		struct entry_extra extra;
		struct entry entry;
		size_t n = 0;
		enum res r;

		while ((r = entry_take_tile_leaf(&entry, &extra, &leaf, &tile)) == RES_OK) {
			assert_int_equal(leaf.n, entry.precertificate ? sizeof PRE - 1 : sizeof X509 - 1);
			assert_memory_equal(leaf.p, TIME, 8);
			assert_int_equal(extra.precertificate.n, entry.precertificate ? 3 : 0);
			n++;
		}
		if (r != tiles[i].end || n != tiles[i].entries)
			print_error("%s: %zu entries, %d\n", tiles[i].name, n, r);
		assert_int_equal(r, tiles[i].end);
		assert_int_equal(n, tiles[i].entries);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(leaves_are_read),
	    cmocka_unit_test(extra_data_is_read),
	    cmocka_unit_test(tiles_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
