/*
 * test_crlscope.c - the reasons for which a CRL is asked: ReasonFlags of the list and of a certificate's points.
 */
#include "verify/revocation/crlscope.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* Contents of a ReasonFlags: flag 1 is 0x40 of the first octet, flag 8 is 0x80 of the second. */
static const struct row {
	const char *what;
	struct span flags;
	bool read;
	unsigned reasons;
} rows[] = {
    {"keyCompromise", OID("\x06\x40"), true, 1u << 1},
    {"all", OID("\x07\x7f\x80"), true, CRL_REASONS_ALL},
    {"the flag that is not used", OID("\x07\x80"), true, 0},
    {"none", OID("\x00"), true, 0},
    {"flags after the last one that has a name", OID("\x00\x00\x7f"), true, 0},
    {"a flag among the unused bits", OID("\x06\x60"), false, 0},
    {"all flags, all of the first octet unused but one", OID("\x07\x7f"), false, 0},
    {"a flag among the unused bits of the second octet", OID("\x07\x40\xc0"), false, 0},
    {"eight unused bits", OID("\x08\x40"), false, 0},
    {"unused bits of no octet", OID("\x01"), false, 0},
    {"no count of unused bits", OID(""), false, 0},
};

static void
lists_name_their_reasons(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		uint8_t value[16] = {0x30, (uint8_t)(rows[i].flags.n + 2), 0x83, (uint8_t)rows[i].flags.n};
		struct crl_scope scope;
		enum res want = rows[i].read ? RES_OK : RES_MALFORMED;

		memcpy(value + 4, rows[i].flags.p, rows[i].flags.n);
		if (crl_scope_read(&scope, span_of(value, rows[i].flags.n + 4), OID("\x30\x00")) != want ||
		    (rows[i].read && scope.reasons != rows[i].reasons))
			fail_msg("%s", rows[i].what);
	}
}

/* A point whose reasons cannot be read is no reference to the list. */
static void
points_of_certificates_name_their_reasons(void **state)
{
	static const char point[] = "\xa0\x05\xa0\x03\x86\x01" "a";
	const size_t n_point = sizeof point - 1;
	struct crl_scope scope;

	(void)state;
	assert_int_equal(crl_scope_read(&scope, OID("\x30\x07\xa0\x05\xa0\x03\x86\x01" "a"), OID("\x30\x00")), RES_OK);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const size_t n_flags = rows[i].flags.n, n = n_point + 2 + n_flags;
		uint8_t value[32] = {0x30, (uint8_t)(n + 2), 0x30, (uint8_t)n};
		struct cert c = {.issuer = OID("\x30\x00"), .n_ext = 1};

		memcpy(value + 4, point, n_point);
		value[4 + n_point] = 0x81;
		value[5 + n_point] = (uint8_t)n_flags;
		memcpy(value + 6 + n_point, rows[i].flags.p, n_flags);
		c.ext[0] = (struct cert_ext){OID_CRL_DISTRIBUTION, false, span_of(value, n + 4)};
		if (crl_scope_reasons(&scope, &c) != rows[i].reasons)
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_name_their_reasons),
	    cmocka_unit_test(points_of_certificates_name_their_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
