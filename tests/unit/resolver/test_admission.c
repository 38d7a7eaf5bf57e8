/* Which question gives way: floods of names without an answer next to the questions of other clients, on a scripted clock. */
#include "resolver/admission.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MAX        4096
#define PRESSED    3072
#define PATIENCE   4000 /* ms a question may take */
#define RUN_MS     12000
#define MEASURE_MS 3000 /* losses count from here on, when the flood has filled every place */
#define GOOD_EVERY 20   /* ms */

enum zones { ONE, SOME, EVER_NEW, AS_GOOD };

/* A flood, and the questions of other clients, of which at most one in a hundred may be lost. */
static const struct {
	const char *what;
	unsigned rate; /* of the flood, a second */
	enum zones zones;
	unsigned flood_ms; /* until its questions are answered; 0: never */
	bool ports;        /* a new source port for each */
	bool elsewhere;    /* from another address */
	unsigned good_ms;  /* until the others' questions are answered */
	enum zones good;
} rows[] = {
    {"dead names of one domain, 1,000 a second", 1000, ONE, 0, false, false, 30, ONE},
    {"dead names of one domain, 5,000 a second", 5000, ONE, 0, false, false, 30, ONE},
    {"the same from ever new ports", 5000, ONE, 0, true, false, 30, ONE},
    {"the same beside ever new domains", 5000, ONE, 0, true, false, 30, EVER_NEW},
    {"the same beside slow answers", 5000, ONE, 0, true, false, 900, ONE},
    {"dead names of three hundred domains", 5000, SOME, 0, false, false, 30, ONE},
    {"the same from ever new ports", 5000, SOME, 0, true, false, 30, ONE},
    {"the same beside ever new domains", 5000, SOME, 0, true, false, 30, EVER_NEW},
    {"ever new dead domains", 5000, EVER_NEW, 0, false, false, 30, ONE},
    {"the same from ever new ports", 5000, EVER_NEW, 0, true, false, 30, ONE},
    {"the same beside ever new domains", 5000, EVER_NEW, 0, true, false, 30, EVER_NEW},
    {"the same beside slow answers", 5000, EVER_NEW, 0, true, false, 300, ONE},
    {"ever new dead domains, 20,000 a second", 20000, EVER_NEW, 0, true, false, 30, ONE},
    {"dead names of the domain that other clients ask for", 5000, AS_GOOD, 0, true, false, 30, ONE},
    {"names of one domain that are answered late", 5000, ONE, 3000, true, false, 30, ONE},
    {"names of three hundred domains that are answered late", 5000, SOME, 3000, true, false, 30, ONE},
    {"names of ever new domains that are answered late", 5000, EVER_NEW, 3000, true, false, 30, ONE},
    {"the same beside ever new domains", 5000, EVER_NEW, 3000, true, false, 30, EVER_NEW},
    {"ever new dead domains from another address", 5000, EVER_NEW, 0, true, true, 30, ONE},
    {"the domain of other clients, from another address", 5000, AS_GOOD, 0, true, true, 30, ONE},
};

struct question {
	struct admission_entry entry; /* first */
	int64_t due_ms;               /* answered then; INT64_MAX: never */
	bool good;
};

struct play {
	struct admission *a;
	struct question question[MAX];
	struct question *free[MAX];
	size_t n_free;
	uint64_t next; /* the next unused number */
	unsigned asked, lost;
	int64_t now;
};

static void
leave(struct play *p, struct question *q, bool answered)
{
	if (answered)
		admission_answered(p->a, q->entry.zone, p->now);
	else if (q->good && p->now >= MEASURE_MS)
		p->lost++;
	admission_leave(p->a, &q->entry);
	p->free[p->n_free++] = q;
}

static uint64_t
zone(struct play *p, enum zones zones, bool good)
{
	switch (zones) {
	case ONE:
		return good ? 1 : 2;
	case AS_GOOD:
		return 1;
	case SOME:
		return 1000 + p->next * 7919 % 300;
	case EVER_NEW:
		break;
	}
	return UINT64_C(0x9e3779b97f4a7c15) * (p->next + 5000);
}

static void
ask(struct play *p, uint64_t of, const struct addr *from, unsigned ms, bool good)
{
	const struct admission_claim claim = {of, from};
	struct admission_entry *victim;
	struct question *q;

	p->next++;
	if (good && p->now >= MEASURE_MS)
		p->asked++;
	if (!admission_admits(p->a, &claim, p->now, &victim)) {
		p->lost += good && p->now >= MEASURE_MS;
		return;
	}
	if (victim == NULL && admission_count(p->a) >= PRESSED)
		victim = admission_worst(p->a, p->now);
	if (victim != NULL)
		leave(p, (struct question *)(void *)victim, false);
	q = p->free[--p->n_free];
	q->good = good;
	q->due_ms = ms == 0 ? INT64_MAX : p->now + ms;
	assert_true(admission_enter(p->a, &q->entry, &claim, p->now));
}

static void
turn(struct play *p)
{
	for (size_t i = 0; i < MAX; i++) {
		struct question *q = &p->question[i];

		if (q->entry.at == 0)
			continue;
		if (p->now >= q->due_ms)
			leave(p, q, true);
		else if (p->now >= q->entry.since_ms + PATIENCE)
			leave(p, q, false);
	}
}

static void
a_flood_starves_only_itself(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct play *p = calloc(1, sizeof *p);
		struct addr good, bad;
		unsigned owed = 0;

		assert_non_null(p);
		assert_int_equal(admission_new(&p->a, MAX), RES_OK);
		assert_int_equal(addr_read(&good, "127.0.0.1", 1000), RES_OK);
		assert_int_equal(addr_read(&bad, rows[i].elsewhere ? "127.0.0.9" : "127.0.0.1", 2000), RES_OK);
		while (p->n_free < MAX) {
			p->free[p->n_free] = &p->question[p->n_free];
			p->n_free++;
		}
		for (; p->now < RUN_MS; p->now++) {
			turn(p);
			for (owed += rows[i].rate; owed >= 1000; owed -= 1000) {
				bad.port = rows[i].ports ? (uint16_t)(2000 + p->next % 60000) : 2000;
				ask(p, zone(p, rows[i].zones, false), &bad, rows[i].flood_ms, false);
			}
			if (p->now % GOOD_EVERY == 0)
				ask(p, zone(p, rows[i].good, true), &good, rows[i].good_ms, true);
		}
		if (p->asked < 400 || p->lost * 100 > p->asked)
			fail_msg("%s: %u of %u were lost", rows[i].what, p->lost, p->asked);
		admission_free(p->a);
		free(p);
	}
}

/* ---- the rules one by one */

#define SAME_SET (7 | UINT64_C(1) << 32) /* of the domains that answered, as 7 */

static struct admission_entry entry[MAX];

static struct admission *
filled(unsigned n, uint64_t of, const struct addr *from, int64_t at_ms)
{
	struct admission *a;

	assert_int_equal(admission_new(&a, MAX), RES_OK);
	memset(entry, 0, sizeof entry);
	for (unsigned i = 0; i < n; i++)
		assert_true(admission_enter(a, &entry[i], &(struct admission_claim){of, from}, at_ms + i));
	return a;
}

static void
a_domain_is_shut_out_only_if_it_alone_does_not_answer(void **state)
{
	static const struct {
		const char *what;
		unsigned n;
		int64_t now_ms, other_ms, own_ms; /* when another, or the domain itself, answered; -1: never */
		bool admitted, victim;
	} cases[] = {
	    {"few questions", ADMISSION_GROUP - 1, 3000, 2000, -1, true, false},
	    {"many late questions; other domains answered", ADMISSION_GROUP, 3000, 2000, -1, false, false},
	    {"many questions that are not late", ADMISSION_GROUP, ADMISSION_LATE_MS - 1, 500, -1, true, false},
	    {"many questions that are just late", ADMISSION_GROUP, ADMISSION_LATE_MS, 500, -1, false, false},
	    {"no domain ever answered", ADMISSION_GROUP, 3000, -1, -1, true, false},
	    {"no domain answered since the first question", ADMISSION_GROUP, 3000, 0, -1, true, false},
	    {"the domain answered recently", ADMISSION_GROUP, 3000, -1, 2000, true, true},
	    {"the domain and others answered recently", ADMISSION_GROUP, 3000, 2500, 2000, true, true},
	    {"the domain answered, at the end of its trust", ADMISSION_GROUP, 2000 + ADMISSION_TRUST_MS - 1, -1, 2000,
	     true, true},
	    {"the domain answered long ago", ADMISSION_GROUP, 2000 + ADMISSION_TRUST_MS, -1, 2000, false, false},
	};
	struct addr from;

	(void)state;
	assert_int_equal(addr_read(&from, "127.0.0.1", 1000), RES_OK);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct admission *a = filled(cases[i].n, 7, &from, 0);
		struct admission_entry *victim;
		bool admitted;

		if (cases[i].other_ms >= 0)
			admission_answered(a, SAME_SET, cases[i].other_ms);
		if (cases[i].own_ms >= 0)
			admission_answered(a, 7, cases[i].own_ms);
		admitted = admission_admits(a, &(struct admission_claim){7, &from}, cases[i].now_ms, &victim);
		if (admitted != cases[i].admitted || (victim != NULL) != cases[i].victim)
			fail_msg("%s", cases[i].what);
		if (victim != NULL)
			assert_ptr_equal(victim, &entry[0]); /* its oldest */
		admission_free(a);
	}
}

static void
places_are_counted(void **state)
{
	struct addr from;
	struct admission *a;
	struct admission_entry one_more = {0};

	(void)state;
	assert_int_equal(addr_read(&from, "::1", 1000), RES_OK);
	a = filled(MAX, 7, &from, 0);
	assert_int_equal(admission_count(a), MAX);
	assert_false(admission_enter(a, &one_more, &(struct admission_claim){9, &from}, 1));
	admission_leave(a, &one_more); /* is not in */
	for (unsigned i = 0; i < MAX; i += 2)
		admission_leave(a, &entry[i]);
	admission_leave(a, &entry[0]);
	assert_int_equal(admission_count(a), MAX / 2);
	assert_ptr_equal(TAILQ_FIRST(&entry[1].group->list), &entry[1]);
	assert_int_equal(entry[1].group->weight, MAX / 2);
	admission_weigh(&entry[1], 5);
	admission_weigh(&entry[1], -2);
	assert_int_equal(entry[1].address->weight, MAX / 2 + 3);
	for (unsigned i = 1; i < MAX; i += 2)
		admission_leave(a, &entry[i]);
	assert_int_equal(admission_count(a), 0);
	assert_null(admission_worst(a, 5));
	assert_true(admission_enter(a, &one_more, &(struct admission_claim){9, &from}, 1));
	assert_ptr_equal(admission_worst(a, 5), &one_more);
	admission_leave(a, &one_more);
	admission_free(a);
}

static void
the_worst_of_few_is_always_found(void **state)
{
	(void)state;
	for (unsigned n = 1; n <= ADMISSION_SAMPLE; n++) {
		struct admission *a;
		struct addr from;

		assert_int_equal(addr_read(&from, "::1", 1000), RES_OK);
		assert_int_equal(admission_new(&a, MAX), RES_OK);
		memset(entry, 0, n * sizeof *entry);
		for (unsigned i = 0; i < n; i++)
			assert_true(
			    admission_enter(a, &entry[i], &(struct admission_claim){100 + i, &from}, 0));
		admission_weigh(&entry[n / 2], 9000);
		for (int i = 0; i < 1000; i++)
			assert_ptr_equal(admission_worst(a, 5), &entry[n / 2]);
		admission_free(a);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_flood_starves_only_itself),
	    cmocka_unit_test(a_domain_is_shut_out_only_if_it_alone_does_not_answer),
	    cmocka_unit_test(places_are_counted),
	    cmocka_unit_test(the_worst_of_few_is_always_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
