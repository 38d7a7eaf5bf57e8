/*
 * test_policies.c - certificate policies along a path, with certificates that have no other fields.
 *
 * A row is a path below its anchor, written as its extensions, the topmost CA first and the leaf last:
 *   P1,P2  policies (any: anyPolicy)    M1>2  maps policy 1 to 2    E0  requireExplicitPolicy 0
 *   I0     inhibitPolicyMapping 0       A0    inhibitAnyPolicy 0    S   self-issued         BAD  an unreadable extension
 */
#include "contrib/lab/pki/derw.h"
#include "verify/x509/oid.h"
#include "verify/x509/policies.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATH_MAX_CERTS 6

static const struct row {
	const char *what;
	const char *path[PATH_MAX_CERTS];
	int blamed; /* counted from the top; -1: no certificate */
} rows[] = {
    {"no policies and no demands", {"", "", ""}, -1},
    {"policies without a demand", {"P1", "P2", "P3"}, -1},
    {"a demand that every certificate meets", {"P1 E0", "P1", "P1"}, -1},
    {"a demand that the leaf does not meet", {"P1 E0", "P1", ""}, 2},
    {"a demand that the leaf meets with another policy", {"P1 E0", "P1", "P2"}, 2},
    {"a demand that an intermediate does not meet", {"P1 E0", "", "P1"}, 1},
    {"the certificate at fault is above the demand", {"P1", "", "P1 E0"}, 1},
    {"one of several policies is enough", {"P1,P2 E0", "P2,P3", "P3,P2"}, -1},
    {"no policy is common to all", {"P1,P2 E0", "P2,P3", "P3,P1"}, 2},
    {"a demand after one more certificate", {"P1 E1", "P1", ""}, 2},
    {"a demand that comes after the leaf", {"P1 E2", "", ""}, 1},
    {"a demand that comes too late", {"P1 E3", "", ""}, -1},
    {"self-issued certificates do not count", {"P1 E2", "S", "S", "S", ""}, -1},
    {"the leaf after self-issued certificates counts", {"P1 E1", "S", "S", "S", ""}, 1},
    {"a demand of the leaf itself", {"P1", "P1", "P1 E0"}, -1},
    {"a demand of the leaf that it does not meet", {"P1", "P1", "E0"}, 2},
    {"a later demand in the leaf has no effect", {"P1", "P1", "E1"}, -1},
    {"a later certificate can only tighten a demand", {"P1 E0", "E5 P1", ""}, 2},

    {"anyPolicy allows every policy", {"Pany E0", "Pany", "P1"}, -1},
    {"anyPolicy of the leaf", {"P1 E0", "P1", "Pany"}, -1},
    {"anyPolicy beside a policy", {"P1,Pany E0", "P2", "P2"}, -1},
    {"anyPolicy is inhibited", {"P1 E0 A0", "Pany", "P1"}, 1},
    {"anyPolicy is inhibited after one more", {"P1 E0 A1", "Pany", "Pany"}, 2},
    {"anyPolicy of a self-issued CA is not inhibited", {"P1 E0 A0", "S Pany", "P1"}, -1},
    {"anyPolicy of a self-issued leaf is inhibited", {"P1 E0 A0", "P1", "S Pany"}, 2},
    {"anyPolicy is inhibited without a demand", {"A0", "Pany", "Pany"}, -1},

    {"a mapped policy", {"P1 E0 M1>2", "P2", "P2"}, -1},
    {"a mapped policy under its old name", {"P1 E0 M1>2", "P1", "P1"}, 1},
    {"mapped to two", {"P1 E0 M1>2 M1>3", "P3", "P3"}, -1},
    {"two policies are mapped to one", {"P1,P2 E0 M1>3 M2>3", "P3", "P3"}, -1},
    {"mapped twice", {"P1 E0 M1>2", "P2 M2>3", "P3"}, -1},
    {"a mapping of an absent policy", {"P1 E0 M2>3", "P3", "P3"}, 1},
    {"a mapping leaves other policies unchanged", {"P1,P2 E0 M2>3", "P1", "P1"}, -1},
    {"a swap", {"P1,P2 E0 M1>2 M2>1", "P1", "P1"}, -1},
    {"any policy may be mapped below anyPolicy", {"Pany E0 M1>2", "P2", "P2"}, -1},
    {"mapping is inhibited", {"P1 E0 I0", "P1 M1>2", "P2"}, 1},
    {"mapping is inhibited from the next certificate on", {"P1 E0 I1", "P1 M1>2", "P2"}, -1},
    {"mapping is inhibited and another policy is left", {"P1,P2 E0 I0", "P1,P2 M1>2", "P2"}, -1},
    {"a mapping in the certificate that inhibits mapping", {"P1 E0 I0 M1>2", "P2", "P2"}, -1},
    {"anyPolicy is mapped", {"P1 Many>2", "P1", "P1"}, 0},
    {"mapped to anyPolicy", {"P1 M1>any", "P1", "P1"}, 0},

    {"a policy twice", {"P1,P1", "", ""}, 0},
    {"an unreadable extension", {"", "BAD", ""}, 1},
};

static void
oid_put(struct buf *out, const char *name)
{
	char dotted[48];

	snprintf(dotted, sizeof dotted, "1.3.6.1.4.1.55555.%.*s", (int)strspn(name, "0123456789"), name);
	derw_oid(out, strncmp(name, "any", 3) == 0 ? "2.5.29.32.0" : dotted);
}

/* The extension values for the text of a certificate. */
struct made {
	struct cert cert;
	struct buf policies, mappings, constraints, inhibit;
	struct buf bodies[2]; /* of policies and of mappings, without their header */
	char explicit_after, inhibit_mapping;
};

static void
policies_put(struct made *m, const char *word)
{
	for (const char *p = word; p != NULL && *p == 'P'; p = strchr(p, ',') == NULL ? NULL : strchr(p, ',') + 1) {
		size_t info = derw_open(&m->bodies[0], DERW_SEQUENCE);

		oid_put(&m->bodies[0], p + 1);
		derw_close(&m->bodies[0], info);
	}
}

static void
mapping_put(struct made *m, const char *word)
{
	size_t pair = derw_open(&m->bodies[1], DERW_SEQUENCE);

	oid_put(&m->bodies[1], word + 1);
	oid_put(&m->bodies[1], strchr(word, '>') + 1);
	derw_close(&m->bodies[1], pair);
}

static void
word_apply(struct made *m, const char *word)
{
	switch (word[0]) {
	case 'P':
		policies_put(m, word);
		break;
	case 'M':
		mapping_put(m, word);
		break;
	case 'E':
		m->explicit_after = word[1];
		break;
	case 'I':
		m->inhibit_mapping = word[1];
		break;
	case 'A':
		derw_number(&m->inhibit, DERW_INTEGER, (uint32_t)(word[1] - '0'));
		break;
	case 'S':
		m->cert.issuer = m->cert.subject;
		break;
	case 'B':
		derw_null(&m->policies);
		break;
	default:
		fail_msg("%s", word);
	}
}

static void
extension_add(struct made *m, struct span oid, const struct buf *value)
{
	if (value->n > 0)
		m->cert.ext[m->cert.n_ext++] = (struct cert_ext){oid, true, buf_span(value)};
}

static void
constraints_put(struct made *m)
{
	size_t whole;

	if (m->explicit_after == 0 && m->inhibit_mapping == 0)
		return;
	whole = derw_open(&m->constraints, DERW_SEQUENCE);
	if (m->explicit_after != 0)
		derw_number(&m->constraints, DERW_CONTEXT(0), (uint32_t)(m->explicit_after - '0'));
	if (m->inhibit_mapping != 0)
		derw_number(&m->constraints, DERW_CONTEXT(1), (uint32_t)(m->inhibit_mapping - '0'));
	derw_close(&m->constraints, whole);
}

static void
made_finish(struct made *m)
{
	if (m->bodies[0].n > 0)
		derw_tlv(&m->policies, DERW_SEQUENCE, buf_span(&m->bodies[0]));
	if (m->bodies[1].n > 0)
		derw_tlv(&m->mappings, DERW_SEQUENCE, buf_span(&m->bodies[1]));
	constraints_put(m);
	extension_add(m, OID_POLICIES, &m->policies);
	extension_add(m, OID_POLICY_MAPPINGS, &m->mappings);
	extension_add(m, OID_POLICY_CONSTRAINTS, &m->constraints);
	extension_add(m, OID_INHIBIT_ANY_POLICY, &m->inhibit);
}

static void
made_from(struct made *m, const char *text)
{
	char words[128], *rest = words;

	memset(m, 0, sizeof *m);
	m->policies = m->mappings = m->constraints = m->inhibit = m->bodies[0] = m->bodies[1] = buf_max(4096);
	m->cert.subject = span_str("subject");
	m->cert.issuer = span_str("issuer");
	snprintf(words, sizeof words, "%s", text);
	for (char *word; (word = strsep(&rest, " ")) != NULL;)
		if (word[0] != '\0')
			word_apply(m, word);
	made_finish(m);
}

static void
made_free(struct made *m)
{
	buf_free(&m->policies);
	buf_free(&m->mappings);
	buf_free(&m->constraints);
	buf_free(&m->inhibit);
	buf_free(&m->bodies[0]);
	buf_free(&m->bodies[1]);
}

static void
every_path_is_judged_as_its_row_says(void **state)
{
	static struct made made[PATH_MAX_CERTS];
	size_t wrong = 0;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct cert *certs[PATH_MAX_CERTS];
		const char *fault;
		size_t n = 0, at = 0;
		int blamed;

		while (n < PATH_MAX_CERTS && rows[i].path[n] != NULL)
			n++;
		for (size_t k = 0; k < n; k++) {
			made_from(&made[k], rows[i].path[k]);
			certs[n - 1 - k] = &made[k].cert;
		}
		fault = policies_fault(&at, certs, n);
		blamed = fault == NULL ? -1 : (int)(n - 1 - at);
		if (blamed != rows[i].blamed) {
			print_error("%s: %d (%s), expected %d\n", rows[i].what, blamed, fault == NULL ? "fine" : fault,
			    rows[i].blamed);
			wrong++;
		}
		for (size_t k = 0; k < n; k++)
			made_free(&made[k]);
	}
	assert_int_equal(wrong, 0);
}

/* n policies, and n mappings of one of them. */
static const char *
many(size_t policies, size_t mappings)
{
	static struct made made;
	const struct cert *certs[] = {&made.cert};
	const char *fault;
	char word[32];
	size_t at;

	made_from(&made, "");
	for (size_t i = 0; i < policies; i++) {
		snprintf(word, sizeof word, "P%zu", i + 1);
		policies_put(&made, word);
	}
	for (size_t i = 0; i < mappings; i++) {
		snprintf(word, sizeof word, "M%zu>9", i + 1);
		mapping_put(&made, word);
	}
	made_finish(&made);
	fault = policies_fault(&at, certs, 1);
	made_free(&made);
	return fault;
}

static void
the_work_is_bounded(void **state)
{
	(void)state;
	assert_null(many(POLICIES_MAX, POLICIES_MAX));
	assert_non_null(many(POLICIES_MAX + 1, 0));
	assert_non_null(many(1, POLICIES_MAX + 1));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_path_is_judged_as_its_row_says),
	    cmocka_unit_test(the_work_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
