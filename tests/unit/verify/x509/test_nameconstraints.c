#include "verify/x509/nameconstraints.h"
#include "verify/x509/altname.h"
#include "verify/x509/oid.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define BYTES_MAX (4 * 1024 * 1024)

/* Names are a tag and bytes, as text could not express all addresses. */
struct name {
	uint8_t tag;
	const char *value;
	size_t n;
};

#define DNS(text)   {DER_CONTEXT(2), (text), sizeof(text) - 1}
#define IP(bytes)   {DER_CONTEXT(7), (bytes), sizeof(bytes) - 1}
#define EMAIL(text) {DER_CONTEXT(1), (text), sizeof(text) - 1}
#define URI(text)   {DER_CONTEXT(6), (text), sizeof(text) - 1}
#define OTHER       {DER_CONTEXT_CONS(0), "\x06\x01\x2a\xa0\x02\x05\x00", 7}
#define OTHER_2     {DER_CONTEXT_CONS(0), "\x06\x01\x2b\xa0\x02\x05\x00", 7}
#define REGISTERED  {DER_CONTEXT(8), "\x2a\x03", 2}
#define NONE        {0, NULL, 0}
/* Names: CN=a, O=b/CN=a, O=B (another case) */
#define CN_A   "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"
#define O_B_CN "\x30\x18\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x0c\x01\x62\x31\x0a\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61"
#define O_B    "\x30\x0c\x31\x0a\x30\x08\x06\x03\x55\x04\x0a\x13\x01\x42"
#define DIRECTORY(name) {DER_CONTEXT_CONS(4), (name), sizeof(name) - 1}

static void
name_put(struct buf *out, const struct name *name)
{
	der_header(out, name->tag, name->n);
	buf_put(out, span_of(name->value, name->n));
}

static void
wrap(struct buf *out, uint8_t tag, struct buf *body)
{
	der_header(out, tag, body->n);
	buf_put(out, buf_span(body));
	buf_clear(body);
}

/* The constraints' value: one permitted and one excluded subtree, each may be missing. */
static void
constraints_make(struct buf *out, const struct name *permitted, const struct name *excluded)
{
	struct buf base = buf_max(BYTES_MAX), tree = buf_max(BYTES_MAX), all = buf_max(BYTES_MAX);

	if (permitted->tag != 0) {
		name_put(&base, permitted);
		wrap(&tree, DER_SEQUENCE, &base);
		wrap(&all, DER_CONTEXT_CONS(0), &tree);
	}
	if (excluded->tag != 0) {
		name_put(&base, excluded);
		wrap(&tree, DER_SEQUENCE, &base);
		wrap(&all, DER_CONTEXT_CONS(1), &tree);
	}
	wrap(out, DER_SEQUENCE, &all);
	buf_free(&base);
	buf_free(&tree);
	buf_free(&all);
}

static const struct row {
	const char *what;
	struct name permitted, excluded, san;
	bool fine;
} rows[] = {
    {"nothing of this kind is constrained", IP("\x0a\0\0\0\xff\0\0\0"), NONE, DNS("a.test"), true},
    {"the permitted name", DNS("e.test"), NONE, DNS("e.test"), true},
    {"below the permitted name, in another case", DNS("E.test"), NONE, DNS("a.b.e.TEST"), true},
    {"beside it", DNS("e.test"), NONE, DNS("ee.test"), false},
    {"a longer label", DNS("e.test"), NONE, DNS("ae.test"), false},
    {"above it", DNS("e.test"), NONE, DNS("test"), false},
    {"everything is permitted", DNS(""), NONE, DNS("a.test"), true},
    {"everything is excluded", NONE, DNS(""), DNS("a.test"), false},
    {"T08 the excluded name in another case", NONE, DNS("Evil.test"), DNS("evil.TEST"), false},
    {"T08 below the excluded name", NONE, DNS("evil.test"), DNS("dns.evil.test"), false},
    {"excluded within the permitted names", DNS("test"), DNS("evil.test"), DNS("a.evil.test"), false},
    {"next to the excluded name", DNS("test"), DNS("evil.test"), DNS("good.test"), true},
    {"a wildcard within the permitted names", DNS("e.test"), NONE, DNS("*.e.test"), true},
    {"a wildcard wider than the permitted names", DNS("a.e.test"), NONE, DNS("*.e.test"), false},
    {"a wildcard that can match the excluded name", NONE, DNS("a.e.test"), DNS("*.e.test"), false},
    {"a wildcard a level deeper, which cannot match it", NONE, DNS("b.a.e.test"), DNS("*.e.test"), true},
    {"a wildcard within the excluded names", NONE, DNS("e.test"), DNS("*.a.e.test"), false},
    {"an invalid name", DNS("e.test"), NONE, DNS("a_b.e.test"), false},
    {"an invalid name, and only others are excluded", NONE, DNS("x.test"), DNS("a b.e.test"), false},
    {"a permitted address", IP("\x0a\0\0\0\xff\0\0\0"), NONE, IP("\x0a\1\2\3"), true},
    {"an address outside", IP("\x0a\0\0\0\xff\0\0\0"), NONE, IP("\x0b\1\2\3"), false},
    {"an address of the other family", IP("\x0a\0\0\0\xff\0\0\0"), NONE,
        IP("\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1"), false},
    {"an excluded address", NONE, IP("\1\1\1\1\xff\xff\xff\xff"), IP("\1\1\1\1"), false},
    {"beside it", NONE, IP("\1\1\1\1\xff\xff\xff\xff"), IP("\1\1\1\2"), true},
    {"no address is excluded by an empty one of the other family", NONE,
        IP("\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"), IP("\1\1\1\1"), true},
    {"an address of five bytes", IP("\0\0\0\0\0\0\0\0"), NONE, IP("\1\1\1\1\1"), false},
    {"a mailbox", EMAIL("me@e.test"), NONE, EMAIL("me@E.test"), true},
    {"another mailbox", EMAIL("me@e.test"), NONE, EMAIL("Me@e.test"), false},
    {"a host of mailboxes", EMAIL("e.test"), NONE, EMAIL("me@e.test"), true},
    {"not below it", EMAIL("e.test"), NONE, EMAIL("me@a.e.test"), false},
    {"a domain of mailboxes", EMAIL(".e.test"), NONE, EMAIL("me@a.e.test"), true},
    {"not its own", EMAIL(".e.test"), NONE, EMAIL("me@e.test"), false},
    {"an invalid mailbox", NONE, EMAIL("x.test"), EMAIL("nobody"), false},
    {"a URI's host", URI("e.test"), NONE, URI("https://me@e.test:8443/x?y"), true},
    {"not below it", URI("e.test"), NONE, URI("https://a.e.test/"), false},
    {"a URI's domain", URI(".e.test"), NONE, URI("https://a.e.test#x"), true},
    {"a URI with an address", URI(".e.test"), NONE, URI("https://1.1.1.1/"), false},
    {"a URI without a host", NONE, URI("x.test"), URI("urn:a"), false},
    {"a URI's host after a backslash: readers differ", URI("e.test"), NONE, URI("https://x.test\\@e.test/"), false},
    {"a URI with a blank", URI("e.test"), NONE, URI("https://x.test @e.test/"), false},
    {"an otherName where one is constrained", OTHER, NONE, OTHER, false},
    {"an otherName where one is excluded", NONE, OTHER, OTHER, false},
    {"an otherName where another one is permitted", OTHER_2, NONE, OTHER, false},
    {"an otherName is excluded, and the leaf has none", NONE, OTHER, DNS("a.test"), true},
    {"an otherName is permitted, and the leaf has none", OTHER, NONE, DNS("a.test"), true},
    {"an otherName where only names of hosts are constrained", DNS("a.test"), NONE, OTHER, true},
    {"a registeredID where one is constrained", REGISTERED, NONE, REGISTERED, false},
    {"a registeredID is excluded, and the leaf has none", NONE, REGISTERED, DNS("a.test"), true},
    {"a directory name, another string type and case", DIRECTORY(O_B), NONE, DIRECTORY(O_B_CN), true},
    {"a directory name outside", DIRECTORY(O_B), NONE, DIRECTORY(CN_A), false},
    {"a directory name shorter than the permitted one", DIRECTORY(O_B_CN), NONE, DIRECTORY(O_B), false},
    {"a directory name shorter than the excluded one", NONE, DIRECTORY(O_B_CN), DIRECTORY(O_B), true},
    {"an excluded directory name", NONE, DIRECTORY(O_B), DIRECTORY(O_B_CN), false},
    /* the form of constraints */
    {"a leading dot", DNS(".e.test"), NONE, DNS("a.e.test"), false},
    {"a wildcard", DNS("*.e.test"), NONE, DNS("a.e.test"), false},
    {"no mask", IP("\x0a\0\0\0"), NONE, DNS("a.test"), false},
    {"a mask with a hole", IP("\x0a\0\0\0\xff\0\xff\0"), NONE, DNS("a.test"), false},
    {"neither permitted nor excluded", NONE, NONE, DNS("a.test"), false},
};

static void
every_row_is_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf constraints = buf_max(BYTES_MAX), list = buf_max(BYTES_MAX), san = buf_max(BYTES_MAX);
		struct nameconstraints_budget budget = nameconstraints_budget();
		struct cert ca = {.n_ext = 1}, leaf = {.n_ext = 1, .subject = span_of("\x30\x00", 2)};
		const char *fault;

		constraints_make(&constraints, &rows[i].permitted, &rows[i].excluded);
		name_put(&list, &rows[i].san);
		wrap(&san, DER_SEQUENCE, &list);
		ca.ext[0] = (struct cert_ext){OID_NAME_CONSTRAINTS, true, buf_span(&constraints)};
		leaf.ext[0] = (struct cert_ext){OID_SUBJECT_ALT_NAME, false, buf_span(&san)};
		fault = nameconstraints_fault(&ca, &leaf, &budget);
		if ((fault == NULL) != rows[i].fine)
			fail_msg("%s: %s", rows[i].what, fault == NULL ? "fine" : fault);
		assert_null(nameconstraints_fault(&leaf, &leaf, &budget)); /* constrains nothing */
		buf_free(&constraints);
		buf_free(&list);
		buf_free(&san);
	}
}

static void
the_subject_is_a_name_too(void **state)
{
	const struct name permitted = DIRECTORY(O_B), none = NONE;
	struct buf constraints = buf_max(BYTES_MAX);
	struct nameconstraints_budget budget = nameconstraints_budget();
	struct cert ca = {.n_ext = 1};
	struct cert inside = {.subject = span_of(O_B_CN, sizeof O_B_CN - 1)};
	struct cert outside = {.subject = span_of(CN_A, sizeof CN_A - 1)};

	(void)state;
	constraints_make(&constraints, &permitted, &none);
	ca.ext[0] = (struct cert_ext){OID_NAME_CONSTRAINTS, true, buf_span(&constraints)};
	assert_null(nameconstraints_fault(&ca, &inside, &budget));
	assert_non_null(nameconstraints_fault(&ca, &outside, &budget));
	buf_free(&constraints);
}

/* CN=a and emailAddress=me@e.test in one RDN */
#define MAIL_RDN "\x30\x22\x31\x20\x30\x08\x06\x03\x55\x04\x03\x0c\x01\x61" \
	"\x30\x14\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01\x16\x07me@e.te"

/* RFC 5280, 4.2.1.10: a mailbox in the subject counts when there is no rfc822Name. */
static void
a_mailbox_in_the_subject_is_a_name_too(void **state)
{
	static const struct {
		const char *what;
		struct name permitted, excluded, san;
		bool fine;
	} subjects[] = {
	    {"its host is permitted", EMAIL("e.te"), NONE, NONE, true},
	    {"another host is permitted", EMAIL("x.te"), NONE, NONE, false},
	    {"its host is excluded", NONE, EMAIL("E.te"), NONE, false},
	    {"another host is excluded", NONE, EMAIL("x.te"), NONE, true},
	    {"names of hosts are constrained", DNS("x.te"), NONE, NONE, true},
	    {"there is a permitted mailbox too", EMAIL("x.te"), NONE, EMAIL("me@x.te"), true},
	    {"there is a host too", EMAIL("x.te"), NONE, DNS("x.te"), false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof subjects / sizeof subjects[0]; i++) {
		struct buf constraints = buf_max(BYTES_MAX), list = buf_max(BYTES_MAX), san = buf_max(BYTES_MAX);
		struct nameconstraints_budget budget = nameconstraints_budget();
		struct cert ca = {.n_ext = 1}, leaf = {.subject = span_of(MAIL_RDN, sizeof MAIL_RDN - 1)};
		const char *fault;

		constraints_make(&constraints, &subjects[i].permitted, &subjects[i].excluded);
		if (subjects[i].san.tag != 0) {
			name_put(&list, &subjects[i].san);
			wrap(&san, DER_SEQUENCE, &list);
			leaf.ext[leaf.n_ext++] = (struct cert_ext){OID_SUBJECT_ALT_NAME, false, buf_span(&san)};
		}
		ca.ext[0] = (struct cert_ext){OID_NAME_CONSTRAINTS, true, buf_span(&constraints)};
		fault = nameconstraints_fault(&ca, &leaf, &budget);
		if ((fault == NULL) != subjects[i].fine)
			fail_msg("%s: %s", subjects[i].what, fault == NULL ? "fine" : fault);
		leaf.subject.n--; /* cut short; it is not read when there is a mailbox among the names */
		if (subjects[i].san.tag != DER_CONTEXT(1))
			assert_non_null(nameconstraints_fault(&ca, &leaf, &budget));
		buf_free(&constraints);
		buf_free(&list);
		buf_free(&san);
	}
}

/* n excluded names and m names, as hosts or as directory names, which cost more. */
static const char *
many_of(uint8_t tag, size_t subtrees, size_t names)
{
	struct buf base = buf_max(BYTES_MAX), trees = buf_max(BYTES_MAX), all = buf_max(BYTES_MAX);
	struct buf constraints = buf_max(BYTES_MAX), list = buf_max(BYTES_MAX), san = buf_max(BYTES_MAX);
	struct nameconstraints_budget budget = nameconstraints_budget();
	struct cert ca = {.n_ext = 1}, leaf = {.n_ext = 1, .subject = span_of("\x30\x00", 2)};
	const char *fault;
	char text[32];

	for (size_t i = 0; i < subtrees; i++) {
		snprintf(text, sizeof text, "x%zu.test", i);
		if (tag == DER_CONTEXT(2))
			name_put(&base, &(struct name){tag, text, strlen(text)});
		else
			name_put(&base, &(struct name){tag, O_B, sizeof O_B - 1});
		wrap(&trees, DER_SEQUENCE, &base);
	}
	wrap(&all, DER_CONTEXT_CONS(1), &trees);
	wrap(&constraints, DER_SEQUENCE, &all);
	for (size_t i = 0; i < names; i++) {
		snprintf(text, sizeof text, "n%zu.test", i);
		if (tag == DER_CONTEXT(2))
			name_put(&list, &(struct name){tag, text, strlen(text)});
		else
			name_put(&list, &(struct name){tag, CN_A, sizeof CN_A - 1});
	}
	wrap(&san, DER_SEQUENCE, &list);
	ca.ext[0] = (struct cert_ext){OID_NAME_CONSTRAINTS, true, buf_span(&constraints)};
	leaf.ext[0] = (struct cert_ext){OID_SUBJECT_ALT_NAME, false, buf_span(&san)};
	fault = nameconstraints_fault(&ca, &leaf, &budget);
	buf_free(&base);
	buf_free(&trees);
	buf_free(&all);
	buf_free(&constraints);
	buf_free(&list);
	buf_free(&san);
	return fault;
}

static const char *
many(size_t subtrees, size_t names)
{
	return many_of(DER_CONTEXT(2), subtrees, names);
}

static void
t10_the_work_is_bounded(void **state)
{
	(void)state;
	assert_null(many(10, 100));
	assert_null(many(NAMECONSTRAINTS_SUBTREES_MAX, 32));
	assert_non_null(many(NAMECONSTRAINTS_SUBTREES_MAX + 1, 1));
	assert_non_null(many(NAMECONSTRAINTS_SUBTREES_MAX, 33));
	assert_non_null(many(1000, 10000));
	assert_null(many_of(DER_CONTEXT_CONS(4), 64, 32));
	assert_non_null(many_of(DER_CONTEXT_CONS(4), 64, 33));
}

/* Compares one excluded name with one name of that many bytes until a budget is used up; returns how often. */
static size_t
comparisons_of(uint8_t tag, const char *excluded, size_t excluded_n, struct span name)
{
	struct buf base = buf_max(BYTES_MAX), all = buf_max(BYTES_MAX), constraints = buf_max(BYTES_MAX);
	struct buf list = buf_max(BYTES_MAX), san = buf_max(BYTES_MAX), trees = buf_max(BYTES_MAX);
	struct nameconstraints_budget budget = {.subtrees = SIZE_MAX, .compares = NAMECONSTRAINTS_COMPARES_MAX};
	struct cert ca = {.n_ext = 1}, leaf = {.n_ext = 1, .subject = span_of("\x30\x00", 2)};
	size_t n = 0;

	name_put(&base, &(struct name){tag, excluded, excluded_n});
	wrap(&trees, DER_SEQUENCE, &base);
	wrap(&all, DER_CONTEXT_CONS(1), &trees);
	wrap(&constraints, DER_SEQUENCE, &all);
	name_put(&list, &(struct name){tag, (const char *)name.p, name.n});
	wrap(&san, DER_SEQUENCE, &list);
	ca.ext[0] = (struct cert_ext){OID_NAME_CONSTRAINTS, true, buf_span(&constraints)};
	leaf.ext[0] = (struct cert_ext){OID_SUBJECT_ALT_NAME, false, buf_span(&san)};
	while (nameconstraints_fault(&ca, &leaf, &budget) == NULL)
		n++;
	buf_free(&base);
	buf_free(&trees);
	buf_free(&all);
	buf_free(&constraints);
	buf_free(&list);
	buf_free(&san);
	return n;
}

/* A comparison costs more for longer names: a URI of 64 KB against 2,000 subtrees took a quarter of a second. */
static void
long_names_are_compared_less_often(void **state)
{
	static char uri[20000];
	struct buf rdn = buf_max(BYTES_MAX), name = buf_max(BYTES_MAX);
	size_t most = NAMECONSTRAINTS_COMPARES_MAX;

	(void)state;
	memset(uri, 'a', sizeof uri);
	memcpy(uri + sizeof uri - 9, "://n.test", 9);
	assert_int_equal(comparisons_of(DER_CONTEXT(6), "x.test", 6, span_str("u://n.test")), most);
	assert_true(comparisons_of(DER_CONTEXT(6), "x.test", 6, span_of(uri, sizeof uri)) <=
		    most / (sizeof uri / NAMECONSTRAINTS_BYTES_PER_COMPARE));
	for (size_t i = 0; i < 50; i++)
		buf_put(&rdn, span_of(&CN_A[2], sizeof CN_A - 3));
	wrap(&name, DER_SEQUENCE, &rdn);
	assert_int_equal(comparisons_of(DER_CONTEXT_CONS(4), O_B, sizeof O_B - 1, span_of(CN_A, sizeof CN_A - 1)),
			 most / NAMECONSTRAINTS_DIRECTORY_COST);
	assert_true(comparisons_of(DER_CONTEXT_CONS(4), O_B, sizeof O_B - 1, buf_span(&name)) <=
		    most / NAMECONSTRAINTS_DIRECTORY_COST / (name.n / NAMECONSTRAINTS_BYTES_PER_COMPARE));
	buf_free(&rdn);
	buf_free(&name);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_is_judged),
	    cmocka_unit_test(the_subject_is_a_name_too),
	    cmocka_unit_test(a_mailbox_in_the_subject_is_a_name_too),
	    cmocka_unit_test(t10_the_work_is_bounded),
	    cmocka_unit_test(long_names_are_compared_less_often),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
