#include "verify/anchor_limits.h"

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HASH_1 "0101010101010101010101010101010101010101010101010101010101010101"
#define HASH_2 "0202020202020202020202020202020202020202020202020202020202020202"

static struct cert
anchor(uint8_t cert_byte, uint8_t key_byte)
{
	struct cert c = {.version = 3};

	memset(c.sha256, cert_byte, 32);
	memset(c.spki_sha256, key_byte, 32);
	return c;
}

static void
lines_are_read(void **state)
{
	static const char text[] = "# comment\n\n"
				   "cert-sha256 " HASH_1 " sct-not-after 2024-11-11T23:59:59Z not-before-max 2024-11-30T23:59:59Z # more\r\n"
				   "\tspki-sha256 " HASH_2 " permit-name .Example.COM permit-name b.example permit-ip 192.0.2.0/24 permit-ip 2001:db8::/32";
	struct anchor_limits *table = NULL;
	struct cert one = anchor(1, 9), two = anchor(9, 2), none = anchor(2, 1), both = anchor(1, 2);
	const struct anchor_limit *c;
	struct addr ip;
	char *why = NULL;
	size_t line;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_null(anchor_limits_find(table, &one));
	if (anchor_limits_add_file(table, span_str(text), &line, &why) != RES_OK)
		fail_msg("line %zu: %s", line, why);
	assert_int_equal(anchor_limits_count(table), 2);
	c = anchor_limits_find(table, &one);
	assert_non_null(c);
	assert_true(c->has_sct_not_after);
	assert_int_equal(c->sct_not_after_ms, 1731369599000);
	assert_true(c->has_not_before_max);
	assert_int_equal(c->not_before_max_ms, 1733011199000);
	assert_int_equal(c->n_permit_name, 0);
	assert_int_equal(c->n_permit_ip, 0);
	c = anchor_limits_find(table, &two);
	assert_non_null(c);
	assert_false(c->has_sct_not_after);
	assert_int_equal(c->n_permit_name, 2);
	assert_string_equal(c->permit_name[0], "example.com");
	assert_string_equal(c->permit_name[1], "b.example");
	assert_int_equal(c->n_permit_ip, 2);
	assert_int_equal(addr_read_ip(&ip, "192.0.2.7"), RES_OK);
	assert_true(prefix_has(&c->permit_ip[0], &ip));
	assert_null(anchor_limits_find(table, &none));
	assert_null(anchor_limits_find(NULL, &one));
	assert_true(anchor_limits_find(table, &both)->has_sct_not_after); /* the certificate goes before its key */
	anchor_limits_free(table);
	anchor_limits_free(NULL);
}

static const struct {
	const char *what;
	const char *text;
	size_t line;
	const char *says;
} bad[] = {
    {"an unknown word at the start", "# x\nroot " HASH_1 " sct-not-after 2024-11-11T23:59:59Z\n", 2, "expected cert-sha256 or spki-sha256"},
    {"no hash", "cert-sha256\n", 1, "64 hex digits"},
    {"a short hash", "cert-sha256 0101 permit-name a\n", 1, "64 hex digits"},
    {"no limit", "cert-sha256 " HASH_1 "\n", 1, "no limit"},
    {"an unknown limit", "cert-sha256 " HASH_1 " expires 2024-11-11T23:59:59Z\n", 1, "expected sct-not-after"},
    {"a limit without value", "cert-sha256 " HASH_1 " sct-not-after\n", 1, "wants a value"},
    {"a date that is none", "cert-sha256 " HASH_1 " sct-not-after 2024-11-31T00:00:00Z\n", 1, "RFC 3339"},
    {"a date without time", "cert-sha256 " HASH_1 " not-before-max 2024-11-30\n", 1, "RFC 3339"},
    {"a date twice", "cert-sha256 " HASH_1 " sct-not-after 2024-11-11T23:59:59Z sct-not-after 2025-11-11T23:59:59Z\n", 1, "twice"},
    {"an anchor twice", "cert-sha256 " HASH_1 " permit-name a\n\ncert-sha256 " HASH_1 " permit-name b\n", 3, "a line already"},
    {"a name with an empty label", "cert-sha256 " HASH_1 " permit-name a..b\n", 1, "not a DNS name"},
    {"a name of a dot", "cert-sha256 " HASH_1 " permit-name .\n", 1, "not a DNS name"},
    {"a name with a dot at the end", "cert-sha256 " HASH_1 " permit-name a.\n", 1, "not a DNS name"},
    {"a name with a wildcard", "cert-sha256 " HASH_1 " permit-name *.a\n", 1, "not a DNS name"},
    {"a label of 64", "cert-sha256 " HASH_1 " permit-name aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa.b\n", 1, "not a DNS name"},
    {"a prefix with host bits", "cert-sha256 " HASH_1 " permit-ip 192.0.2.1/24\n", 1, "host bits"},
    {"an address without length", "cert-sha256 " HASH_1 " permit-ip 192.0.2.0\n", 1, "prefix"},
    {"a word that is too long", "cert-sha256 " HASH_1 " permit-name " HASH_1 HASH_1 HASH_1 HASH_1 "\n", 1, "value"},
};

static void
bad_lines_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct anchor_limits *table = NULL;
		char *why = NULL;
		size_t line = 99;
		enum res res;

		assert_int_equal(anchor_limits_new(&table), RES_OK);
		res = anchor_limits_add_file(table, span_str(bad[i].text), &line, &why);
		if (res != RES_MALFORMED || line != bad[i].line || why == NULL || strstr(why, bad[i].says) == NULL)
			fail_msg("%s: line %zu: %s: %s", bad[i].what, line, res_text(res), why);
		free(why);
		anchor_limits_free(table);
	}
}

static void
limits_hold(void **state)
{
	struct anchor_limits *table = NULL;
	struct buf text = buf_max(ANCHOR_LIMITS_FILE_MAX + 1);
	char *why = NULL;
	size_t line;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	buf_text(&text, "cert-sha256 " HASH_1);
	for (size_t i = 0; i <= ANCHOR_LIMITS_PERMIT_MAX; i++)
		buf_text(&text, " permit-name a");
	assert_int_equal(anchor_limits_add_file(table, buf_span(&text), &line, &why), RES_LIMIT);
	free(why);
	buf_clear(&text);
	for (unsigned i = 0; i <= ANCHOR_LIMITS_ENTRIES_MAX; i++)
		buf_format(&text, "cert-sha256 %064x permit-name a\n", i);
	assert_int_equal(anchor_limits_add_file(table, buf_span(&text), &line, &why), RES_LIMIT);
	assert_int_equal(line, ANCHOR_LIMITS_ENTRIES_MAX + 1);
	assert_int_equal(anchor_limits_count(table), ANCHOR_LIMITS_ENTRIES_MAX);
	free(why);
	while (text.n <= ANCHOR_LIMITS_FILE_MAX)
		buf_u8(&text, '\n');
	assert_int_equal(anchor_limits_add_file(table, buf_span(&text), &line, &why), RES_LIMIT);
	assert_int_equal(line, 0);
	free(why);
	buf_free(&text);
	anchor_limits_free(table);
}

/* The nine roots that browsers have limited, by certificate and by key, with the dates of both. */
static void
builtin_limits_nine_roots(void **state)
{
	static const char *const roots[] = {
	    "02ed0eb28c14da45165c566791700d6451d7fb56f0b2ab1d3b8eb070e56edff5", /* Entrust EC1 */
	    "43df5774b03e7fef5fe40d931a7bedf1bb2e6b42738c4e6d3841103d3aa7f339", /* G2 */
	    "db3517d1f6732a2d5ab97c533ec70779ee3270a62fb4ac4238372460e6f01e88", /* G4 */
	    "73c176434f1bc6d5adf45b0e76e727287c8de57616c1e6e6141a2b2cbc7d8e4c", /* 2006 */
	    "6dc47172e01cbcb0bf62580d895fe2b8ac9ad4f873801e0c10b9c837d21eb177", /* 2048 */
	    "0376ab1d54c5f9803ce4b2e201a0ee7eef7b57b636e8a93c9b8d4860c96f5fa7", /* AffirmTrust Commercial */
	    "0a81ec5a929777f145904af38d5d509f66b5e2c58fcdb531058b0e17f3f0b41b", /* Networking */
	    "70a73f7f376b60074248904534b11482d5bf0e698ecc498df52577ebf2e93b9a", /* Premium */
	    "bd71fdf6da97e4cf62d1647add2581b07d79adf8397eb4ecba9c5e8488821423", /* Premium ECC */
	};
	struct anchor_limits *table = NULL;

	(void)state;
	assert_int_equal(anchor_limits_new(&table), RES_OK);
	assert_int_equal(anchor_limits_add_builtin(table), RES_OK);
	assert_int_equal(anchor_limits_count(table), 18);
	for (size_t i = 0; i < sizeof roots / sizeof roots[0]; i++) {
		struct cert root = anchor(0, 0);
		const struct anchor_limit *c;

		assert_int_equal(hex_read(root.sha256, 32, span_str(roots[i])), RES_OK);
		c = anchor_limits_find(table, &root);
		assert_non_null(c);
		assert_int_equal(c->sct_not_after_ms, 1731369599000);
		assert_int_equal(c->not_before_max_ms, 1733011199000);
	}
	anchor_limits_free(table);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lines_are_read),
	    cmocka_unit_test(bad_lines_are_refused),
	    cmocka_unit_test(limits_hold),
	    cmocka_unit_test(builtin_limits_nine_roots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
