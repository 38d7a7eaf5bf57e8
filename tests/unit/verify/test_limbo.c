/*
 * test_limbo.c - the cases of x509-limbo (tests/data/vectors/limbo), each judged by vfy_check with CT off.
 *
 * Every difference from the expected result has a row in the table of tests/data/LIMBO.md; a difference without a row
 * fails, and so does a row without a difference.
 */
#include "base/addr.h"
#include "base/text.h"
#include "config/suffix.h"
#include "tests/unit/verify/judged_again.h"
#include "verify/x509/pem.h"
#include "verify/verify.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#define CASES DATA_DIR "/vectors/limbo/cases.json"
#define TABLE DATA_DIR "/LIMBO.md"
#define DIFFERENCES_MAX 128

struct difference {
	char id[128];
	bool accepted; /* by ctstub */
};

static struct difference differences[DIFFERENCES_MAX];
static size_t n_differences;

/* The rows "| case | accepted or refused | why |". */
static int
differences_read(void **state)
{
	FILE *f = fopen(TABLE, "r");
	char line[1024], ours[16];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof line, f) != NULL) {
		struct difference *d = &differences[n_differences];

		if (sscanf(line, "| %127[a-z0-9:-] | %15[a-z] | ", d->id, ours) != 2)
			continue;
		assert_true(strcmp(ours, "accepted") == 0 || strcmp(ours, "refused") == 0 || strcmp(ours, "ours") == 0);
		d->accepted = strcmp(ours, "accepted") == 0;
		assert_true(++n_differences < DIFFERENCES_MAX);
		n_differences -= strcmp(ours, "ours") == 0; /* the head of the table */
	}
	fclose(f);
	return 0;
}

static const struct difference *
difference_of(const char *id)
{
	for (size_t i = 0; i < n_differences; i++)
		if (strcmp(differences[i].id, id) == 0)
			return &differences[i];
	return NULL;
}

struct chain {
	struct buf der[128];
	struct span certs[128];
	size_t n;
};

static void
chain_add(struct chain *c, const char *pem)
{
	struct span text = span_str(pem);

	for (;;) {
		assert_true(c->n < 128);
		c->der[c->n] = buf_max(CERT_BYTES_MAX);
		if (pem_next(&c->der[c->n], &text, "CERTIFICATE") != RES_OK)
			break;
		c->certs[c->n] = buf_span(&c->der[c->n]);
		c->n++;
	}
	buf_free(&c->der[c->n]);
}

static void
chain_free(struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		buf_free(&c->der[i]);
}

/* Every PEM text of an array, one after the other. */
static char *
pems_joined(const json_t *array)
{
	struct buf all = buf_max(16 * 1024 * 1024);
	const json_t *item;
	size_t i;
	char *text;

	json_array_foreach (array, i, item) {
		buf_text(&all, json_string_value(item));
		buf_text(&all, "\n");
	}
	text = buf_take_cstr(&all);
	assert_non_null(text);
	return text;
}

static void
case_input(struct vfy_input *in, struct addr *addr, const json_t *testcase, const struct chain *chain)
{
	const json_t *peer = json_object_get(testcase, "expected_peer_name");
	const char *at = json_string_value(json_object_get(testcase, "validation_time"));
	const char *kind = json_string_value(json_object_get(peer, "kind"));

	*in = (struct vfy_input){.certs = chain->certs, .n_certs = chain->n};
	assert_int_equal(time_read(&in->now_ms, at == NULL ? "2024-01-01T00:00:00Z" : at), RES_OK);
	if (kind != NULL && strcmp(kind, "IP") == 0) {
		assert_int_equal(addr_read_ip(addr, json_string_value(json_object_get(peer, "value"))), RES_OK);
		in->ip = addr_ip(addr);
	} else if (kind != NULL) {
		in->name = json_string_value(json_object_get(peer, "value"));
	}
}

static void
case_judge(struct verdict *v, const json_t *testcase)
{
	static struct chain chain;
	char *anchors = pems_joined(json_object_get(testcase, "trusted_certs"));
	char *crl_text = pems_joined(json_object_get(testcase, "crls"));
	struct vfy_policy policy = {.ct_mode = CT_OFF, .is_public_suffix = suffix_is_public};
	struct trust *trust = NULL;
	struct crls *crls = NULL;
	struct vfy_input in;
	struct vfy_work work;
	struct addr addr;
	const json_t *item;
	size_t i;
	char *why = NULL;

	chain.n = 0;
	chain_add(&chain, json_string_value(json_object_get(testcase, "peer_certificate")));
	json_array_foreach (json_object_get(testcase, "untrusted_intermediates"), i, item)
		chain_add(&chain, json_string_value(item));
	case_input(&in, &addr, testcase, &chain);
	trust_from_pem(&trust, span_str(anchors), &why); /* if they are refused, no anchor is left */
	free(why);
	policy.trust = trust;
	assert_int_equal(crls_new(&crls), RES_OK);
	if (crl_text[0] != '\0') {
		assert_int_equal(crls_add(crls, span_str(crl_text), &why), RES_OK);
		policy.crls = crls;
	}
	vfy_check_work(v, &policy, &in, &work);
	assert_true(judged_again_same(v, &work, &policy, in));
	trust_free(trust);
	crls_free(crls);
	chain_free(&chain);
	free(anchors);
	free(crl_text);
}

static void
every_case_agrees_or_is_in_the_table(void **state)
{
	json_t *all = json_load_file(CASES, 0, NULL);
	const json_t *testcase;
	size_t i, wrong = 0, named = 0;

	(void)state;
	if (all == NULL)
		fail_msg("no %s", CASES);
	json_array_foreach (json_object_get(all, "testcases"), i, testcase) {
		const char *id = json_string_value(json_object_get(testcase, "id"));
		const char *expected = json_string_value(json_object_get(testcase, "expected_result"));
		const struct difference *known = difference_of(id);
		struct verdict v = {0};
		bool want, have;

		case_judge(&v, testcase);
		have = verdict_accepted(&v);
		want = strcmp(expected, "SUCCESS") == 0;
		if ((have != want) != (known != NULL) || (known != NULL && known->accepted != have)) {
			print_error("%s: expected %s, judged %s (%s: %s)%s\n", id, expected, have ? "accepted" : "refused",
			    reason_code(verdict_reason(&v)), verdict_finding(&v) == NULL ? "" : verdict_finding(&v)->text,
			    known != NULL ? ", and the table names another difference" : "");
			wrong++;
		}
		named += known != NULL;
		verdict_clear(&v);
	}
	json_decref(all);
	assert_int_equal(wrong, 0);
	assert_int_equal(named, n_differences);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_case_agrees_or_is_in_the_table),
	};

	return cmocka_run_group_tests(tests, differences_read, NULL);
}
