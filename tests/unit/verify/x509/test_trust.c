#include "tests/unit/verify/forged.h"
#include "verify/x509/pem.h"
#include "verify/x509/trust.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
pem_is_found_in_text(void **state)
{
	static const struct {
		const char *what;
		const char *text;
		enum res res;
		const char *content;
	} rows[] = {
	    {"a block", "-----BEGIN X-----\nYWJj\n-----END X-----\n", RES_OK, "abc"},
	    {"text around it", "hello\n-----BEGIN X-----\nYWJj\n-----END X-----\nbye", RES_OK, "abc"},
	    {"CR LF and blanks", "-----BEGIN X-----\r\n YW\r\n\tJj\r\n-----END X-----", RES_OK, "abc"},
	    {"another label first", "-----BEGIN Y-----\nZGVm\n-----END Y-----\n-----BEGIN X-----\nYWJj\n-----END X-----", RES_OK, "abc"},
	    {"nothing", "", RES_NOT_FOUND, ""},
	    {"another label only", "-----BEGIN Y-----\nYWJj\n-----END Y-----\n", RES_NOT_FOUND, ""},
	    {"dashes", "--------------------", RES_NOT_FOUND, ""},
	    {"no end", "-----BEGIN X-----\nYWJj\n", RES_MALFORMED, ""},
	    {"another end", "-----BEGIN X-----\nYWJj\n-----END Y-----\n", RES_MALFORMED, ""},
	    {"not base64", "-----BEGIN X-----\nYW!j\n-----END X-----\n", RES_MALFORMED, ""},
	    {"a block over the limit of the caller", "-----BEGIN X-----\nYWJjZGVmZ2hp\n-----END X-----\n", RES_LIMIT, ""},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf out = buf_max(6);
		struct span text = span_str(rows[i].text);
		enum res r = pem_next(&out, &text, "X");

		if (r != rows[i].res || (r == RES_OK && !span_equal(buf_span(&out), span_str(rows[i].content))))
			fail_msg("%s: %s", rows[i].what, res_text(r));
		buf_free(&out);
	}
}

static void
anchors_are_found_by_subject(void **state)
{
	static const enum ca_id ids[] = {CA_ROOT, CA_FINA_ROOT, CA_FALSE_ROOT, CA_STRANGER_ROOT, CA_ISSUING, CA_ROOT};
	struct forged f;
	struct trust *t;
	char *why = NULL;
	size_t first = 0;

	(void)state;
	forged_begin(&f);
	for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++)
		forged_anchor(&f, ids[i]);
	assert_int_equal(trust_from_pem(&t, buf_span(&f.anchors), &why), RES_OK);
	assert_int_equal(trust_count(t), 5); /* the twin is kept once */
	for (size_t i = 0; i < trust_count(t); i++) {
		size_t n = trust_find(t, trust_at(t, i)->subject, &first);

		assert_true(i >= first && i < first + n);
	}
	/* CA_FALSE_ROOT has another key and the name of CA_ROOT */
	forged_put_ca(&f, CA_ISSUING);
	{
		struct cert c;

		assert_int_equal(cert_read(&c, f.certs[0]), RES_OK);
		assert_int_equal(trust_find(t, c.issuer, &first), 2);
		assert_int_equal(trust_find(t, c.spki, &first), 0);
	}
	assert_int_equal(trust_add_pem(t, buf_span(&f.anchors), &why), RES_OK);
	assert_int_equal(trust_count(t), 5);
	assert_null(trust_at(t, 5));
	trust_free(t);
	forged_end(&f);
}

static void
bad_files_say_why(void **state)
{
	static const struct {
		const char *what;
		const char *text;
		enum res res;
	} rows[] = {
	    {"T29 an empty file", "", RES_NOT_FOUND},
	    {"a file without certificates", "-----BEGIN X-----\nYWJj\n-----END X-----\n", RES_NOT_FOUND},
	    {"an invalid certificate", "-----BEGIN CERTIFICATE-----\nYWJj\n-----END CERTIFICATE-----\n", RES_MALFORMED},
	    {"a certificate without its end", "-----BEGIN CERTIFICATE-----\nYWJj\n", RES_MALFORMED},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct trust *t = NULL;
		char *why = NULL;

		if (trust_from_pem(&t, span_str(rows[i].text), &why) != rows[i].res || t != NULL || why == NULL)
			fail_msg("%s: %s", rows[i].what, why == NULL ? "-" : why);
		free(why);
	}
	trust_free(NULL);
	assert_int_equal(trust_count(NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(pem_is_found_in_text),
	    cmocka_unit_test(anchors_are_found_by_subject),
	    cmocka_unit_test(bad_files_say_why),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
