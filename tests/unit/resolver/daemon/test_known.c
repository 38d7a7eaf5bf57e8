#include "resolver/daemon/known.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static struct known *known;

static int
begin(void **state)
{
	(void)state;
	known = calloc(1, sizeof *known);
	if (known != NULL)
		known_begin(known);
	return known == NULL;
}

static int
end(void **state)
{
	(void)state;
	free(known);
	return 0;
}

/* What is seen, in this order, and what is reported of each. Leaf, key, issuer and CA are digits; logs are letters. */
static const struct {
	const char *what, *upstream, *address, *facts, *logs;
	bool refused;
	enum journal_kind kind;
	unsigned news;
	bool issuer_changed;
} story[] = {
	{"the first of an upstream", "a", "1", "1111", "xy", false, JOURNAL_FIRST, 31, false},
	{"the same again", "a", "1", "1111", "xy", false, JOURNAL_KNOWN, 0, false},
	{"the same logs in another order", "a", "1", "1111", "yx", false, JOURNAL_KNOWN, 0, false},
	{"another leaf with the same key", "a", "1", "2111", "xy", false, JOURNAL_CHANGE, JOURNAL_LEAF, false},
	{"another leaf with another key", "a", "1", "3211", "xy", false, JOURNAL_CHANGE, JOURNAL_LEAF | JOURNAL_KEY, false},
	{"another leaf with fewer logs", "a", "1", "4211", "x", false, JOURNAL_CHANGE, JOURNAL_LEAF | JOURNAL_SCTS, false},
	{"back to the first one", "a", "1", "1111", "xy", false, JOURNAL_KNOWN, 0, false},
	{"another address with a leaf that is known", "a", "2", "1111", "xy", false, JOURNAL_FIRST, 0, false},
	{"another upstream with the same leaf", "b", "1", "1111", "xy", false, JOURNAL_FIRST, 31, false},
	{"another issuer", "a", "1", "5221", "xy", false, JOURNAL_CHANGE, JOURNAL_LEAF | JOURNAL_ISSUER, true},
	{"back to the issuer before", "a", "1", "1111", "xy", false, JOURNAL_KNOWN, 0, false},
	{"a new address with a new issuer", "a", "3", "6331", "xy", false, JOURNAL_FIRST, JOURNAL_LEAF | JOURNAL_KEY | JOURNAL_ISSUER, true},
	{"nothing of a refused certificate becomes known", "a", "1", "9442", "z", true, JOURNAL_REFUSED, 0, false},
	{"after it a leaf that is known", "a", "1", "1111", "xy", false, JOURNAL_ACCEPTED, 0, false},
	{"acceptance after a refusal is reported once", "a", "1", "1111", "xy", false, JOURNAL_KNOWN, 0, false},
	{"refused again", "a", "1", "9442", "z", true, JOURNAL_REFUSED, 0, false},
	{"and accepted with what was refused", "a", "1", "9442", "z", false, JOURNAL_CHANGE, 31, true},
	{"the same issuer below another CA", "a", "1", "9443", "z", false, JOURNAL_CHANGE, JOURNAL_CA, true},
	{"a certificate without SCTs is not a change of logs", "a", "1", "7442", "", false, JOURNAL_CHANGE, JOURNAL_LEAF, false},
};

static void
each_is_reported_once(void **state)
{
	size_t failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof story / sizeof *story; i++) {
		struct journal_record r = {.kind = story[i].refused ? JOURNAL_REFUSED : JOURNAL_KNOWN, .upstream = span_str(story[i].upstream),
					   .address = span_str(story[i].address), .sha256 = span_of(story[i].facts, 1),
					   .spki_sha256 = span_of(story[i].facts + 1, 1), .issuer_spki_sha256 = span_of(story[i].facts + 2, 1),
					   .anchor_spki_sha256 = span_of(story[i].facts + 3, 1)};
		bool changed;

		for (const char *log = story[i].logs; *log != '\0'; log++)
			r.log_id[r.n_log_id++] = span_of(log, 1);
		changed = known_learn(known, &r);
		if (r.kind != story[i].kind || r.news != story[i].news || changed != story[i].issuer_changed) {
			print_error("%s: kind %s, news %u, issuer changed %d\n", story[i].what, journal_kind_text(r.kind), r.news, changed);
			failed++;
		}
	}
	assert_int_equal(failed, 0);
}

static void
the_oldest_fact_makes_room(void **state)
{
	char text[16];

	(void)state;
	for (int i = 0; i <= KNOWN_MAX + 1; i++) {
		snprintf(text, sizeof text, "%d", i);
		assert_true(known_add(known, KNOWN_LEAF, span_str("a"), span_str(text)));
	}
	assert_false(known_has(known, KNOWN_LEAF, span_str("a"), span_str("0")));
	assert_false(known_has(known, KNOWN_LEAF, span_str("a"), span_str("1")));
	assert_true(known_has(known, KNOWN_LEAF, span_str("a"), span_str("2")));
	assert_true(known_has(known, KNOWN_LEAF, span_str("a"), span_str(text)));
}

static void
facts_differ_in_kind_and_upstream(void **state)
{
	(void)state;
	assert_true(known_add(known, KNOWN_LEAF, span_str("ab"), span_str("c")));
	assert_false(known_has(known, KNOWN_KEY, span_str("ab"), span_str("c")));
	assert_false(known_has(known, KNOWN_LEAF, span_str("a"), span_str("bc")));
	assert_true(known_drop(known, KNOWN_LEAF, span_str("ab"), span_str("c")));
	assert_false(known_drop(known, KNOWN_LEAF, span_str("ab"), span_str("c")));
	assert_true(known_add(known, KNOWN_LEAF, span_str("ab"), span_str("c")));
}

/* The same table as a simple ring, from the oldest place on; a dropped fact leaves its place empty until it is reused. */
struct ring {
	unsigned v[KNOWN_MAX]; /* 0: empty */
	size_t n, next;
};

static size_t
ring_at(const struct ring *r, unsigned id)
{
	size_t i = 0;

	while (i < r->n && r->v[i] != id)
		i++;
	return i;
}

static bool
ring_add(struct ring *r, unsigned id)
{
	if (ring_at(r, id) < r->n)
		return false;
	if (r->n < KNOWN_MAX) {
		r->v[r->n++] = id;
		return true;
	}
	r->v[r->next] = id;
	r->next = (r->next + 1) % KNOWN_MAX;
	return true;
}

static bool
ring_drop(struct ring *r, unsigned id)
{
	size_t at = ring_at(r, id);

	if (at < r->n)
		r->v[at] = 0;
	return at < r->n;
}

static void
hash_chains_find_what_a_search_finds(void **state)
{
	struct ring *ring = calloc(1, sizeof *ring);
	uint32_t random = 1;

	(void)state;
	assert_non_null(ring);
	for (unsigned i = 0; i < 60000; i++) {
		unsigned id = 1 + (random >> 8) % (KNOWN_MAX + KNOWN_MAX / 2);
		const struct span what = span_of((const uint8_t *)&id, sizeof id), up = span_str("a");
		bool drops = (random >> 5) % 8 == 0;

		if ((drops ? known_drop(known, KNOWN_LEAF, up, what) : known_add(known, KNOWN_LEAF, up, what)) !=
		    (drops ? ring_drop(ring, id) : ring_add(ring, id)))
			fail_msg("step %u: %s %u", i, drops ? "drop" : "add", id);
		assert_int_equal(known_has(known, KNOWN_LEAF, up, what), ring_at(ring, id) < ring->n);
		random = random * 1664525 + 1013904223;
	}
	free(ring);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(each_is_reported_once, begin, end),
		cmocka_unit_test_setup_teardown(the_oldest_fact_makes_room, begin, end),
		cmocka_unit_test_setup_teardown(facts_differ_in_kind_and_upstream, begin, end),
		cmocka_unit_test_setup_teardown(hash_chains_find_what_a_search_finds, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
