#include "contrib/lab/scenarios/site.h"
#include "tests/unit/verify/forged.h"
#include "verify/x509/anchor_tidy.h"
#include "verify/x509/der.h"
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
forged_write(struct buf *out, const char *label, struct span cert, bool rejects)
{
	/* OpenSSL's X509_CERT_AUX: rejected for TLS servers */
	static const uint8_t settings[] = {0x30, 12, 0xa0, 10, 0x06, 8, 0x2b, 6, 1, 5, 5, 7, 3, 1};
	struct buf der = buf_max(1 << 16);

	buf_put(&der, cert);
	if (rejects)
		buf_put(&der, span_of(settings, sizeof settings));
	lab_pem_write(out, label, buf_span(&der));
	buf_free(&der);
}

/* A certificate that is rejected once is not an anchor, in any order and however often it comes, and its neighbours are.
 * Each of three roots is the rejected one in turn, as anchors are sorted by name. */
static void
a_rejected_certificate_is_no_anchor(void **state)
{
	static const struct {
		const char *what, *blocks; /* R: the root, marked as rejected; r: the root without that mark; o, p: others */
		size_t anchors;
	} rows[] = {
	    {"two others", "op", 2},
	    {"rejected before it is read", "Ror", 1},
	    {"rejected after it was read", "orpR", 2},
	    {"rejected twice", "RopR", 2},
	    {"rejected twice, and read in between", "RorpR", 2},
	};
	struct forged f;

	(void)state;
	forged_begin(&f);
	forged_put_ca(&f, CA_ROOT);
	forged_put_ca(&f, CA_FINA_ROOT);
	forged_put_ca(&f, CA_STRANGER_ROOT);
	for (size_t i = 0; i < 3 * (sizeof rows / sizeof rows[0]); i++) {
		const struct span *root = &f.certs[i % 3], *o = &f.certs[(i + 1) % 3], *p = &f.certs[(i + 2) % 3];
		const char *blocks = rows[i / 3].blocks;
		struct buf pem = buf_max(1 << 20);
		struct trust *t;
		char *why = NULL;

		for (const char *b = blocks; *b != '\0'; b++)
			forged_write(&pem, *b == 'R' ? "TRUSTED CERTIFICATE" : "CERTIFICATE",
				     *b == 'o'	 ? *o
				     : *b == 'p' ? *p
						 : *root,
				     *b == 'R');
		assert_int_equal(trust_from_pem(&t, buf_span(&pem), &why), RES_OK);
		if (trust_count(t) != rows[i / 3].anchors)
			fail_msg("%s: %zu anchors", rows[i / 3].what, trust_count(t));
		for (size_t k = 0; k < trust_count(t); k++)
			assert_false(span_equal(trust_at(t, k)->der, *root));
		trust_free(t);
		buf_free(&pem);
	}
	forged_end(&f);
}

static void
bad_files_are_explained(void **state)
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

/* ---- a length that needs more or fewer octets after its contents have changed */

static void
element_put(struct buf *b, uint8_t id, const uint8_t *body, size_t n)
{
	der_header(b, id, n);
	buf_put(b, span_of(body, n));
}

/* SEQUENCE { SEQUENCE { what, OCTET STRING of n octets } } */
static struct buf
two_sequences(uint8_t id, const char *what, size_t what_n, size_t n)
{
	static const uint8_t filler[256];
	struct buf body = buf_max(1024), middle = buf_max(1024), out = buf_max(1024);

	element_put(&body, id, (const uint8_t *)what, what_n);
	element_put(&body, DER_OCTET_STRING, filler, n);
	element_put(&middle, DER_SEQUENCE, body.p, body.n);
	element_put(&out, DER_SEQUENCE, middle.p, middle.n);
	buf_free(&body);
	buf_free(&middle);
	return out;
}

static void
lengths_fit_their_changed_contents(void **state)
{
	(void)state;
	for (size_t n = 90; n < 256; n++) {
		struct buf loose_time = two_sequences(DER_UTC_TIME, "2601010000Z", 11, n);
		struct buf time = two_sequences(DER_UTC_TIME, "260101000000Z", 13, n);
		struct buf loose_number = two_sequences(DER_INTEGER, "\0\0\0\x05", 4, n);
		struct buf number = two_sequences(DER_INTEGER, "\x05", 1, n);
		struct buf out = buf_max(1024);

		assert_int_equal(anchor_tidy(&out, buf_span(&loose_time)), RES_OK);
		assert_true(span_equal(buf_span(&out), buf_span(&time)));
		buf_clear(&out);
		assert_int_equal(anchor_tidy(&out, buf_span(&loose_number)), RES_OK);
		assert_true(span_equal(buf_span(&out), buf_span(&number)));
		buf_free(&loose_time);
		buf_free(&time);
		buf_free(&loose_number);
		buf_free(&number);
		buf_free(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lengths_fit_their_changed_contents),
	    cmocka_unit_test(pem_is_found_in_text),
	    cmocka_unit_test(anchors_are_found_by_subject),
	    cmocka_unit_test(a_rejected_certificate_is_no_anchor),
	    cmocka_unit_test(bad_files_are_explained),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
