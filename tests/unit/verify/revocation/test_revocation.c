#include "verify/revocation/revocation.h"

#include "base/text.h"
#include "verify/x509/signature.h"

#include <gnutls/crypto.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/data_file.h"

#define DAY  ((int64_t)86400000)
#define T0   ((int64_t)1795132800000) /* 2026-11-20T00:00:00Z: thisUpdate of most files that make.py made */
#define NEXT (T0 + 7 * DAY)
#define NOW  (T0 + 2 * DAY)

#define BUDGET (&(struct signature_budget){.max = 64, .cost_max = 640})

struct loaded {
	struct buf bytes;
	struct cert cert;
};

static void
load(struct loaded *out, const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof path, "revocation/%s.der", name);
	out->bytes = data_file(path);
	assert_int_equal(cert_read(&out->cert, buf_span(&out->bytes)), RES_OK);
}

static const struct {
	const char *what;
	const char *file;
	int64_t now;
	enum reason want;
	const char *says; /* part of the sentence; NULL: none is given */
} staples[] = {
    {"T26 good", "ocsp-good", NOW, REASON_NONE, NULL},
    {"good at the moment of thisUpdate", "ocsp-good", T0, REASON_NONE, NULL},
    {"a millisecond before thisUpdate", "ocsp-good", T0 - 1, REASON_STAPLE_INVALID, "is dated 2026-11-20T00:00:00Z"},
    {"good at the moment of nextUpdate", "ocsp-good", NEXT, REASON_NONE, NULL},
    {"T26 stale by a millisecond", "ocsp-good", NEXT + 1, REASON_STAPLE_INVALID, "expired at 2026-11-27T00:00:00Z"},
    {"certificate named by SHA-256, responder by key", "ocsp-good-sha256", NOW, REASON_NONE, NULL},
    {"version 1 written out", "ocsp-version", NOW, REASON_NONE, NULL},
    {"another version", "ocsp-version-2", NOW, REASON_STAPLE_INVALID, "cannot be read"},
    {"extensions that are not critical", "ocsp-extension", NOW, REASON_NONE, NULL},
    {"a critical extension", "ocsp-critical", NOW, REASON_STAPLE_INVALID, "cannot be read"},
    {"a critical extension of the single response", "ocsp-critical-single", NOW, REASON_STAPLE_INVALID, "cannot be read"},
    {"T26 revoked", "ocsp-revoked", NOW, REASON_REVOKED, "revoked at 2026-11-19T00:00:00Z"},
    {"T26 good first, revoked in the second entry", "ocsp-revoked-second", NOW, REASON_REVOKED, "revoked at"},
    {"T26 revoked in the third entry after unknown", "ocsp-revoked-third", NOW, REASON_REVOKED, "revoked at"},
    {"unknown", "ocsp-unknown", NOW, REASON_STAPLE_INVALID, "does not know"},
    {"T26 for another certificate", "ocsp-other-serial", NOW, REASON_STAPLE_INVALID, "another certificate"},
    {"same serial, another issuer's key", "ocsp-other-issuer-key", NOW, REASON_STAPLE_INVALID, "another certificate"},
    {"same serial, another issuer's name", "ocsp-other-issuer-name", NOW, REASON_STAPLE_INVALID, "another certificate"},
    {"the certificate in the second entry", "ocsp-second", NOW, REASON_NONE, NULL},
    {"no nextUpdate, a week old", "ocsp-no-next", T0 + 7 * DAY, REASON_NONE, NULL},
    {"no nextUpdate, more than a week old", "ocsp-no-next", T0 + 7 * DAY + 1, REASON_STAPLE_INVALID, "expired at"},
    {"nextUpdate before thisUpdate", "ocsp-next-first", T0, REASON_STAPLE_INVALID, "cannot be read"},
    {"a responder that the issuer certified", "ocsp-delegate", NOW, REASON_NONE, NULL},
    {"a responder named by its key", "ocsp-delegate-key", NOW, REASON_NONE, NULL},
    {"a responder without the purpose", "ocsp-delegate-no-purpose", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"a responder with another purpose", "ocsp-delegate-server", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"a responder that has expired", "ocsp-delegate-expired", NOW, REASON_STAPLE_INVALID, "responder expired at 20"},
    {"a responder that is not valid yet", "ocsp-delegate", T0 - 1000 * DAY, REASON_STAPLE_INVALID, "responder is not valid before 20"},
    {"a responder that has expired, at a time when it was valid", "ocsp-delegate-expired", T0 + DAY, REASON_NONE, NULL},
    {"a responder certified by another CA of the issuer's name", "ocsp-delegate-foreign", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"a responder whose certificate is missing", "ocsp-delegate-absent", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"signed by another key in the issuer's name", "ocsp-foreign", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"signed by the certificate itself", "ocsp-leaf", NOW, REASON_STAPLE_INVALID, "not signed"},
    {"a signature with SHA-1", "ocsp-sha1", NOW, REASON_STAPLE_INVALID, "weak"},
    {"a response without entries", "ocsp-none", NOW, REASON_STAPLE_INVALID, "another certificate"},
    {"the error tryLater", "ocsp-error", NOW, REASON_STAPLE_INVALID, "reports error 3"},
    {"another type of response", "ocsp-type", NOW, REASON_STAPLE_INVALID, "unknown type"},
    {"a byte after it", "ocsp-tail", NOW, REASON_STAPLE_INVALID, "cannot be read"},
    {"a bit of the signature flipped", "ocsp-flipped", NOW, REASON_STAPLE_INVALID, "not signed"},
};

static void
staples_are_judged(void **state)
{
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "issuer");
	for (size_t i = 0; i < sizeof staples / sizeof staples[0]; i++) {
		char path[128], *text = NULL;
		struct buf staple;
		enum reason got;

		(void)snprintf(path, sizeof path, "revocation/%s.der", staples[i].file);
		staple = data_file(path);
		got = staple_check(buf_span(&staple), &leaf.cert, &issuer.cert, when_at(staples[i].now), BUDGET, &text);
		if (got != staples[i].want || (text == NULL) != (staples[i].says == NULL) ||
		    (text != NULL && strstr(text, staples[i].says) == NULL))
			fail_msg("%s: %s: %s", staples[i].what, reason_code(got), text == NULL ? "-" : text);
		free(text);
		buf_free(&staple);
	}
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

/* ---- a clock that is not set: the floor is a time that has certainly passed */

static const struct {
	const char *what;
	const char *file;
	const char *list; /* "": the file is a list; NULL: a staple */
	int64_t now, floor;
	enum reason want;
} clocks[] = {
    {"a staple that begins after the clock", "ocsp-good", NULL, 0, NOW, REASON_CLOCK_NOT_SET},
    {"one that began before it", "ocsp-good", NULL, T0, NOW, REASON_NONE},
    {"one that was over at the floor", "ocsp-good", NULL, 0, NEXT + 1, REASON_STAPLE_INVALID},
    {"one that was over at the floor, while the clock says otherwise", "ocsp-good", NULL, NOW, NEXT + 1, REASON_STAPLE_INVALID},
    {"a revoked one", "ocsp-revoked", NULL, 0, NOW, REASON_REVOKED},
    {"one that says good first, and revoked second", "ocsp-revoked-second", NULL, 0, NOW, REASON_REVOKED},
    {"one that does not know the certificate", "ocsp-unknown", NULL, 0, NOW, REASON_STAPLE_INVALID},
    {"one for another certificate", "ocsp-other-serial", NULL, 0, NOW, REASON_STAPLE_INVALID},
    {"one by a responder that the issuer certified", "ocsp-delegate", NULL, 0, NOW, REASON_CLOCK_NOT_SET},
    {"one by a responder that has expired at the floor", "ocsp-delegate-expired", NULL, 0, NOW, REASON_STAPLE_INVALID},
    {"one that is not signed by the issuer", "ocsp-foreign", NULL, 0, NOW, REASON_STAPLE_INVALID},
    {"a list that begins after the clock", "crl-clean", "", 0, NOW, REASON_CLOCK_NOT_SET},
    {"one that began before it", "crl-clean", "", T0, NOW, REASON_NONE},
    {"one that was over at the floor", "crl-clean", "", 0, NEXT + 1, REASON_CRL_INVALID},
    {"one that was over at the floor, while the clock says otherwise", "crl-clean", "", NOW, NEXT + 1, REASON_CRL_INVALID},
    {"one that names the certificate", "crl-revoked", "", 0, NOW, REASON_REVOKED},
    {"one of another key", "crl-foreign", "", 0, NOW, REASON_CRL_INVALID},
};

static enum reason
clock_row_judge(size_t i, const struct loaded *leaf, const struct loaded *issuer, struct when when, char **text)
{
	char path[128];
	struct buf file;
	struct crls *all = NULL;
	enum reason got;

	(void)snprintf(path, sizeof path, "revocation/%s.der", clocks[i].file);
	file = data_file(path);
	if (clocks[i].list == NULL) {
		got = staple_check(buf_span(&file), &leaf->cert, &issuer->cert, when, BUDGET, text);
	} else {
		assert_int_equal(crls_new(&all), RES_OK);
		assert_int_equal(crls_add(all, buf_span(&file), text), RES_OK);
		got = crls_check(all, &leaf->cert, &issuer->cert, when, BUDGET, text);
		crls_free(all);
	}
	buf_free(&file);
	return got;
}

/* The clock is blamed only for a staple or a list that begins after it; when the floor serves as the clock, it is never blamed. */
static void
unset_clocks_are_blamed(void **state)
{
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "issuer");
	for (size_t i = 0; i < 2 * (sizeof clocks / sizeof clocks[0]); i++) {
		size_t row = i / 2;
		struct when when = when_of(clocks[row].now, clocks[row].floor);
		enum reason want = clocks[row].want, got;
		char *text = NULL;

		if (i % 2 == 1) {
			when = when_any_later(when);
			want = want == REASON_CLOCK_NOT_SET ? REASON_NONE : want;
		}
		got = clock_row_judge(row, &leaf, &issuer, when, &text);
		if (got != want || (text == NULL) != (want == REASON_NONE))
			fail_msg("%s: %s: %s", clocks[row].what, reason_code(got), text == NULL ? "-" : text);
		free(text);
	}
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

static size_t hashes; /* made so far */

int __real_gnutls_hash_fast(gnutls_digest_algorithm_t, const void *, size_t, void *);
int __wrap_gnutls_hash_fast(gnutls_digest_algorithm_t, const void *, size_t, void *);

int
__wrap_gnutls_hash_fast(gnutls_digest_algorithm_t digest, const void *bytes, size_t n, void *out)
{
	hashes++;
	return __real_gnutls_hash_fast(digest, bytes, n, out);
}

static size_t
hashes_for(const char *path, const struct loaded *leaf, const struct loaded *issuer)
{
	struct buf staple = data_file(path);
	size_t before = hashes;
	char *text = NULL;

	(void)staple_check(buf_span(&staple), &leaf->cert, &issuer->cert, when_at(NOW), BUDGET, &text);
	free(text);
	buf_free(&staple);
	return hashes - before;
}

static void
the_issuer_is_hashed_once_however_many_entries_name_it(void **state)
{
	struct loaded leaf, issuer;
	size_t one;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "issuer");
	one = hashes_for("revocation/ocsp-good.der", &leaf, &issuer);
	assert_true(one > 0);
	assert_int_equal(hashes_for("revocation/ocsp-revoked-second.der", &leaf, &issuer), one);
	assert_int_equal(hashes_for("revocation/ocsp-revoked-third.der", &leaf, &issuer), one);
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

static void
no_cut_staple_is_good(void **state)
{
	struct buf staple = data_file("revocation/ocsp-delegate.der");
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "issuer");
	for (size_t n = 0; n < staple.n; n++) {
		char *text = NULL;

		assert_int_equal(staple_check(span_of(staple.p, n), &leaf.cert, &issuer.cert, when_at(NOW), BUDGET, &text), REASON_STAPLE_INVALID);
		assert_non_null(text);
		free(text);
	}
	buf_free(&staple);
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

static void
large_staple_is_refused(void **state)
{
	uint8_t *bytes = calloc(1, STAPLE_MAX + 1);
	struct loaded leaf, issuer;
	char *text = NULL;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "issuer");
	assert_int_equal(staple_check(span_of(bytes, STAPLE_MAX + 1), &leaf.cert, &issuer.cert, when_at(NOW), BUDGET, &text), REASON_STAPLE_INVALID);
	assert_non_null(strstr(text, "larger"));
	free(text);
	free(bytes);
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

static void
a_must_staple_certificate_demands_a_staple(void **state)
{
	static const struct {
		const char *what;
		const char *file;
		bool want;
	} certs[] = {
	    {"no such extension", "leaf", false},
	    {"T26 status_request among others", "leaf-must-staple", true},
	    {"only status_request_v2", "leaf-v2-staple", false},
	    {"an extension that cannot be read demands", "leaf-bad-feature", true},
	};

	(void)state;
	for (size_t i = 0; i < sizeof certs / sizeof certs[0]; i++) {
		struct loaded leaf;

		load(&leaf, certs[i].file);
		if (cert_must_staple(&leaf.cert) != certs[i].want)
			fail_msg("%s", certs[i].what);
		buf_free(&leaf.bytes);
	}
}

static enum res
crl_load(struct crls *all, const char *name, char **why)
{
	char path[128];
	struct buf file;
	enum res res;

	(void)snprintf(path, sizeof path, "revocation/%s", name);
	file = data_file(path);
	res = crls_add(all, buf_span(&file), why);
	buf_free(&file);
	return res;
}

static const struct {
	const char *what;
	const char *file;
	const char *also; /* a second file, or NULL */
	const char *issuer;
	int64_t now;
	enum reason want;
	const char *says;
	const char *cert; /* NULL: leaf, which names no point */
} lists[] = {
    {"the list does not name the certificate", "crl-clean.der", NULL, "issuer", NOW, REASON_NONE, NULL, NULL},
    {"the list names the certificate", "crl-revoked.der", NULL, "issuer", NOW, REASON_REVOKED, "lists the certificate", NULL},
    {"an empty list", "crl-empty.der", NULL, "issuer", NOW, REASON_NONE, NULL, NULL},
    {"on hold is revoked", "crl-reason.der", NULL, "issuer", NOW, REASON_REVOKED, "lists", NULL},
    {"at the moment of thisUpdate", "crl-clean.der", NULL, "issuer", T0, REASON_NONE, NULL, NULL},
    {"a millisecond before thisUpdate", "crl-clean.der", NULL, "issuer", T0 - 1, REASON_CRL_INVALID, "is current", NULL},
    {"at the moment of nextUpdate", "crl-clean.der", NULL, "issuer", NEXT, REASON_NONE, NULL, NULL},
    {"out of date by a millisecond", "crl-clean.der", NULL, "issuer", NEXT + 1, REASON_CRL_INVALID, "is current", NULL},
    {"out of date, but it names the certificate", "crl-old-revoked.der", NULL, "issuer", NOW, REASON_REVOKED, "lists", NULL},
    {"out of date beside a current one", "crl-old-clean.der", "crl-clean.der", "issuer", NOW, REASON_NONE, NULL, NULL},
    {"out of date and naming the certificate, beside a current one", "crl-clean.der", "crl-old-revoked.der", "issuer", NOW, REASON_REVOKED, "lists", NULL},
    {"a list of server certificates only", "crl-user-certs.der", NULL, "issuer", NOW, REASON_REVOKED, "lists", NULL},
    {"signed by another key in the issuer's name", "crl-foreign.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "signed with its issuer's key", NULL},
    {"a bit of the signature flipped", "crl-flipped.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "signed with its issuer's key", NULL},
    {"an issuer that may not sign lists", "crl-clean.der", NULL, "issuer-no-crl-sign", NOW, REASON_CRL_INVALID, "may not sign", NULL},
    {"a list of another issuer", "crl-other-name.der", NULL, "issuer", NOW, REASON_NONE, NULL, NULL},
    {"two lists in one file, the second names the certificate", "crl-two.pem", NULL, "issuer", NOW, REASON_REVOKED, "lists", NULL},
    /* the certificates that a list covers: IssuingDistributionPoint */
    {"for servers", "crl-of-servers.der", NULL, "issuer", NOW, REASON_NONE, NULL, NULL},
    {"for servers, and the certificate is a CA's", "crl-of-servers.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "other certificates", "sub-ca"},
    {"for CAs", "crl-of-cas.der", NULL, "issuer", NOW, REASON_NONE, NULL, "sub-ca"},
    {"for CAs, and the certificate is a leaf", "crl-of-cas.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "other certificates", NULL},
    {"for CAs, beside one for all", "crl-of-cas.der", "crl-clean.der", "issuer", NOW, REASON_NONE, NULL, NULL},
    {"for CAs, beside one for all that is old", "crl-of-cas.der", "crl-old-clean.der", "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", NULL},
    {"of the point that the certificate names", "crl-of-point.der", NULL, "issuer", NOW, REASON_NONE, NULL, "leaf-points"},
    {"of another point", "crl-of-point-3.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "other certificates", "leaf-points"},
    {"of another point beside the right one", "crl-of-point-3.der", "crl-of-point.der", "issuer", NOW, REASON_NONE, NULL,
        "leaf-points"},
    {"of another point, but it names the certificate", "crl-of-point-3-revoked.der", "crl-of-point.der", "issuer", NOW, REASON_REVOKED, "lists",
        "leaf-points"},
    {"of the same point in other letters", "crl-of-point-escaped.der", NULL, "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", "leaf-points"},
    {"of a point, and the certificate names none", "crl-of-point.der", NULL, "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", NULL},
    {"of a point that the certificate names for some reasons", "crl-of-point-some.der", NULL, "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", "leaf-points"},
    {"of a point of another issuer's lists", "crl-of-point-other.der", NULL, "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", "leaf-points"},
    {"of a point that the certificate names by more than URIs", "crl-of-point-mixed.der", NULL, "issuer", NOW, REASON_NONE, NULL, "leaf-points"},
    {"of a point with another name than URIs", "crl-of-point-and-name.der", NULL, "issuer", NOW, REASON_NONE, NULL, "leaf-points"},
    {"of a point with a relative name", "crl-of-point-relative.der", NULL, "issuer", NOW, REASON_CRL_INVALID,
        "other certificates", "leaf-points"},
    {"of a point with too many names", "crl-of-point-many.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "other certificates",
        "leaf-points"},
    {"for some reasons", "crl-of-reasons.der", NULL, "issuer", NOW, REASON_CRL_INVALID, "some reasons", NULL},
};

static void
lists_are_judged(void **state)
{
	struct loaded leaf, issuer;

	(void)state;
	for (size_t i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		struct crls *all = NULL;
		char *why = NULL, *text = NULL;
		enum reason got;

		load(&leaf, lists[i].cert == NULL ? "leaf" : lists[i].cert);
		load(&issuer, lists[i].issuer);
		assert_int_equal(crls_new(&all), RES_OK);
		assert_int_equal(crl_load(all, lists[i].file, &why), RES_OK);
		if (lists[i].also != NULL)
			assert_int_equal(crl_load(all, lists[i].also, &why), RES_OK);
		got = crls_check(all, &leaf.cert, &issuer.cert, when_at(lists[i].now), BUDGET, &text);
		if (got != lists[i].want || (text == NULL) != (lists[i].says == NULL) ||
		    (text != NULL && strstr(text, lists[i].says) == NULL))
			fail_msg("%s: %s: %s", lists[i].what, reason_code(got), text == NULL ? "-" : text);
		free(text);
		crls_free(all);
		buf_free(&issuer.bytes);
		buf_free(&leaf.bytes);
	}
}

static const struct {
	const char *what;
	const char *file;
	enum res want;
	const char *says;
} refused[] = {
    {"an indirect list", "crl-indirect.der", RES_UNSUPPORTED, "indirect"},
    {"a list of attribute certificates", "crl-attributes.der", RES_UNSUPPORTED, "attribute"},
    {"a delta list", "crl-delta.der", RES_UNSUPPORTED, "delta"},
    {"an unknown critical extension", "crl-critical.der", RES_UNSUPPORTED, "critical"},
    {"an entry of another issuer", "crl-entry-issuer.der", RES_UNSUPPORTED, "another issuer"},
    {"a serial number twice", "crl-twice.der", RES_UNSUPPORTED, "twice"},
    {"a certificate", "leaf.der", RES_MALFORMED, "not a CRL"},
    {"a truncated PEM block", "crl-broken.pem", RES_MALFORMED, "PEM"},
};

static void
lists_that_cannot_be_used_are_refused(void **state)
{
	struct crls *all = NULL;

	(void)state;
	assert_int_equal(crls_new(&all), RES_OK);
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		char *why = NULL;
		enum res got = crl_load(all, refused[i].file, &why);

		if (got != refused[i].want || why == NULL || strstr(why, refused[i].says) == NULL)
			fail_msg("%s: %s: %s", refused[i].what, res_text(got), why == NULL ? "-" : why);
		free(why);
	}
	assert_int_equal(crls_add(all, span_str("text without a list\n"), NULL), RES_NOT_FOUND);
	assert_int_equal(crls_count(all), 0);
	crls_free(all);
}

static void
no_cut_list_is_read(void **state)
{
	struct buf file = data_file("revocation/crl-user-certs.der");
	struct crls *all = NULL;

	(void)state;
	assert_int_equal(crls_new(&all), RES_OK);
	for (size_t n = 0; n < file.n; n++) {
		char *why = NULL;

		assert_int_not_equal(crls_add(all, span_of(file.p, n), &why), RES_OK);
		assert_non_null(why);
		free(why);
	}
	assert_int_equal(crls_count(all), 0);
	crls_free(all);
	buf_free(&file);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(staples_are_judged),
	    cmocka_unit_test(unset_clocks_are_blamed),
	    cmocka_unit_test(the_issuer_is_hashed_once_however_many_entries_name_it),
	    cmocka_unit_test(no_cut_staple_is_good),
	    cmocka_unit_test(large_staple_is_refused),
	    cmocka_unit_test(a_must_staple_certificate_demands_a_staple),
	    cmocka_unit_test(lists_are_judged),
	    cmocka_unit_test(lists_that_cannot_be_used_are_refused),
	    cmocka_unit_test(no_cut_list_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
