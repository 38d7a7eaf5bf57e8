/*
 * A CA with several keys under one name: which key a CRL or an OCSP staple belongs to. And the forms of CRLs that RFC 5280
 * defines. tests/data/revocation/renewed/make.py made the files; "#" in a row separates them.
 */
#include "verify/revocation/crls.h"

#include "base/text.h"
#include "verify/x509/der.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/data_file.h"

#define DAY     ((int64_t)86400000)
#define T0      ((int64_t)1795132800000) /* 2026-11-20T00:00:00Z: thisUpdate of most files that make.py made */
#define NOW     (T0 + 2 * DAY)

#define INVALID REASON_CRL_INVALID
#define REVOKED REASON_REVOKED
#define GOOD    REASON_NONE

struct loaded {
	struct buf bytes;
	struct cert cert;
};

static struct buf
file_of(const char *name, size_t n)
{
	char path[128];

	(void)snprintf(path, sizeof path, "revocation/renewed/%.*s.der", (int)n, name);
	return data_file(path);
}

static void
load(struct loaded *out, const char *name)
{
	out->bytes = file_of(name, strlen(name));
	assert_int_equal(cert_read(&out->cert, buf_span(&out->bytes)), RES_OK);
}

/* Adds the lists that can be used; returns the number of files that could not be added. */
static size_t
lists_load(struct crls *all, const char *files)
{
	size_t bad = 0;

	for (const char *p = files; *p != '\0'; p += strspn(p, "#")) {
		size_t n = strcspn(p, "#");
		struct buf file = file_of(p, n);
		char *why = NULL;

		if (crls_add(all, buf_span(&file), &why) != RES_OK) {
			assert_non_null(why);
			bad++;
		}
		free(why);
		buf_free(&file);
		p += n;
	}
	return bad;
}

static const struct {
	const char *what;
	const char *files;
	const char *leaf;   /* NULL: leaf */
	const char *issuer; /* NULL: ca-new; "": its key was not found */
	enum reason want;
	const char *says;
} rows[] = {
    /* which key the list belongs to */
    {"the list of the issuer's key", "new", NULL, NULL, GOOD, NULL},
    {"beside the list of the old key", "new#old", NULL, NULL, GOOD, NULL},
    {"after the list of the old key", "old#new", NULL, NULL, GOOD, NULL},
    {"a certificate of the old key, both lists", "new#old", NULL, "ca-old", GOOD, NULL},
    {"the list of the old key alone", "old", NULL, NULL, INVALID, "signed with its issuer's key"},
    {"the list of the new key alone, for a certificate of the old one", "new", NULL, "ca-old", INVALID, "signed with its issuer's key"},
    {"the new key's list names the certificate", "new-names#old", NULL, NULL, REVOKED, "lists"},
    {"the old key's list names the certificate, the new key's does not", "old-names#new", NULL, NULL, GOOD, NULL},
    {"a certificate of the old key, which the old key's list names", "old-names#new", NULL, "ca-old", REVOKED, "lists"},
    {"the new key's list is out of date, the old key's is current", "new-ends#old", NULL, NULL, INVALID, "signed with its issuer's key"},
    {"the new key's list is out of date, and is the only one", "new-ends", NULL, NULL, INVALID, "is current"},
    {"an old list of the new key names the certificate, a good one does not", "new-names-ended#new", NULL, NULL, REVOKED, "lists"},
    {"a broken signature alone", "new-broken", NULL, NULL, INVALID, "signed with its issuer's key"},
    {"a broken signature beside a good list", "new-broken#new", NULL, NULL, GOOD, NULL},
    {"no list has a key identifier", "old-without-id#new-without-id", NULL, NULL, GOOD, NULL},
    {"the issuer has no key identifier", "old#new", NULL, "ca-new-without-id", GOOD, NULL},
    {"no list has a key identifier, and the right key's list names the certificate", "old-without-id#new-without-id-names", NULL, NULL, REVOKED, "lists"},
    {"no list has a key identifier, and the wrong key's list names the certificate", "old-without-id-names#new-without-id", NULL, NULL, GOOD, NULL},
    {"signed by the issuer under the identifier of the old key", "new-with-id-of-old", NULL, NULL, GOOD, NULL},
    {"signed by the issuer under the identifier of the old key, and it names the certificate", "new-with-id-of-old-names#new", NULL, NULL, REVOKED, "lists"},
    {"signed by the old key under the identifier of the new one", "old-with-id-of-new", NULL, NULL, INVALID, "signed with its issuer's key"},
    {"signed by the old key under the identifier of the new one, beside a good list", "old-with-id-of-new#new", NULL, NULL, GOOD, NULL},
    {"the issuer's name in other letters and another string type", "new-printable", NULL, NULL, GOOD, NULL},
    {"the issuer's key was not found", "new", NULL, "", INVALID, "was not found"},
    {"five keys of one name", "by-rsa#by-ed25519#old#by-ed448#new", NULL, NULL, GOOD, NULL},
    {"a file that is given twice", "new#new", NULL, NULL, GOOD, NULL},
    /* when it is current */
    {"not valid yet", "future", NULL, NULL, INVALID, "is current"},
    {"not valid yet beside a current one", "future#new", NULL, NULL, GOOD, NULL},
    {"not valid yet, and it names the certificate", "future-names#new", NULL, NULL, REVOKED, "lists"},
    {"without nextUpdate", "no-next", NULL, NULL, INVALID, "is current"},
    {"without nextUpdate beside one that has it", "no-next#new", NULL, NULL, GOOD, NULL},
    {"without nextUpdate, and it names the certificate", "no-next-names", NULL, NULL, REVOKED, "lists"},
    /* numbers are numbers */
    {"-1 is not 255", "minus-1", "leaf-255", NULL, GOOD, NULL},
    {"-1 is not 1", "minus-1", "leaf-1", NULL, GOOD, NULL},
    {"-1 is -1", "minus-1", "leaf-minus-1", NULL, REVOKED, "lists"},
    {"255 is 255", "255", "leaf-255", NULL, REVOKED, "lists"},
    {"255 is not -1", "255", "leaf-minus-1", NULL, GOOD, NULL},
    {"255 with two octets of padding", "255-padded", "leaf-255", NULL, REVOKED, "lists"},
    {"255 with padding is not -1", "255-padded", "leaf-minus-1", NULL, GOOD, NULL},
    {"1 with padding", "1-padded", "leaf-1", NULL, REVOKED, "lists"},
    {"-1 with padding", "minus-1-padded", "leaf-minus-1", NULL, REVOKED, "lists"},
    {"-1 with padding is not 255", "minus-1-padded", "leaf-255", NULL, GOOD, NULL},
    {"-129 is -129", "minus-129", "leaf-minus-129", NULL, REVOKED, "lists"},
    {"-129 is not 255", "minus-129", "leaf-255", NULL, GOOD, NULL},
    {"-1 and 255 in one list are two numbers", "both-signs", "leaf-255", NULL, REVOKED, "lists"},
    {"0 is 0", "0", "leaf-0", NULL, REVOKED, "lists"},
    {"0 is not 1", "0", "leaf-1", NULL, GOOD, NULL},
    {"65535 is not 255", "65535-and-minus-1", "leaf-255", NULL, GOOD, NULL},
    {"a number among numbers of other signs and lengths", "65535-and-minus-1", "leaf-minus-1", NULL, REVOKED, "lists"},
    /* entries */
    {"removeFromCRL stands in delta lists only: revoked", "remove", NULL, NULL, REVOKED, "lists"},
    {"a critical reason", "reason-critical", NULL, NULL, REVOKED, "lists"},
    {"a critical reason of another certificate", "reason-critical-other", NULL, NULL, GOOD, NULL},
    {"an invalidity date and a hold instruction", "entry-date-and-hold", NULL, NULL, REVOKED, "lists"},
    {"an unknown extension of an entry", "entry-unknown", NULL, NULL, GOOD, NULL},
    {"a pointer to delta lists", "freshest", NULL, NULL, GOOD, NULL},
    /* the certificates that it covers */
    {"a flag that is written out though false", "scope-no-users", NULL, NULL, GOOD, NULL},
    {"of a relative point that the certificate names", "scope-relative", "leaf-relative", NULL, GOOD, NULL},
    {"of a relative point in other letters", "scope-relative-capitals", "leaf-relative", NULL, GOOD, NULL},
    {"of another relative point", "scope-relative-other", "leaf-relative", NULL, INVALID, "other certificates"},
    {"of a relative point, and the certificate has its full name", "scope-relative", "leaf-directory", NULL, GOOD, NULL},
    {"of a point with its full name, and the certificate has a relative one", "scope-directory", "leaf-relative", NULL, GOOD, NULL},
    {"of a relative point, and the certificate names none", "scope-relative", NULL, NULL, INVALID, "other certificates"},
    {"the third name of the list is the third name of the certificate", "scope-several", "leaf-several", NULL, GOOD, NULL},
    {"the second name, a host", "scope-dns", "leaf-several", NULL, GOOD, NULL},
    {"a URI with the letters of a host", "scope-uri-of-dns", "leaf-several", NULL, INVALID, "other certificates"},
    {"a URI among names of other kinds", "scope-1", "leaf-several", NULL, GOOD, NULL},
    {"another URI", "scope-2", "leaf-several", NULL, INVALID, "other certificates"},
    {"of the issuer's own name: for all", "scope-issuer", NULL, NULL, GOOD, NULL},
    {"of the issuer's own name, and the certificate names other points", "scope-issuer", "leaf-several", NULL, GOOD, NULL},
    {"a point of indirect lists", "scope-1", "leaf-indirect", NULL, INVALID, "other certificates"},
    {"some reasons", "scope-few", NULL, NULL, INVALID, "some reasons"},
    {"the other reasons", "scope-rest", NULL, NULL, INVALID, "some reasons"},
    {"both halves of the reasons", "scope-few#scope-rest", NULL, NULL, GOOD, NULL},
    {"all reasons but one", "scope-few#scope-rest-but-one", NULL, NULL, INVALID, "some reasons"},
    {"a point for each half of the reasons", "scope-1#scope-2", "leaf-in-halves", NULL, GOOD, NULL},
    {"a point for one half of the reasons only", "scope-1", "leaf-in-halves", NULL, INVALID, "some reasons"},
    /* algorithms */
    {"Ed25519", "by-ed25519", NULL, "ca-ed25519", GOOD, NULL},
    {"Ed448", "by-ed448", NULL, "ca-ed448", GOOD, NULL},
    {"Ed448 names it", "by-ed448-names", NULL, "ca-ed448", REVOKED, "lists"},
    {"Ed448 with a broken signature", "by-ed448-broken", NULL, "ca-ed448", INVALID, "signed with its issuer's key"},
    {"RSA", "by-rsa", NULL, "ca-rsa", GOOD, NULL},
    {"RSASSA-PSS", "by-pss", NULL, "ca-rsa", GOOD, NULL},
    {"RSASSA-PSS names it", "by-pss-names", NULL, "ca-rsa", REVOKED, "lists"},
    {"RSASSA-PSS without salt", "by-pss-salt-0", NULL, "ca-rsa", GOOD, NULL},
    {"RSASSA-PSS with SHA-384", "by-pss-sha384", NULL, "ca-rsa", GOOD, NULL},
};

static void
lists_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const char *by = rows[i].issuer == NULL ? "ca-new" : rows[i].issuer;
		struct signature_budget budget = {.max = 8, .cost_max = 640};
		struct loaded leaf, issuer = {.bytes = buf_max(0)};
		struct crls *all = NULL;
		char *text = NULL;
		enum reason got;

		load(&leaf, rows[i].leaf == NULL ? "leaf" : rows[i].leaf);
		if (*by != '\0')
			load(&issuer, by);
		assert_int_equal(crls_new(&all), RES_OK);
		if (lists_load(all, rows[i].files) != 0)
			fail_msg("%s: a list cannot be read", rows[i].what);
		got = crls_check(all, &leaf.cert, *by == '\0' ? NULL : &issuer.cert, when_at(NOW), &budget, &text);
		if (got != rows[i].want || (text == NULL) != (rows[i].says == NULL) ||
		    (text != NULL && strstr(text, rows[i].says) == NULL))
			fail_msg("%s: %s: %s", rows[i].what, reason_code(got), text == NULL ? "-" : text);
		free(text);
		crls_free(all);
		buf_free(&leaf.bytes);
		buf_free(&issuer.bytes);
	}
}

static const struct {
	const char *what;
	const char *file;
	enum res want;
	const char *says;
} unusable[] = {
    {"a delta list", "delta", RES_UNSUPPORTED, "delta"},
    {"a delta list that names the certificate", "delta-names", RES_UNSUPPORTED, "delta"},
    {"a critical extension of the list", "list-critical", RES_UNSUPPORTED, "critical"},
    {"a critical extension of an entry", "entry-critical", RES_UNSUPPORTED, "critical"},
    {"an indirect list", "scope-indirect", RES_UNSUPPORTED, "indirect"},
    {"a list of attribute certificates", "scope-attributes", RES_UNSUPPORTED, "attribute"},
    {"an empty issuingDistributionPoint", "scope-empty", RES_MALFORMED, "not a CRL"},
    {"for users only and for CAs only", "scope-two-kinds", RES_MALFORMED, "not a CRL"},
    {"a point without a name", "scope-no-names", RES_MALFORMED, "not a CRL"},
    {"a point with a name of an unknown kind", "scope-odd-name", RES_MALFORMED, "not a CRL"},
    {"two points", "scope-two-points", RES_MALFORMED, "not a CRL"},
    {"a flag that is neither true nor false", "scope-flag-2", RES_MALFORMED, "not a CRL"},
    {"reasons with too many unused bits", "scope-bad-reasons", RES_MALFORMED, "not a CRL"},
    {"issuingDistributionPoint twice", "scope-twice", RES_MALFORMED, "not a CRL"},
    {"a number without octets", "empty-number", RES_MALFORMED, "not a CRL"},
    {"RSASSA-PSS with two digests", "by-pss-other-mask", RES_UNSUPPORTED, "weak"},
    {"RSASSA-PSS with SHA-1", "by-pss-sha1", RES_UNSUPPORTED, "weak"},
    {"RSASSA-PSS with a salt of 20 bytes, the default that belongs to SHA-1", "by-pss-salt-20", RES_UNSUPPORTED, "weak"},
    {"RSASSA-PSS with another salt than it says", "by-pss-salt-lies", RES_UNSUPPORTED, "weak"},
};

/* Alone, such a list leaves its issuer without one, which refuses; next to a good list it has no effect. */
static void
unusable_lists_have_no_effect(void **state)
{
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "ca-new");
	for (size_t i = 0; i < sizeof unusable / sizeof unusable[0]; i++) {
		struct signature_budget budget = {.max = 8, .cost_max = 640};
		struct buf file = file_of(unusable[i].file, strlen(unusable[i].file));
		struct crls *all = NULL;
		char *why = NULL, *text = NULL;
		enum res res;
		enum reason alone, beside;

		assert_int_equal(crls_new(&all), RES_OK);
		res = crls_add(all, buf_span(&file), &why);
		if (res != unusable[i].want || why == NULL || strstr(why, unusable[i].says) == NULL)
			fail_msg("%s: %s: %s", unusable[i].what, res_text(res), why == NULL ? "-" : why);
		assert_int_equal(crls_count(all), 0);
		alone = crls_check(all, &leaf.cert, &issuer.cert, when_at(NOW), &budget, &text);
		free(text);
		assert_int_equal(lists_load(all, "new"), 0);
		beside = crls_check(all, &leaf.cert, &issuer.cert, when_at(NOW), &budget, &text);
		if (alone != INVALID || beside != GOOD)
			fail_msg("%s: alone %s, beside a good one %s", unusable[i].what, reason_code(alone), reason_code(beside));
		free(text);
		free(why);
		crls_free(all);
		buf_free(&file);
	}
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

static const struct {
	const char *what;
	const char *file;
	const char *issuer; /* NULL: ca-new */
	enum reason want;
	const char *says;
} staples[] = {
    {"of the issuer's key, responder by name", "staple-new", NULL, GOOD, NULL},
    {"of the issuer's key, responder by key", "staple-new-by-key", NULL, GOOD, NULL},
    {"of the old key, responder by name", "staple-old", NULL, REASON_STAPLE_INVALID, "not signed"},
    {"of the old key, responder by key", "staple-old-by-key", NULL, REASON_STAPLE_INVALID, "not signed"},
    {"a certificate of the old key, which the old key's list names", "staple-old-by-key", "ca-old", GOOD, NULL},
    {"of the old key for a certificate of the new one", "staple-old-for-new", NULL, REASON_STAPLE_INVALID, "not signed"},
    {"of the new key for the same number under the old one", "staple-new-for-old", NULL, REASON_STAPLE_INVALID, "another certificate"},
    {"revoked under the old key, good under the new one", "staple-new-after-old", NULL, GOOD, NULL},
    {"the serial number with padding", "staple-padded", NULL, REVOKED, "revoked"},
    {"a responder by the issuer's key", "staple-delegate-new", NULL, GOOD, NULL},
    {"a responder by the old key", "staple-delegate-old", NULL, REASON_STAPLE_INVALID, "not signed"},
    {"a responder named by its key", "staple-delegate-by-key", NULL, GOOD, NULL},
    {"a responder that renewed its key, its other certificate first", "staple-delegate-renewed", NULL, GOOD, NULL},
    {"a responder certified by the old key twice", "staple-delegate-both-old", NULL, REASON_STAPLE_INVALID, "not signed"},
    {"a responder certified by the old key and the new one", "staple-delegate-after-old", NULL, GOOD, NULL},
    {"Ed25519", "staple-ed25519", "ca-ed25519", GOOD, NULL},
    {"Ed25519 with a broken signature", "staple-ed25519-broken", "ca-ed25519", REASON_STAPLE_INVALID, "not signed"},
    {"Ed448", "staple-ed448", "ca-ed448", GOOD, NULL},
    {"Ed448 with a broken signature", "staple-ed448-broken", "ca-ed448", REASON_STAPLE_INVALID, "not signed"},
    {"RSASSA-PSS", "staple-pss", "ca-rsa", GOOD, NULL},
    {"RSASSA-PSS with a broken signature", "staple-pss-broken", "ca-rsa", REASON_STAPLE_INVALID, "not signed"},
    {"RSASSA-PSS with a salt of 20 bytes", "staple-pss-salt-20", "ca-rsa", REASON_STAPLE_INVALID, "weak"},
    {"RSASSA-PSS with two digests", "staple-pss-other-mask", "ca-rsa", REASON_STAPLE_INVALID, "weak"},
};

static void
staples_are_judged(void **state)
{
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	for (size_t i = 0; i < sizeof staples / sizeof staples[0]; i++) {
		struct buf file = file_of(staples[i].file, strlen(staples[i].file));
		struct signature_budget budget = {.max = 8, .cost_max = 640};
		char *text = NULL;
		enum reason got;

		load(&issuer, staples[i].issuer == NULL ? "ca-new" : staples[i].issuer);
		got = staple_check(buf_span(&file), &leaf.cert, &issuer.cert, when_at(NOW), &budget, &text);
		if (got != staples[i].want || (text == NULL) != (staples[i].says == NULL) ||
		    (text != NULL && strstr(text, staples[i].says) == NULL))
			fail_msg("%s: %s: %s", staples[i].what, reason_code(got), text == NULL ? "-" : text);
		free(text);
		buf_free(&file);
		buf_free(&issuer.bytes);
	}
	buf_free(&leaf.bytes);
}

/* When no signature checks are left, neither a staple nor a list is accepted. */
static void
a_budget_that_is_used_up_refuses(void **state)
{
	struct signature_budget none = {.max = 0};
	struct buf staple = file_of("staple-new", 10);
	struct loaded leaf, issuer;
	struct crls *all = NULL;
	char *text = NULL;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "ca-new");
	assert_int_equal(crls_new(&all), RES_OK);
	assert_int_equal(lists_load(all, "new"), 0);
	assert_int_equal(crls_check(all, &leaf.cert, &issuer.cert, when_at(NOW), &none, &text), INVALID);
	assert_non_null(strstr(text, "more signature checks"));
	free(text);
	assert_int_equal(staple_check(buf_span(&staple), &leaf.cert, &issuer.cert, when_at(NOW), &none, &text), REASON_STAPLE_INVALID);
	assert_non_null(strstr(text, "more signature checks"));
	free(text);
	crls_free(all);
	buf_free(&staple);
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

/* A good list does not outweigh one that names the certificate and whose signature can no longer be checked. */
static void
a_list_that_names_the_certificate_is_checked_or_refuses(void **state)
{
	static const struct {
		const char *what, *files;
		size_t checks;
		enum reason want;
	} table[] = {
	    {"the good list first, and no check is left", "new#new-names", 1, INVALID},
	    {"the good list first, and one check is left", "new#new-names", 2, REVOKED},
	    {"an older list names it, and no check is left", "new#new-names-ended", 1, INVALID},
	    {"the list that names it first, and no check is left", "new-names#new", 1, REVOKED},
	    {"one names it, and no list can be checked", "new#new-names", 0, INVALID},
	    {"no list names it, and no other one is of any use", "new#no-next", 1, GOOD},
	};
	struct loaded leaf, issuer;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "ca-new");
	for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
		struct signature_budget budget = {.max = table[i].checks, .cost_max = 640};
		struct crls *all = NULL;
		char *text = NULL;
		enum reason got;

		assert_int_equal(crls_new(&all), RES_OK);
		assert_int_equal(lists_load(all, table[i].files), 0);
		got = crls_check(all, &leaf.cert, &issuer.cert, when_at(NOW), &budget, &text);
		if (got != table[i].want)
			fail_msg("%s: %s", table[i].what, reason_code(got));
		if (got == INVALID)
			assert_non_null(strstr(text, "more signature checks"));
		free(text);
		crls_free(all);
	}
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

/* ---- many lists, many entries: with made-up signatures */

/* A list in Issuer's name, with the key identifier of no key, which names `first` and the n - 1 odd numbers that follow. */
static void
list_write(struct buf *out, uint32_t first, uint32_t n)
{
	static const char alg[] = "\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02";
	static const char issuer[] = "\x30\x11\x31\x0f\x30\x0d\x06\x03\x55\x04\x03\x0c\x06"
				     "Issuer";
	static const char times[] = "\x17\x0d"
				    "261120000000Z\x17\x0d"
				    "261127000000Z";
	static const char aki[] = "\xa0\x12\x30\x10\x30\x0e\x06\x03\x55\x1d\x23\x04\x07\x30\x05\x80\x03"
				  "abc";
	struct buf entries = buf_max(1 << 24), tbs = buf_max(1 << 24), all = buf_max(1 << 24);

	for (uint32_t i = 0; i < n; i++) {
		buf_put(&entries, span_of("\x30\x16\x02\x05\x00", 5));
		buf_u32(&entries, 0x80000000u + first + 2 * i);
		buf_put(&entries, span_of("\x17\x0d"
					  "261119000000Z",
					  15));
	}
	buf_put(&tbs, span_of("\x02\x01\x01", 3));
	buf_put(&tbs, span_of(alg, sizeof alg - 1));
	buf_put(&tbs, span_of(issuer, sizeof issuer - 1));
	buf_put(&tbs, span_of(times, sizeof times - 1));
	der_header(&tbs, DER_SEQUENCE, entries.n);
	buf_put(&tbs, buf_span(&entries));
	buf_put(&tbs, span_of(aki, sizeof aki - 1));
	der_header(&all, DER_SEQUENCE, tbs.n);
	buf_put(&all, buf_span(&tbs));
	buf_put(&all, span_of(alg, sizeof alg - 1));
	buf_put(&all, span_of("\x03\x03\x00"
			      "ab",
			      5));
	der_header(out, DER_SEQUENCE, all.n);
	buf_put(out, buf_span(&all));
	buf_free(&entries);
	buf_free(&tbs);
	buf_free(&all);
}

static void
hundred_thousand_entries_are_found(void **state)
{
	const uint32_t n = 100000;
	struct buf der = buf_max(1 << 24);
	struct crl *crl;
	char *why = NULL;

	(void)state;
	list_write(&der, 1, n);
	assert_int_equal(crl_new(&crl, buf_span(&der), &why), RES_OK);
	for (uint32_t i = 0; i < 2 * n + 2; i++) {
		uint32_t number = 0x80000000u + i;
		uint8_t serial[] = {0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};

		if (crl_names(crl, span_of(serial, 5)) != (i % 2 == 1 && i < 2 * n))
			fail_msg("number %u", i);
		if (crl_names(crl, span_of(serial + 1, 4)))
			fail_msg("the negative twin of number %u", i);
	}
	crl_free(crl);
	buf_free(&der);
}

static void
number_of_lists_is_bounded(void **state)
{
	struct crls *all = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(crls_new(&all), RES_OK);
	for (uint32_t i = 0; i <= CRLS_MAX; i++) {
		struct buf der = buf_max(1 << 16);

		list_write(&der, i, 1);
		assert_int_equal(crls_add(all, buf_span(&der), &why), i < CRLS_MAX ? RES_OK : RES_LIMIT);
		assert_int_equal(crls_add(all, buf_span(&der), NULL), i < CRLS_MAX ? RES_OK : RES_LIMIT); /* the same again */
		buf_free(&der);
	}
	assert_int_equal(crls_count(all), CRLS_MAX);
	free(why);
	crls_free(all);
}

/* A hundred lists with the identifiers of other keys cost no signature check; the right one is found at the end. */
static void
lists_of_other_keys_cost_nothing(void **state)
{
	struct signature_budget budget = {.max = 64, .cost_max = 640};
	struct loaded leaf, issuer;
	struct crls *all = NULL;
	char *text = NULL;

	(void)state;
	load(&leaf, "leaf");
	load(&issuer, "ca-new");
	assert_int_equal(crls_new(&all), RES_OK);
	for (uint32_t i = 0; i < 100; i++) {
		struct buf der = buf_max(1 << 16);

		list_write(&der, i, 1);
		assert_int_equal(crls_add(all, buf_span(&der), NULL), RES_OK);
		buf_free(&der);
	}
	assert_int_equal(lists_load(all, "old#new"), 0);
	assert_int_equal(crls_check(all, &leaf.cert, &issuer.cert, when_at(NOW), &budget, &text), GOOD);
	assert_int_equal(budget.used, 1);
	crls_free(all);
	buf_free(&leaf.bytes);
	buf_free(&issuer.bytes);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lists_are_judged),
	    cmocka_unit_test(unusable_lists_have_no_effect),
	    cmocka_unit_test(staples_are_judged),
	    cmocka_unit_test(a_budget_that_is_used_up_refuses),
	    cmocka_unit_test(a_list_that_names_the_certificate_is_checked_or_refuses),
	    cmocka_unit_test(hundred_thousand_entries_are_found),
	    cmocka_unit_test(number_of_lists_is_bounded),
	    cmocka_unit_test(lists_of_other_keys_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
