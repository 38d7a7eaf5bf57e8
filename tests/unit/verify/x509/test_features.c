/*
 * test_features.c - TLS features (RFC 7633): what a certificate demands, and what its issuer makes it demand.
 */
#include "verify/x509/features.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define FIVE      "\x02\x01\x05"
#define SEVENTEEN "\x02\x01\x11"
#define EIGHT     FIVE FIVE FIVE FIVE FIVE FIVE FIVE FIVE

static const struct span absent = {NULL, 0};

static struct cert
cert_of(struct span value)
{
	struct cert c = {.n_ext = value.p != NULL};

	c.ext[0] = (struct cert_ext){OID_TLS_FEATURE, false, value};
	return c;
}

static void
features_are_read(void **state)
{
	const struct {
		const char *what;
		struct span value;
		enum res res;
		size_t n;
		bool five;
	} rows[] = {
	    {"no extension", absent, RES_OK, 0, false},
	    {"none", OID("\x30\x00"), RES_OK, 0, false},
	    {"status_request", OID("\x30\x03" FIVE), RES_OK, 1, true},
	    {"status_request_v2", OID("\x30\x03" SEVENTEEN), RES_OK, 1, false},
	    {"both", OID("\x30\x06" SEVENTEEN FIVE), RES_OK, 2, true},
	    {"a number of five octets", OID("\x30\x0a\x02\x05\x01\x00\x00\x00\x00" FIVE), RES_OK, 2, true},
	    {"as many as are read", OID("\x30\x30" EIGHT EIGHT), RES_OK, FEATURES_MAX, true},
	    {"one more", OID("\x30\x33" EIGHT EIGHT FIVE), RES_LIMIT, 0, false},
	    {"a number with a zero in front", OID("\x30\x04\x02\x02\x00\x05"), RES_MALFORMED, 0, false},
	    {"a negative number", OID("\x30\x03\x02\x01\xfb"), RES_MALFORMED, 0, false},
	    {"no number", OID("\x30\x03\x04\x01\x05"), RES_MALFORMED, 0, false},
	    {"something after the first", OID("\x30\x05" FIVE "\x05\x00"), RES_MALFORMED, 0, false},
	    {"a byte after", OID("\x30\x03" FIVE "\x00"), RES_MALFORMED, 0, false},
	    {"no list", OID(FIVE), RES_MALFORMED, 0, false},
	    {"nothing", OID(""), RES_MALFORMED, 0, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert c = cert_of(rows[i].value);
		struct features f = {.n = 1};

		if (features_read(&f, &c) != rows[i].res || f.n != rows[i].n ||
		    features_has(&f, OID("\x05")) != rows[i].five)
			fail_msg("%s", rows[i].what);
	}
}

static void
a_certificate_demands_what_its_issuer_demands(void **state)
{
	const struct {
		const char *what;
		struct span ca, below;
		bool fine;
	} rows[] = {
	    {"nobody demands anything", absent, absent, true},
	    {"the certificate alone", absent, OID("\x30\x03" FIVE), true},
	    {"the issuer alone", OID("\x30\x03" FIVE), absent, false},
	    {"both the same", OID("\x30\x03" FIVE), OID("\x30\x03" FIVE), true},
	    {"the certificate more", OID("\x30\x03" FIVE), OID("\x30\x06" SEVENTEEN FIVE), true},
	    {"the issuer more", OID("\x30\x06" FIVE SEVENTEEN), OID("\x30\x03" FIVE), false},
	    {"the certificate another", OID("\x30\x03" FIVE), OID("\x30\x03" SEVENTEEN), false},
	    {"the same in another order", OID("\x30\x06" FIVE SEVENTEEN), OID("\x30\x06" SEVENTEEN FIVE), true},
	    {"an issuer with an empty list", OID("\x30\x00"), absent, true},
	    {"a certificate with an empty list", OID("\x30\x03" FIVE), OID("\x30\x00"), false},
	    {"an issuer that cannot be read", OID("\x30\x03\x04\x01\x05"), OID("\x30\x03" FIVE), false},
	    {"a certificate that cannot be read", OID("\x30\x03" FIVE), OID("\x30\x05" FIVE "\x05\x00"), false},
	    {"an issuer with too many", OID("\x30\x33" EIGHT EIGHT FIVE), OID("\x30\x03" FIVE), false},
	    {"a certificate with too many", OID("\x30\x03" FIVE), OID("\x30\x33" EIGHT EIGHT FIVE), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert ca = cert_of(rows[i].ca), below = cert_of(rows[i].below);

		if ((features_fault(&ca, &below) == NULL) != rows[i].fine)
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(features_are_read),
	    cmocka_unit_test(a_certificate_demands_what_its_issuer_demands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
