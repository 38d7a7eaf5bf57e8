/* The TBSCertificate that a log keeps of a precertificate, and the key that signed it. */
#include "verify/ct/precert.h"

#include "tests/unit/verify/forged.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PRECERT_EKU "1.3.6.1.4.1.11129.2.4.4"
#define SIGNING     "C=XX/CN=Precertificates"

/* ---- the TBSCertificate that is kept */

static void
as_it_is(struct forge *f)
{
	(void)f;
}

static void
without_scts(struct forge *f)
{
	f->n_sct = 0;
}

static void
poisoned(struct forge *f)
{
	f->n_sct = 0;
	f->poison = true;
}

static void
poisoned_with_scts(struct forge *f)
{
	f->poison = true;
}

static void
without_any_extension(struct forge *f)
{
	without_scts(f);
	f->san.n = 0;
	f->eku = NULL;
	f->usage = 0;
	f->basic = BASIC_NONE;
	f->no_key_ids = true;
	f->version = 1;
}

static void
kept(struct buf *out, const struct forge *f, const struct cert *signing)
{
	struct buf der = buf_max(FORGE_CERT_MAX);
	struct cert cert;

	forge_certificate(f, world_logs(forged_world()), &der);
	assert_int_equal(cert_read(&cert, buf_span(&der)), RES_OK);
	*out = buf_max(FORGE_CERT_MAX);
	assert_int_equal(precert_tbs(out, &cert, signing), RES_OK);
	buf_free(&der);
}

/* The lab's forge makes the bytes that its logs sign, with code of its own. */
static void
poison_and_scts_are_left_out(void **state)
{
	static const struct {
		const char *what;
		void (*submitted)(struct forge *), (*issued)(struct forge *);
	} rows[] = {
	    {"a certificate with SCTs", as_it_is, as_it_is},
	    {"a certificate without SCTs", without_scts, without_scts},
	    {"a precertificate", poisoned, as_it_is},
	    {"a precertificate with SCTs", poisoned_with_scts, as_it_is},
	    {"a certificate without extensions", without_any_extension, without_any_extension},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf got, want = buf_max(FORGE_CERT_MAX);
		struct forge f;

		forged_leaf(&f, CA_ISSUING);
		rows[i].submitted(&f);
		kept(&got, &f, NULL);
		forge_free(&f);
		forged_leaf(&f, CA_ISSUING);
		rows[i].issued(&f);
		forge_precert_tbs(&f, &want);
		if (!span_equal(buf_span(&got), buf_span(&want)))
			fail_msg("%s: %zu bytes instead of %zu", rows[i].what, got.n, want.n);
		forge_free(&f);
		buf_free(&got);
		buf_free(&want);
	}
}

static bool
has_key_identifier(const struct buf *tbs)
{
	for (size_t i = 0; i + 5 <= tbs->n; i++)
		if (memcmp(tbs->p + i, "\x06\x03\x55\x1d\x23", 5) == 0)
			return true;
	return false;
}

static void
a_signing_certificate_gives_its_issuer_and_key_identifier(void **state)
{
	static const struct {
		const char *what;
		bool signing_has_ids;
	} rows[] = {
	    {"both have an authority key identifier", true},
	    {"the signing certificate has none", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(FORGE_CERT_MAX), got;
		struct forge signing, pre, final;
		struct buf want = buf_max(FORGE_CERT_MAX);
		struct cert cert;

		forged_sub_ca(&signing, SIGNING, "precert-signing", world_ca_name(CA_ISSUING), "ca-issuing");
		signing.eku = PRECERT_EKU;
		signing.no_key_ids = !rows[i].signing_has_ids;
		forge_certificate(&signing, world_logs(forged_world()), &der);
		assert_int_equal(cert_read(&cert, buf_span(&der)), RES_OK);
		assert_true(precert_signing(&cert));

		forged_leaf(&pre, CA_ISSUING);
		poisoned(&pre);
		pre.issuer = SIGNING;
		pre.issuer_key = signing.key;
		kept(&got, &pre, &cert);

		forged_leaf(&final, CA_ISSUING);
		without_scts(&final);
		final.issuer = signing.issuer;
		final.issuer_key = signing.issuer_key;
		forge_precert_tbs(&final, &want);
		/* the forge cannot write a subject key identifier without an authority key identifier */
		if (rows[i].signing_has_ids && !span_equal(buf_span(&got), buf_span(&want)))
			fail_msg("%s: other bytes than the CA's own certificate has", rows[i].what);
		if (!rows[i].signing_has_ids && (has_key_identifier(&got) || !has_key_identifier(&want)))
			fail_msg("%s: there is an authority key identifier", rows[i].what);
		forge_free(&signing);
		forge_free(&pre);
		forge_free(&final);
		buf_free(&der);
		buf_free(&got);
		buf_free(&want);
	}
}

/* ---- the signer */

static void
broken(struct forge *f)
{
	f->broken_signature = true;
}

/* The chain: n CAs that have only the name of the signer, then the signer itself. */
static void
the_signer_is_the_one_whose_key_fits(void **state)
{
	static const struct {
		const char *what;
		size_t namesakes;
		bool junk, with_ca;
		void (*change)(struct forge *);
		enum res res;
	} rows[] = {
	    {"the CA alone", 0, false, true, as_it_is, RES_OK},
	    {"of a precertificate", 0, false, true, poisoned, RES_OK},
	    {"junk before the CA", 0, true, true, as_it_is, RES_OK},
	    {"another CA of that name before it", 1, false, true, as_it_is, RES_OK},
	    {"no CA", 0, false, false, as_it_is, RES_NOT_FOUND},
	    {"another CA of that name only", 1, false, false, as_it_is, RES_NOT_FOUND},
	    {"a broken signature", 0, false, true, broken, RES_NOT_FOUND},
	    {"as many of that name as are tried", PRECERT_CHECKS_MAX - 1, false, true, as_it_is, RES_OK},
	    {"more of that name than are tried", PRECERT_CHECKS_MAX, false, true, as_it_is, RES_NOT_FOUND},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct cert leaf, signer;
		struct forged f;
		struct forge forge;
		enum res res;
		size_t at = 99;

		forged_begin(&f);
		forged_leaf(&forge, CA_ISSUING);
		rows[i].change(&forge);
		forged_put(&f, &forge);
		forge_free(&forge);
		if (rows[i].junk)
			forged_put_der(&f, span_str("junk"));
		for (size_t k = 0; k < rows[i].namesakes; k++) {
			forged_sub_ca(&forge, world_ca_name(CA_ISSUING), "a-namesake", world_ca_name(CA_ROOT), "ca-root");
			forged_put(&f, &forge);
			forge_free(&forge);
		}
		if (rows[i].with_ca)
			forged_put_ca(&f, CA_ISSUING);
		assert_int_equal(cert_read(&leaf, f.certs[0]), RES_OK);
		res = precert_signer(&signer, &at, &leaf, f.certs + 1, f.n - 1);
		if (res != rows[i].res)
			fail_msg("%s: %s", rows[i].what, res_text(res));
		if (res == RES_OK && at != f.n - 2)
			fail_msg("%s: at %zu", rows[i].what, at);
		forged_end(&f);
	}
}

static void
a_signing_certificate_says_so(void **state)
{
	static const struct {
		const char *eku;
		bool signing;
	} rows[] = {{PRECERT_EKU, true}, {NULL, false}, {"1.3.6.1.5.5.7.3.1", false}, {"2.5.29.37.0", false}};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf der = buf_max(FORGE_CERT_MAX);
		struct forge f;
		struct cert cert;

		forged_ca(&f, CA_ISSUING);
		f.eku = rows[i].eku;
		forge_certificate(&f, world_logs(forged_world()), &der);
		assert_int_equal(cert_read(&cert, buf_span(&der)), RES_OK);
		if (precert_signing(&cert) != rows[i].signing)
			fail_msg("%s", rows[i].eku != NULL ? rows[i].eku : "no purpose");
		forge_free(&f);
		buf_free(&der);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(poison_and_scts_are_left_out),
	    cmocka_unit_test(a_signing_certificate_gives_its_issuer_and_key_identifier),
	    cmocka_unit_test(the_signer_is_the_one_whose_key_fits),
	    cmocka_unit_test(a_signing_certificate_says_so),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
