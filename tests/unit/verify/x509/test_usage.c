#include "verify/x509/usage.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void
extensions_are_read(void **state)
{
	static const struct {
		const char *what;
		int which; /* 0 basicConstraints, 1 keyUsage, 2 extKeyUsage */
		const char *value;
		size_t n;
		enum res res;
	} rows[] = {
	    {"CA:FALSE by default", 0, "\x30\x00", 2, RES_OK},
	    {"an explicit CA:FALSE is tolerated", 0, "\x30\x03\x01\x01\x00", 5, RES_OK},
	    {"CA:TRUE and a path length", 0, "\x30\x06\x01\x01\xff\x02\x01\x03", 8, RES_OK},
	    {"a BOOLEAN of 1", 0, "\x30\x03\x01\x01\x01", 5, RES_MALFORMED},
	    {"a negative path length", 0, "\x30\x06\x01\x01\xff\x02\x01\xff", 8, RES_MALFORMED},
	    {"something after", 0, "\x30\x05\x01\x01\xff\x05\x00", 7, RES_MALFORMED},
	    {"not a SEQUENCE", 0, "\x04\x00", 2, RES_MALFORMED},
	    {"digitalSignature", 1, "\x03\x02\x07\x80", 4, RES_OK},
	    {"decipherOnly in a second octet", 1, "\x03\x03\x07\x00\x80", 5, RES_OK},
	    {"no bits", 1, "\x03\x01\x00", 3, RES_OK},
	    {"unused bits of no octet", 1, "\x03\x01\x01", 3, RES_MALFORMED},
	    {"eight unused bits", 1, "\x03\x02\x08\x80", 4, RES_MALFORMED},
	    {"keyCertSign among the unused bits", 1, "\x03\x02\x07\x84", 4, RES_MALFORMED},
	    {"an unused bit of the second octet", 1, "\x03\x03\x07\x00\xc0", 5, RES_MALFORMED},
	    {"a named bit of zero at the end", 1, "\x03\x03\x07\x06\x00", 5, RES_OK},
	    {"an empty BIT STRING", 1, "\x03\x00", 2, RES_MALFORMED},
	    {"a byte after", 1, "\x03\x02\x07\x80\x00", 5, RES_MALFORMED},
	    {"serverAuth", 2, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01", 12, RES_OK},
	    {"an empty list of purposes", 2, "\x30\x00", 2, RES_MALFORMED},
	    {"not an OID", 2, "\x30\x02\x05\x00", 4, RES_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct span oids[] = {OID_BASIC_CONSTRAINTS, OID_KEY_USAGE, OID_EXTENDED_KEY_USAGE};
		struct cert c = {.n_ext = 1};
		struct usage u;

		c.ext[0] = (struct cert_ext){oids[rows[i].which], true, span_of(rows[i].value, rows[i].n)};
		if (usage_read(&u, &c) != rows[i].res)
			fail_msg("%s", rows[i].what);
	}
}

static void
extensions_have_the_right_values(void **state)
{
	struct cert c = {.n_ext = 3};
	struct usage u;

	(void)state;
	c.ext[0] = (struct cert_ext){OID_BASIC_CONSTRAINTS, true, span_of("\x30\x06\x01\x01\xff\x02\x01\x03", 8)};
	c.ext[1] = (struct cert_ext){OID_KEY_USAGE, true, span_of("\x03\x02\x01\x06", 4)};
	c.ext[2] = (struct cert_ext){OID_EXTENDED_KEY_USAGE, false, span_of("\x30\x06\x06\x04\x55\x1d\x25\x00", 8)};
	assert_int_equal(usage_read(&u, &c), RES_OK);
	assert_true(u.has_basic && u.ca && u.has_path_len && u.path_len == 3);
	assert_true(u.has_key_usage && u.key_usage == (USAGE_KEY_CERT_SIGN | USAGE_CRL_SIGN));
	assert_true(u.has_purposes && u.any_purpose && !u.server_auth);
	assert_null(usage_ca_fault(&u, 3));
	assert_null(usage_purpose_fault(&u));
	assert_non_null(usage_server_fault(&u));
	assert_non_null(usage_ca_fault(&u, 1));
}

#define SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"

/* Baseline Requirements, 7.1.2.7.10: purposes that are not allowed together with serverAuth. */
static void
a_server_certificate_has_no_other_purpose(void **state)
{
	static const struct {
		const char *what;
		const char *basic;
		size_t n_basic;
		const char *purposes;
		size_t n;
		bool fine;
	} rows[] = {
	    {"serverAuth", "\x30\x00", 2, "\x30\x0a" SERVER, 12, true},
	    {"and clientAuth", "\x30\x00", 2, "\x30\x14" SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x02", 22, true},
	    {"and something unknown", "\x30\x00", 2, "\x30\x0e" SERVER "\x06\x02\x2a\x03", 16, true},
	    {"and codeSigning", "\x30\x00", 2, "\x30\x14" SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x03", 22, false},
	    {"and emailProtection", "\x30\x00", 2, "\x30\x14" SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x04", 22, false},
	    {"and timeStamping", "\x30\x00", 2, "\x30\x14" SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x08", 22, false},
	    {"and OCSPSigning", "\x30\x00", 2, "\x30\x14" SERVER "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x09", 22, false},
	    {"server authentication and the signing of precertificates", "\x30\x00", 2,
	        "\x30\x16" SERVER "\x06\x0a\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x04", 24, false},
	    {"and any purpose", "\x30\x00", 2, "\x30\x10" SERVER "\x06\x04\x55\x1d\x25\x00", 18, false},
	    {"a path length, and no CA", "\x30\x03\x02\x01\x00", 5, "\x30\x0a" SERVER, 12, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert c = {.n_ext = 2};
		struct usage u;

		c.ext[0] = (struct cert_ext){OID_BASIC_CONSTRAINTS, true, span_of(rows[i].basic, rows[i].n_basic)};
		c.ext[1] = (struct cert_ext){OID_EXTENDED_KEY_USAGE, false, span_of(rows[i].purposes, rows[i].n)};
		assert_int_equal(usage_read(&u, &c), RES_OK);
		if ((usage_server_fault(&u) == NULL) != rows[i].fine)
			fail_msg("%s", rows[i].what);
		assert_null(usage_purpose_fault(&u)); /* this is checked for servers, not for CAs */
	}
}

static void
a_server_signs_with_its_key(void **state)
{
	static const struct {
		const char *what;
		uint8_t bits;
		bool fine;
	} rows[] = {
	    {"digitalSignature", 0x80, true},
	    {"and keyEncipherment", 0xa0, true},
	    {"and keyAgreement", 0x88, true},
	    {"keyEncipherment", 0x20, false},
	    {"keyAgreement", 0x08, false},
	    {"keyEncipherment and keyAgreement", 0x28, false},
	    {"nonRepudiation", 0x40, false},
	    {"cRLSign", 0x02, false},
	    {"digitalSignature and keyCertSign", 0x84, false},
	    {"nothing", 0, false},
	};
	struct usage u = {.has_purposes = true, .server_auth = true};

	(void)state;
	assert_null(usage_server_fault(&u)); /* without the extension any use is allowed */
	u.has_key_usage = true;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		u.key_usage = rows[i].bits;
		if ((usage_server_fault(&u) == NULL) != rows[i].fine)
			fail_msg("%s", rows[i].what);
	}
}

static void
unknown_critical_extensions_are_found(void **state)
{
	static const char poison[] = "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03";
	struct cert c = {.n_ext = 2};

	(void)state;
	c.ext[0] = (struct cert_ext){OID_SCT_LIST, true, span_of("\x04\x02\x00\x00", 4)};
	c.ext[1] = (struct cert_ext){span_str(poison), false, span_str("")};
	assert_null(usage_unknown_critical(&c));
	c.ext[1].critical = true;
	assert_ptr_equal(usage_unknown_critical(&c), &c.ext[1]);
	c.ext[1].oid = OID_AUTHORITY_KEY_ID; /* RFC 5280, 4.2.1.1: never critical */
	assert_ptr_equal(usage_unknown_critical(&c), &c.ext[1]);
	c.ext[1].oid = OID_NAME_CONSTRAINTS;
	c.ext[1].value = OID("\x30\x0a\xa0\x08\x30\x06\x87\x04\x0a\x00\x00\x01");
	assert_null(usage_unknown_critical(&c));
}

/* Known critical extensions: the contents that each must have to be processed. */
static void
critical_means_understood(void **state)
{
#define CPS    "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x01"
#define NOTICE "\x06\x08\x2b\x06\x01\x05\x05\x07\x02\x02"
	const struct {
		const char *what;
		struct span oid, value;
		bool understood;
	} rows[] = {
	    {"a policy", OID_POLICIES, OID("\x30\x06\x30\x04\x06\x02\x2a\x03"), true},
	    {"a policy with a CPS", OID_POLICIES,
	     OID("\x30\x17\x30\x15\x06\x02\x2a\x03\x30\x0f\x30\x0d" CPS "\x16\x01" "a"), true},
	    {"a policy with a notice", OID_POLICIES,
	     OID("\x30\x16\x30\x14\x06\x02\x2a\x03\x30\x0e\x30\x0c" NOTICE "\x30\x00"), true},
	    {"a policy with an unknown qualifier", OID_POLICIES,
	     OID("\x30\x10\x30\x0e\x06\x02\x2a\x03\x30\x08\x30\x06\x06\x02\x2a\x04\x05\x00"), false},
	    {"a policy with an empty list of qualifiers", OID_POLICIES,
	     OID("\x30\x08\x30\x06\x06\x02\x2a\x03\x30\x00"), false},
	    {"a policy twice", OID_POLICIES, OID("\x30\x0c\x30\x04\x06\x02\x2a\x03\x30\x04\x06\x02\x2a\x03"), false},
	    {"no policy", OID_POLICIES, OID("\x30\x00"), false},
	    {"bytes after the policies", OID_POLICIES, OID("\x30\x06\x30\x04\x06\x02\x2a\x03\x00"), false},
	    {"a key usage", OID_KEY_USAGE, OID("\x03\x02\x07\x80"), true},
	    {"a key usage without a bit", OID_KEY_USAGE, OID("\x03\x01\x00"), false},
	    {"a key usage of zeros", OID_KEY_USAGE, OID("\x03\x02\x07\x00"), false},
	    {"a key usage with an unused bit", OID_KEY_USAGE, OID("\x03\x02\x07\x84"), false},
	    {"a key usage and a byte", OID_KEY_USAGE, OID("\x03\x02\x07\x80\x00"), false},
	    {"a purpose", OID_EXTENDED_KEY_USAGE, OID("\x30\x04\x06\x02\x2a\x03"), true},
	    {"no purpose", OID_EXTENDED_KEY_USAGE, OID("\x30\x00"), false},
	    {"basic constraints", OID_BASIC_CONSTRAINTS, OID("\x30\x03\x01\x01\xff"), true},
	    {"basic constraints with more", OID_BASIC_CONSTRAINTS, OID("\x30\x05\x01\x01\xff\x05\x00"), false},
	    {"a name of a kind that is never compared", OID_SUBJECT_ALT_NAME, OID("\x30\x04\x88\x02\x2a\x03"), true},
	    {"a name of an undefined kind", OID_SUBJECT_ALT_NAME, OID("\x30\x03\x89\x01\x2a"), false},
	    {"no name", OID_SUBJECT_ALT_NAME, OID("\x30\x00"), false},
	    {"an issuer's name", OID_ISSUER_ALT_NAME, OID("\x30\x03\x82\x01" "a"), true},
	    {"bytes after an issuer's name", OID_ISSUER_ALT_NAME, OID("\x30\x03\x82\x01" "a\x05\x00"), false},
	    {"permitted names", OID_NAME_CONSTRAINTS, OID("\x30\x07\xa0\x05\x30\x03\x82\x01" "a"), true},
	    {"excluded names", OID_NAME_CONSTRAINTS, OID("\x30\x07\xa1\x05\x30\x03\x82\x01" "a"), true},
	    {"constraints that constrain nothing", OID_NAME_CONSTRAINTS, OID("\x30\x00"), false},
	    {"a list of no names", OID_NAME_CONSTRAINTS, OID("\x30\x02\xa0\x00"), false},
	    {"a subtree with a minimum", OID_NAME_CONSTRAINTS,
	     OID("\x30\x0a\xa0\x08\x30\x06\x82\x01" "a\x80\x01\x01"), false},
	    {"a third list", OID_NAME_CONSTRAINTS, OID("\x30\x07\xa2\x05\x30\x03\x82\x01" "a"), false},
	    {"CRL distribution points", OID_CRL_DISTRIBUTION, OID("\x30\x09\x30\x07\xa0\x05\xa0\x03\x86\x01" "a"), true},
	    {"a point for some reasons", OID_CRL_DISTRIBUTION,
	     OID("\x30\x0d\x30\x0b\xa0\x05\xa0\x03\x86\x01" "a\x81\x02\x05\x60"), true},
	    {"reasons with an unused bit", OID_CRL_DISTRIBUTION,
	     OID("\x30\x0d\x30\x0b\xa0\x05\xa0\x03\x86\x01" "a\x81\x02\x06\x60"), false},
	    {"reasons without their count of unused bits", OID_CRL_DISTRIBUTION,
	     OID("\x30\x0b\x30\x09\xa0\x05\xa0\x03\x86\x01" "a\x81\x00"), false},
	    {"reasons alone", OID_CRL_DISTRIBUTION, OID("\x30\x06\x30\x04\x81\x02\x07\x80"), false},
	    {"a point with an undefined field", OID_CRL_DISTRIBUTION,
	     OID("\x30\x0b\x30\x09\xa0\x05\xa0\x03\x86\x01" "a\x83\x00"), false},
	    {"no point", OID_CRL_DISTRIBUTION, OID("\x30\x00"), false},
	    {"a mapping", OID_POLICY_MAPPINGS, OID("\x30\x0a\x30\x08\x06\x02\x2a\x03\x06\x02\x2a\x04"), true},
	    {"half a mapping", OID_POLICY_MAPPINGS, OID("\x30\x06\x30\x04\x06\x02\x2a\x03"), false},
	    {"no mapping", OID_POLICY_MAPPINGS, OID("\x30\x00"), false},
	    {"certificates to skip", OID_INHIBIT_ANY_POLICY, OID("\x02\x01\x00"), true},
	    {"a negative number of certificates to skip", OID_INHIBIT_ANY_POLICY, OID("\x02\x01\xff"), false},
	    {"a number that is padded", OID_INHIBIT_ANY_POLICY, OID("\x02\x02\x00\x01"), false},
	    {"a feature of TLS", OID_TLS_FEATURE, OID("\x30\x03\x02\x01\x05"), true},
	    {"no feature", OID_TLS_FEATURE, OID("\x30\x00"), false},
	    {"a feature that is not a number", OID_TLS_FEATURE, OID("\x30\x03\x04\x01\x05"), false},
	    {"SCTs", OID_SCT_LIST, OID("\x04\x02\x00\x00"), true},
	    {"SCTs that are not wrapped", OID_SCT_LIST, OID("\x00\x00"), false},
	    {"a key identifier", OID_AUTHORITY_KEY_ID, OID("\x30\x03\x80\x01\x01"), false},
	    {"a subject key identifier", OID_SUBJECT_KEY_ID, OID("\x04\x01\x01"), false},
	    {"authority information", OID_AUTHORITY_INFO, OID("\x30\x09\x30\x07\x06\x02\x2a\x03\x86\x01" "a"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert c = {.n_ext = 1};

		c.ext[0] = (struct cert_ext){rows[i].oid, true, rows[i].value};
		if ((usage_unknown_critical(&c) == NULL) != rows[i].understood)
			fail_msg("%s", rows[i].what);
		c.ext[0].critical = false;
		assert_null(usage_unknown_critical(&c));
	}
}

static void
a_purpose_is_named(void **state)
{
	static const struct {
		const char *what;
		struct span value;
		bool named;
	} rows[] = {
	    {"alone", OID("\x30\x04\x06\x02\x2a\x03"), true},
	    {"after another", OID("\x30\x08\x06\x02\x2a\x04\x06\x02\x2a\x03"), true},
	    {"others", OID("\x30\x04\x06\x02\x2a\x04"), false},
	    {"a longer one", OID("\x30\x05\x06\x03\x2a\x03\x01"), false},
	    {"after an element that is not an OID", OID("\x30\x06\x05\x00\x06\x02\x2a\x03"), false},
	    {"no list", OID("\x06\x02\x2a\x03"), false},
	};
	struct cert c = {.n_ext = 0};

	(void)state;
	assert_false(usage_names_purpose(&c, OID("\x2a\x03")));
	c.n_ext = 1;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		c.ext[0] = (struct cert_ext){OID_EXTENDED_KEY_USAGE, false, rows[i].value};
		if (usage_names_purpose(&c, OID("\x2a\x03")) != rows[i].named)
			fail_msg("%s", rows[i].what);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(extensions_are_read),
	    cmocka_unit_test(extensions_have_the_right_values),
	    cmocka_unit_test(a_server_certificate_has_no_other_purpose),
	    cmocka_unit_test(a_server_signs_with_its_key),
	    cmocka_unit_test(unknown_critical_extensions_are_found),
	    cmocka_unit_test(critical_means_understood),
	    cmocka_unit_test(a_purpose_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
