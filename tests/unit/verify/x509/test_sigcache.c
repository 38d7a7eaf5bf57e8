/*
 * test_sigcache.c - known valid signatures change only the cost of a verdict, never its result.
 *
 * That all other tests of the judge give the same verdict with a cache as without is asserted in judged_again.h.
 */
#include "tests/unit/verify/forged.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct sigcache_key
key_of(enum sigcache_kind kind, const char *first, const char *second)
{
	const struct span parts[] = {span_str(first), span_str(second)};
	struct sigcache_key key;

	assert_true(sigcache_key(&key, kind, parts, 2));
	return key;
}

/* The n-th of many keys. */
static struct sigcache_key
key_numbered(size_t n)
{
	char text[32];

	snprintf(text, sizeof text, "%zu", n);
	return key_of(SIGCACHE_CERT, text, "");
}

static struct sigcache *
cache_new(void)
{
	struct sigcache *c = NULL;

	assert_int_equal(sigcache_new(&c), RES_OK);
	return c;
}

/* ---- the cache */

static void
another_check_has_another_key(void **state)
{
	static const struct {
		const char *what;
		enum sigcache_kind kind;
		const char *first, *second;
	} rows[] = {
	    {"the check itself", SIGCACHE_CERT, "certificate", "key"},
	    {"of another kind", SIGCACHE_SCT, "certificate", "key"},
	    {"another certificate", SIGCACHE_CERT, "certificatf", "key"},
	    {"another key", SIGCACHE_CERT, "certificate", "kez"},
	    {"the same bytes, divided elsewhere", SIGCACHE_CERT, "certificatek", "ey"},
	    {"all in the first part", SIGCACHE_CERT, "certificatekey", ""},
	    {"the parts exchanged", SIGCACHE_CERT, "key", "certificate"},
	};
	struct sigcache *c = cache_new();
	struct sigcache_key key = key_of(rows[0].kind, rows[0].first, rows[0].second);

	(void)state;
	sigcache_add(c, &key, 20);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		key = key_of(rows[i].kind, rows[i].first, rows[i].second);
		if ((sigcache_cost(c, &key) == 20) != (i == 0))
			fail_msg("%s", rows[i].what);
	}
	sigcache_free(c);
}

/* A part with bytes that look like its end and the beginning of another part. */
static void
a_part_cannot_look_like_two(void **state)
{
	const struct span left[] = {span_of("a\0\0\0\0\0b", 7), span_of("c", 1)};
	const struct span right[] = {span_of("a", 1), span_of("b\0\0\0\0\0c", 7)};
	struct sigcache_key one, other;

	(void)state;
	assert_true(sigcache_key(&one, SIGCACHE_CERT, left, 2) && sigcache_key(&other, SIGCACHE_CERT, right, 2));
	assert_memory_not_equal(one.sha256, other.sha256, 32);
}

static void
a_full_cache_replaces_and_stays_bounded(void **state)
{
	struct sigcache *c = cache_new();

	(void)state;
	for (size_t i = 0; i < 20 * SIGCACHE_MAX; i++) {
		struct sigcache_key key = key_numbered(i);

		assert_int_equal(sigcache_cost(c, &key), 0);
		sigcache_add(c, &key, (unsigned)(i % 80 + 1));
		sigcache_add(c, &key, 99); /* known already: it takes no second place and keeps its cost */
		assert_int_equal(sigcache_cost(c, &key), i % 80 + 1);
		assert_true(sigcache_count(c) <= SIGCACHE_MAX && sigcache_count(c) <= i + 1);
	}
	assert_int_equal(sigcache_count(c), SIGCACHE_MAX);
	sigcache_free(c);
}

static void
a_newer_generation_forgets_and_an_older_one_gets_nothing(void **state)
{
	struct sigcache *c = cache_new();
	struct sigcache_key key = key_numbered(1);

	(void)state;
	assert_null(sigcache_under(NULL, 1));
	assert_ptr_equal(sigcache_under(c, 7), c);
	sigcache_add(c, &key, 4);
	assert_ptr_equal(sigcache_under(c, 7), c);
	assert_int_equal(sigcache_cost(c, &key), 4);
	assert_ptr_equal(sigcache_under(c, 8), c);
	assert_int_equal(sigcache_count(c), 0);
	sigcache_add(c, &key, 4);
	assert_null(sigcache_under(c, 7));
	assert_int_equal(sigcache_cost(c, &key), 4); /* the older generation gets no cache, and removes nothing from it */
	sigcache_free(c);
}

/* ---- the judge with it */

/* The reasons for the chain of f, with a cache, joined by commas. */
static const char *
reasons_known(struct forged *f, struct sigcache *known)
{
	const char *reasons;

	f->in.known = known;
	reasons = forged_reasons(f, NULL);
	f->in.known = NULL;
	return reasons;
}

/* Knows all signatures of the good chain and its SCTs. */
static struct sigcache *
cache_of_good(void)
{
	struct sigcache *c = cache_new();
	struct forged f;

	forged_begin(&f);
	forged_good(&f);
	assert_string_equal(reasons_known(&f, c), "");
	assert_int_equal(sigcache_count(c), 4); /* two of CAs, two of logs */
	forged_end(&f);
	return c;
}

static void
signature_other(struct forged *f)
{
	forged_bad_signature(f); /* the same signed bytes */
}

/* It has the name and the key identifier of the real root, and another key. */
static void
key_other(struct forged *f)
{
	struct forge ca;

	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
	forged_ca(&ca, CA_ROOT);
	ca.key = ca.issuer_key = world_key(forged_world(), "not-the-root", KEY_P256);
	assert_non_null(ca.key);
	forged_anchor_forge(f, &ca);
	forge_free(&ca);
}

static void
anchor_none(struct forged *f)
{
	forged_put_leaf(f, CA_ISSUING);
	forged_put_ca(f, CA_ISSUING);
	forged_anchor(f, CA_STRANGER_ROOT);
}

static void
date_other(struct forged *f)
{
	forged_good(f);
	f->in.now_ms += 200 * DAY_MS;
}

static void
address_other(struct forged *f)
{
	forged_good(f);
	f->ip[3] = 2;
}

static void
disallowed(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->disallow = forged_entries(forged_spki_entry(entry, CA_ISSUING));
}

static void
pinned_elsewhere(struct forged *f)
{
	char entry[128];

	forged_good(f);
	f->pins = forged_entries(forged_spki_entry(entry, CA_STRANGER_ROOT));
}

static void
logs_none(struct forged *f)
{
	forged_good(f);
	f->policy.ctlogs = NULL;
}

static void
anchor_limited(struct forged *f)
{
	forged_good(f);
	forged_constraint(f, CA_ROOT, "distrusted-since 2026-11-01T00:00:00Z");
}

static void
good(struct forged *f)
{
	forged_good(f);
}

static const struct row {
	const char *what;
	void (*make)(struct forged *);
	const char *reasons; /* NULL: the same as without a cache, and not none */
} rows[] = {
    {"the chain itself", good, ""},
    {"the same signed bytes with another signature", signature_other, "bad-signature,ct-too-few-scts"},
    {"an anchor with the root's name and key identifier, and another key", key_other, NULL},
    {"no anchor that signed it", anchor_none, NULL},
    {"the chain when it has expired", date_other, NULL},
    {"the chain for another address", address_other, "ip-mismatch"},
    {"the chain once its CA's key is disallowed", disallowed, "disallowed"},
    {"the chain once another key is pinned", pinned_elsewhere, "pin-mismatch"},
    {"the chain without a list of logs", logs_none, "ct-list-missing"},
    {"the chain once its anchor is limited", anchor_limited, NULL},
};

static void
a_cache_of_a_good_chain_excuses_no_fault(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct sigcache *c = cache_of_good();
		char without[256];
		struct forged f;

		forged_begin(&f);
		rows[i].make(&f);
		snprintf(without, sizeof without, "%s", forged_reasons(&f, NULL));
		if (rows[i].reasons != NULL ? strcmp(without, rows[i].reasons) != 0 : without[0] == '\0')
			fail_msg("%s: %s", rows[i].what, without);
		if (strcmp(reasons_known(&f, c), without) != 0)
			fail_msg("%s, with a cache: %s", rows[i].what, reasons_known(&f, c));
		forged_end(&f);
		sigcache_free(c);
	}
}

static void
a_refused_chain_leaves_behind_nothing_that_excuses_or_blames(void **state)
{
	struct sigcache *c = cache_new();
	struct forged f;

	(void)state;
	for (size_t i = 1; i < sizeof rows / sizeof *rows; i++) {
		forged_begin(&f);
		rows[i].make(&f);
		assert_string_not_equal(reasons_known(&f, c), "");
		forged_end(&f);
	}
	for (int i = 0; i < 2; i++) {
		forged_begin(&f);
		forged_good(&f);
		assert_string_equal(reasons_known(&f, c), "");
		forged_end(&f);
		forged_begin(&f);
		signature_other(&f);
		assert_string_equal(reasons_known(&f, c), "bad-signature,ct-too-few-scts");
		forged_end(&f);
	}
	sigcache_free(c);
}

/* An invalid signature is computed each time. */
static void
invalid_signatures_are_not_kept(void **state)
{
	struct sigcache *c = cache_new();
	struct forged f;

	(void)state;
	forged_begin(&f);
	forged_put_leaf(&f, CA_STRANGER_ISSUING);
	f.der[0].p[f.der[0].n - 1] ^= 1;
	forged_put_ca(&f, CA_STRANGER_ISSUING);
	forged_anchor(&f, CA_ROOT);
	assert_string_not_equal(reasons_known(&f, c), "");
	assert_int_equal(sigcache_count(c), 0);
	forged_end(&f);
	sigcache_free(c);
}

/* The cache is used: with a false fact in it, a broken signature is accepted. */
static void
a_known_signature_is_not_computed(void **state)
{
	struct sigcache *c = cache_new();
	struct cert leaf, ca;
	struct sigcache_key key;
	struct forged f;

	(void)state;
	forged_begin(&f);
	forged_bad_signature(&f);
	assert_int_equal(cert_read(&leaf, f.certs[0]), RES_OK);
	assert_int_equal(cert_read(&ca, f.certs[1]), RES_OK);
	assert_true(sigcache_key(&key, SIGCACHE_CERT,
				 (const struct span[]){span_of(leaf.sha256, 32), span_of(ca.spki_sha256, 32)}, 2));
	sigcache_add(c, &key, 20);
	assert_string_equal(reasons_known(&f, c), "");
	assert_string_equal(reasons_known(&f, NULL), "bad-signature,ct-too-few-scts");
	forged_end(&f);
	sigcache_free(c);
}

/* A hit counts against the budget as much as the check would, so a cache lets no costlier chain pass. */
static void
a_hit_takes_its_part_of_the_budget(void **state)
{
	struct signature_budget budget = {.max = 3, .cost_max = 100};
	const struct span part = span_str("a check");
	struct signature_fact fact;

	(void)state;
	budget.known = cache_new();
	assert_int_equal(signature_known(&fact, &budget, SIGCACHE_CERT, &part, 1), RES_NOT_FOUND);
	assert_true(signature_budget_take(&budget, 42));
	signature_keep(&fact, &budget);
	assert_int_equal(signature_known(&fact, &budget, SIGCACHE_CERT, &part, 1), RES_OK);
	assert_int_equal(budget.used, 2);
	assert_int_equal(budget.cost, 84);
	assert_int_equal(signature_known(&fact, &budget, SIGCACHE_CERT, &part, 1), RES_LIMIT); /* 126 of 100 */
	assert_int_equal(budget.used, 2);
	sigcache_free(budget.known);
}

/* ---- threads, each with its own */

struct one_thread {
	struct vfy_policy policy;
	struct vfy_input in;
	bool all_accepted;
};

static void *
thread_judge(void *arg)
{
	struct one_thread *t = arg;
	struct sigcache *c = NULL;

	t->all_accepted = sigcache_new(&c) == RES_OK;
	t->in.known = c;
	for (int i = 0; i < 20; i++) {
		struct verdict v = {0};

		vfy_check(&v, &t->policy, &t->in);
		t->all_accepted &= verdict_accepted(&v);
		verdict_clear(&v);
	}
	sigcache_free(c);
	return NULL;
}

static void
threads_have_caches_of_their_own(void **state)
{
	struct one_thread t[2];
	pthread_t thread[2];
	struct forged f;

	(void)state;
	forged_begin(&f);
	forged_good(&f);
	assert_string_equal(forged_reasons(&f, NULL), "");
	for (int i = 0; i < 2; i++) {
		t[i] = (struct one_thread){.policy = f.policy, .in = f.in};
		assert_int_equal(pthread_create(&thread[i], NULL, thread_judge, &t[i]), 0);
	}
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(thread[i], NULL), 0);
		assert_true(t[i].all_accepted);
	}
	forged_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(another_check_has_another_key),
	    cmocka_unit_test(a_part_cannot_look_like_two),
	    cmocka_unit_test(a_full_cache_replaces_and_stays_bounded),
	    cmocka_unit_test(a_newer_generation_forgets_and_an_older_one_gets_nothing),
	    cmocka_unit_test(a_cache_of_a_good_chain_excuses_no_fault),
	    cmocka_unit_test(a_refused_chain_leaves_behind_nothing_that_excuses_or_blames),
	    cmocka_unit_test(invalid_signatures_are_not_kept),
	    cmocka_unit_test(a_known_signature_is_not_computed),
	    cmocka_unit_test(a_hit_takes_its_part_of_the_budget),
	    cmocka_unit_test(threads_have_caches_of_their_own),
	};

	return cmocka_run_group_tests(tests, forged_world_open, forged_world_close);
}
