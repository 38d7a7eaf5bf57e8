/*
 * test_cert.c - one certificate, field by field: a good one is written here by hand and then changed in one place.
 */
#include "verify/x509/cert.h"
#include "base/text.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX (CERT_BYTES_MAX + 4096)

/* The fields of a certificate as hex; a row replaces some. */
struct fields {
	const char *version, *serial, *algorithm, *issuer, *validity, *subject, *spki, *ids, *extensions;
	const char *outer_algorithm, *signature, *behind;
};

static const struct fields good = {
    .version = "a003020102",
    .serial = "02020080",
    .algorithm = "300a06082a8648ce3d040302",
    .issuer = "300c310a300806035504030c0161",
    .validity = "301e170d3236303130313030303030305a170d3236303430313030303030305a",
    .subject = "3000",
    .spki = "30083003060103030100",
    .ids = "",
    .extensions = "a30a3008300606012a040101",
    .outer_algorithm = "300a06082a8648ce3d040302",
    .signature = "03020001",
    .behind = "",
};

static void
hex_put(struct buf *out, const char *hex)
{
	size_t n = strlen(hex) / 2;
	uint8_t *room = buf_room(out, n + 1);

	assert_non_null(room);
	assert_int_equal(hex_read(room, n, span_str(hex)), RES_OK);
	buf_added(out, n);
}

static void
certificate(struct buf *out, const struct fields *f)
{
	struct buf tbs = buf_max(MAX), body = buf_max(MAX);
	const char *const fields[] = {
	    f->version, f->serial, f->algorithm, f->issuer, f->validity, f->subject, f->spki, f->ids, f->extensions,
	};

	for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++)
		hex_put(&tbs, fields[i]);
	der_header(&body, DER_SEQUENCE, tbs.n);
	buf_put(&body, buf_span(&tbs));
	hex_put(&body, f->outer_algorithm);
	hex_put(&body, f->signature);
	*out = buf_max(MAX);
	der_header(out, DER_SEQUENCE, body.n);
	buf_put(out, buf_span(&body));
	hex_put(out, f->behind);
	buf_free(&tbs);
	buf_free(&body);
}

static void
a_good_certificate_is_read(void **state)
{
	struct buf der;
	struct cert c;
	int64_t ms;

	(void)state;
	certificate(&der, &good);
	assert_int_equal(cert_read(&c, buf_span(&der)), RES_OK);
	assert_int_equal(c.version, 3);
	assert_int_equal(c.serial.n, 2); /* the leading 00 is kept */
	assert_true(cert_subject_is_empty(&c));
	assert_int_equal(c.n_ext, 1);
	assert_false(c.ext[0].critical);
	assert_non_null(cert_ext_find(&c, span_of("\x2a", 1)));
	assert_null(cert_ext_find(&c, span_of("\x2b", 1)));
	assert_int_equal(c.signature.n, 1);
	assert_int_equal(time_read(&ms, "2026-01-01T00:00:00Z"), RES_OK);
	assert_int_equal(c.not_before_ms, ms);
	assert_int_equal(time_read(&ms, "2026-04-01T00:00:00Z"), RES_OK);
	assert_int_equal(c.not_after_ms, ms);
	/* every prefix is malformed */
	for (size_t n = 0; n < der.n; n++)
		assert_int_equal(cert_read(&c, span_slice(buf_span(&der), 0, n)), RES_MALFORMED);
	buf_free(&der);
}

#define WITH(field, hex, outcome)                                                                                      \
	{                                                                                                              \
		.where = #field, .at = offsetof(struct fields, field), .value = (hex), .res = (outcome)                \
	}

static void
each_field_is_strict(void **state)
{
	static const struct {
		const char *where;
		size_t at;
		const char *value;
		enum res res;
	} rows[] = {
	    WITH(version, "a003020101", RES_MALFORMED), /* version 2 has no extensions */
	    WITH(version, "a003020103", RES_MALFORMED), /* version 4 */
	    WITH(version, "a003020100", RES_MALFORMED), /* DEFAULT v1 is not encoded */
	    WITH(version, "", RES_MALFORMED),           /* version 1 has no extensions */
	    WITH(version, "a00402010205", RES_MALFORMED),
	    WITH(serial, "0200", RES_MALFORMED),
	    WITH(serial, "02020001", RES_MALFORMED), /* not minimal */
	    WITH(serial, "0201ff", RES_OK),          /* negative: form of a serial number */
	    WITH(serial, "040101", RES_MALFORMED),
	    WITH(algorithm, "300a06082a8648ce3d040303", RES_MALFORMED), /* another than the outer one (RFC 5280, 4.1.1.2) */
	    WITH(outer_algorithm, "300a06082a8648ce3d040303", RES_MALFORMED),
	    WITH(outer_algorithm, "3000", RES_MALFORMED),
	    WITH(issuer, "3100", RES_MALFORMED),
	    WITH(issuer, "", RES_MALFORMED),
	    WITH(subject, "", RES_MALFORMED),
	    WITH(spki, "", RES_MALFORMED),
	    WITH(ids, "8102000182020001", RES_OK), /* both unique identifiers */
	    WITH(ids, "8202000181020001", RES_MALFORMED),
	    WITH(extensions, "", RES_OK),
	    WITH(extensions, "a3023000", RES_MALFORMED),                                         /* SIZE (1..MAX) */
	    WITH(extensions, "a3123010300606012a040101300606012a040102", RES_MALFORMED),         /* twice */
	    WITH(extensions, "a3123010300606012a040101300606012b040102", RES_OK),
	    WITH(extensions, "a30d300b300906012a0101ff040101", RES_OK),                          /* critical */
	    WITH(extensions, "a30d300b300906012a010100040101", RES_MALFORMED),                   /* DEFAULT FALSE */
	    WITH(extensions, "a30d300b300906012a010101040101", RES_MALFORMED),                   /* a BOOLEAN of 1 */
	    WITH(extensions, "a30c300a300806012a0401010500", RES_MALFORMED),                     /* something after */
	    WITH(extensions, "a30a3008300606012a0401010500", RES_MALFORMED),                     /* after [3] */
	    WITH(signature, "03020101", RES_MALFORMED), /* unused bits */
	    WITH(signature, "030100", RES_MALFORMED),   /* empty */
	    WITH(signature, "040101", RES_MALFORMED),
	    WITH(behind, "00", RES_MALFORMED),
	    /* dates (RFC 5280, 4.1.2.5) */
	    WITH(validity, "301e170d3439313233313233353935395a170d3530303130313030303030305a", RES_OK), /* 2049, 1950 */
	    WITH(validity, "3020170d3236303130313030303030305a180f32303530303130313030303030305a", RES_OK),
	    WITH(validity, "301e170d3236303133323030303030305a170d3236303430313030303030305a", RES_MALFORMED), /* day 32 */
	    WITH(validity, "301e170d3236303133313234303030305a170d3236303430313030303030305a", RES_MALFORMED), /* 24 h */
	    WITH(validity, "301c170b323630313031303030305a170d3236303430313030303030305a", RES_MALFORMED), /* no seconds */
	    WITH(validity, "3022171132363031303130303030303030302b30305a170d3236303430313030303030305a", RES_MALFORMED),
	    WITH(validity, "3020180f32303236303130313030303030305a170d3236303430313030303030305a", RES_OK),
	    WITH(validity, "300f170d3236303130313030303030305a", RES_MALFORMED),
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fields f = good;
		struct buf der;
		struct cert c;
		enum res r;

		memcpy((char *)&f + rows[i].at, &rows[i].value, sizeof rows[i].value);
		certificate(&der, &f);
		r = cert_read(&c, buf_span(&der));
		if (r != rows[i].res)
			fail_msg("%s = %s: %s", rows[i].where, rows[i].value, res_text(r));
		buf_free(&der);
	}
}

static void
sizes_are_bounded(void **state)
{
	struct buf list = buf_max(MAX), hex = buf_max(4 * MAX), der;
	struct fields f = good;
	struct cert c;

	(void)state;
	for (size_t n = CERT_EXTENSIONS_MAX; n <= CERT_EXTENSIONS_MAX + 1; n++) {
		char ext[16384] = "", *at = ext;

		for (size_t i = 0; i < n; i++) {
			static const char shape[] = "30060601??040101";

			memcpy(at, shape, sizeof shape);
			at[8] = "0123456789abcdef"[i / 16];
			at[9] = "0123456789abcdef"[i % 16];
			at += sizeof shape - 1;
		}
		buf_clear(&list);
		buf_clear(&hex);
		der_header(&list, DER_CONTEXT_CONS(3), n * 8 + 4);
		der_header(&list, DER_SEQUENCE, n * 8);
		for (size_t i = 0; i < list.n; i++)
			buf_format(&hex, "%02x", list.p[i]);
		buf_text(&hex, ext);
		f.extensions = buf_cstr(&hex);
		certificate(&der, &f);
		assert_int_equal(cert_read(&c, buf_span(&der)), n <= CERT_EXTENSIONS_MAX ? RES_OK : RES_LIMIT);
		buf_free(&der);
	}
	der = buf_max(CERT_BYTES_MAX + 1);
	assert_non_null(buf_room(&der, CERT_BYTES_MAX + 1));
	memset(der.p, 0, CERT_BYTES_MAX + 1);
	assert_int_equal(cert_read(&c, span_of(der.p, CERT_BYTES_MAX + 1)), RES_LIMIT);
	assert_int_equal(cert_read(&c, span_of(der.p, CERT_BYTES_MAX)), RES_MALFORMED);
	buf_free(&der);
	buf_free(&list);
	buf_free(&hex);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_good_certificate_is_read),
	    cmocka_unit_test(each_field_is_strict),
	    cmocka_unit_test(sizes_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
