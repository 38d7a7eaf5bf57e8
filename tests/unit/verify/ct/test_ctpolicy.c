/*
 * test_ctpolicy.c - which SCTs count under which policy. Logs and SCTs are made up here; a row sets whether a
 * signature is valid.
 */
#include "verify/ct/ctpolicy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define NOW     ((int64_t)1800000000000)
#define DAY     ((int64_t)86400000)
#define RETIRED (NOW - 10 * DAY)

enum which { A1, A2, B1, C1, TILED, PENDING, REJECTED, TESTLOG, OLD, OLDER, SOON, MOVED, SHARD, QUALIFIED, READONLY, LOGS };

static struct ctlog logs[LOGS];

static void
log_set(enum which w, const char *operator_name, enum ctlog_state state, int64_t since)
{
	memset(logs[w].id, (int)w + 1, 32);
	logs[w].description = "a log";
	logs[w].operator_name = operator_name;
	logs[w].state = state;
	logs[w].state_ms = since;
}

static int
logs_make(void **state)
{
	(void)state;
	log_set(A1, "A", CTLOG_USABLE, 0);
	log_set(A2, "A", CTLOG_USABLE, 0);
	log_set(B1, "B", CTLOG_USABLE, 0);
	log_set(C1, "C", CTLOG_USABLE, 0);
	log_set(TILED, "T", CTLOG_USABLE, 0);
	logs[TILED].tiled = true;
	log_set(PENDING, "P", CTLOG_PENDING, 0);
	log_set(REJECTED, "R", CTLOG_REJECTED, 0);
	log_set(TESTLOG, "X", CTLOG_USABLE, 0);
	logs[TESTLOG].never_counts = true;
	log_set(OLD, "O", CTLOG_RETIRED, RETIRED);
	log_set(OLDER, "O2", CTLOG_RETIRED, RETIRED);
	log_set(SOON, "S", CTLOG_RETIRED, NOW + DAY);
	log_set(MOVED, "B", CTLOG_USABLE, 0);
	logs[MOVED].previous[0] = (struct ctlog_operator_term){"A", NOW - 5 * DAY};
	logs[MOVED].n_previous = 1;
	log_set(SHARD, "H", CTLOG_USABLE, 0);
	logs[SHARD].interval_start_ms = NOW;
	logs[SHARD].interval_end_ms = NOW + 30 * DAY;
	log_set(QUALIFIED, "Q", CTLOG_QUALIFIED, 0);
	log_set(READONLY, "Y", CTLOG_READONLY, 0);
	return 0;
}

struct given {
	enum which log;
	int64_t at; /* 0: a day ago */
	enum sct_status not_proven; /* BAD_SIGNATURE, UNCHECKED, WRONG_ALGORITHM, WRONG_VERSION, MALFORMED; 0 is MALFORMED, so
	                               it is marked by `spoiled` */
	bool spoiled;
	bool leaf_index;
};

struct row {
	const char *what;
	enum ct_policy policy;
	int64_t lifetime; /* seconds between the dates; 0: 90 days */
	struct given sct[6];
	size_t n;
	const char *statuses; /* one letter each: see letter() */
	size_t counted;
	size_t wanted;
	size_t operators;
	bool current;
	int64_t sct_not_after; /* the anchor's limit; 0: none */
};

static char
letter(enum sct_status s, bool counts)
{
	switch (s) {
	case SCT_STATUS_VALID:
		return counts ? 'v' : 'o'; /* o: valid, its operator counts already */
	case SCT_STATUS_MALFORMED:
		return 'm';
	case SCT_STATUS_WRONG_VERSION:
		return '2';
	case SCT_STATUS_DENIED_LOG:
		return 'x';
	case SCT_STATUS_UNKNOWN_LOG:
		return '?';
	case SCT_STATUS_WRONG_ALGORITHM:
		return 'w';
	case SCT_STATUS_UNCHECKED:
		return 'u';
	case SCT_STATUS_BAD_SIGNATURE:
		return 'b';
	case SCT_STATUS_FUTURE:
		return 'f';
	case SCT_STATUS_LOG_PENDING:
		return 'p';
	case SCT_STATUS_LOG_REJECTED:
		return 'j';
	case SCT_STATUS_LOG_RETIRED:
		return 'r';
	case SCT_STATUS_AFTER_DISTRUST:
		return 'a';
	case SCT_STATUS_NO_LEAF_INDEX:
		return 'l';
	case SCT_STATUS_OUTSIDE_INTERVAL:
		return 'i';
	case SCT_STATUS_DUPLICATE:
		return 'd';
	case SCT_STATUS_COUNT:
		break;
	}
	return '!';
}

static void
item_make(struct sct_item *item, const struct given *g)
{
	static const uint8_t index[] = {0, 0, 5, 0, 0, 0, 0, 9};

	memset(item, 0, sizeof *item);
	item->sct.log_id = span_of(logs[g->log].id, 32);
	item->sct.timestamp_ms = (uint64_t)(g->at == 0 ? NOW - DAY : g->at);
	if (g->leaf_index)
		item->sct.extensions = span_of(index, sizeof index);
	item->log = &logs[g->log];
	item->algorithm_fits = true;
	item->proof = SCT_PROVEN;
	if (!g->spoiled)
		return;
	item->sct.malformed = g->not_proven == SCT_STATUS_MALFORMED;
	item->sct.version = g->not_proven == SCT_STATUS_WRONG_VERSION;
	item->algorithm_fits = g->not_proven != SCT_STATUS_WRONG_ALGORITHM;
	item->proof = g->not_proven == SCT_STATUS_BAD_SIGNATURE ? SCT_DISPROVEN : SCT_UNCHECKED;
	if (g->not_proven == SCT_STATUS_UNKNOWN_LOG)
		item->log = NULL;
}

#define BAD(w, status) {.log = (w), .not_proven = SCT_STATUS_##status, .spoiled = true}
#define ON(w)          {.log = (w)}
#define AT(w, ms)      {.log = (w), .at = (ms)}
#define DAYS(n)        ((n) * (int64_t)86400)

static const struct row rows[] = {
    /* the number of SCTs, and the lifetime from which it is higher */
    {"two operators are enough for 90 days", CT_STRICT, 0, {ON(A1), ON(B1)}, 2, "vv", 2, 2, 2, true, 0},
    {"180 days to the second: two for chrome", CT_CHROME, DAYS(180), {ON(A1), ON(B1)}, 2, "vv", 2, 2, 2, true, 0},
    {"180 days to the second: two for mozilla", CT_MOZILLA, DAYS(180), {ON(A1), ON(B1)}, 2, "vv", 2, 2, 2, true, 0},
    {"180 days to the second: three for apple", CT_APPLE, DAYS(180), {ON(A1), ON(B1)}, 2, "vv", 2, 3, 2, true, 0},
    {"180 days to the second: three for strict", CT_STRICT, DAYS(180), {ON(A1), ON(B1)}, 2, "vv", 2, 3, 2, true, 0},
    {"a second less: two for apple", CT_APPLE, DAYS(180) - 1, {ON(A1), ON(B1)}, 2, "vv", 2, 2, 2, true, 0},
    {"a second less: two for strict", CT_STRICT, DAYS(180) - 1, {ON(A1), ON(B1)}, 2, "vv", 2, 2, 2, true, 0},
    {"a second more: three for chrome", CT_CHROME, DAYS(180) + 1, {ON(A1), ON(B1)}, 2, "vv", 2, 3, 2, true, 0},
    {"a second more: three for mozilla", CT_MOZILLA, DAYS(180) + 1, {ON(A1), ON(B1)}, 2, "vv", 2, 3, 2, true, 0},
    /* operators */
    {"two SCTs of one operator count twice, as one operator", CT_STRICT, 0, {ON(A1), ON(A2)}, 2, "vv", 2, 2, 1, true, 0},
    {"apple counts an operator once", CT_APPLE, 0, {ON(A1), ON(A2)}, 2, "vo", 1, 2, 1, true, 0},
    {"apple counts an operator twice for a long lifetime", CT_APPLE, DAYS(300), {ON(A1), ON(A2), AT(MOVED, NOW - 6 * DAY), ON(B1)}, 4, "vvov", 3,
        3, 2, true, 0},
    {"the operator is the one at the SCT's time", CT_STRICT, 0, {ON(A1), AT(MOVED, NOW - 6 * DAY)}, 2, "vv", 2, 2, 1, true, 0},
    {"a later SCT counts for the new operator", CT_STRICT, 0, {ON(A1), AT(MOVED, NOW - 4 * DAY)}, 2, "vv", 2, 2, 2, true, 0},
    {"a log counts once", CT_STRICT, 0, {ON(A1), AT(A1, NOW - 2 * DAY), ON(B1)}, 3, "vdv", 2, 2, 2, true, 0},
    /* SCTs that never count */
    {"pending, rejected and test logs", CT_CHROME, 0, {ON(PENDING), ON(REJECTED), ON(TESTLOG), ON(A1)}, 4, "pjjv", 1, 2, 1, true, 0},
    {"qualified, usable and read-only logs count", CT_STRICT, 0, {ON(QUALIFIED), ON(READONLY)}, 2, "vv", 2, 2, 2, true, 0},
    {"invalid SCTs do not count and do not refuse", CT_STRICT, 0,
        {BAD(A1, MALFORMED), BAD(A2, WRONG_VERSION), BAD(C1, UNKNOWN_LOG), BAD(B1, WRONG_ALGORITHM), ON(A1), ON(B1)}, 6, "m2?wvv",
        2, 2, 2, true, 0},
    {"a bad-signature SCT and an unchecked one", CT_STRICT, 0,
        {BAD(A1, BAD_SIGNATURE), BAD(B1, UNCHECKED)}, 2, "bu", 0, 2, 0, false, 0},
    {"a bad SCT of a log does not make the good one a duplicate", CT_STRICT, 0,
        {BAD(A1, BAD_SIGNATURE), ON(A1), ON(B1)}, 3, "bvv", 2, 2, 2, true, 0},
    /* time */
    {"an SCT of the millisecond of the judgement counts", CT_STRICT, 0, {AT(A1, NOW), AT(B1, NOW)}, 2, "vv", 2, 2, 2, true, 0},
    {"an SCT a millisecond later does not count", CT_STRICT, 0, {AT(A1, NOW + 1), AT(B1, NOW)}, 2, "fv", 1, 2, 1, true, 0},
    {"an SCT with the largest timestamp does not count", CT_STRICT, 0, {AT(A1, INT64_MAX), ON(B1)}, 2, "fv", 1, 2, 1, true, 0},
    /* retired logs */
    {"retired after the SCT and the issuance", CT_STRICT, 0, {AT(OLD, RETIRED - 1), AT(A1, RETIRED - 2)}, 2, "vv", 2, 2, 2, true,
        0},
    {"retired in the SCT's millisecond", CT_STRICT, 0, {AT(OLD, RETIRED), AT(A1, RETIRED - 2)}, 2, "rv", 1, 2, 1, true, 0},
    {"retired before the SCT", CT_CHROME, 0, {AT(OLD, RETIRED + 1), AT(A1, RETIRED - 2)}, 2, "rv", 1, 2, 1, true, 0},
    {"back-dated by the retired log: the issuance was later", CT_STRICT, 0, {AT(OLD, RETIRED - 1), AT(A1, RETIRED + 5)}, 2, "rv",
        1, 2, 1, true, 0},
    {"chrome refuses an SCT back-dated by the retired log too", CT_CHROME, 0, {AT(OLD, RETIRED - 1), AT(A1, RETIRED + 5)}, 2, "rv", 1, 2, 1, true, 0},
    {"mozilla too", CT_MOZILLA, 0, {AT(OLD, RETIRED - 1), AT(A1, RETIRED + 5)}, 2, "rv", 1, 2, 1, true, 0},
    {"apple accepts an SCT back-dated by the retired log", CT_APPLE, 0, {AT(OLD, RETIRED - 1), AT(A1, RETIRED + 5)}, 2, "vv", 2, 2, 2, true, 0},
    {"SCTs of logs that all retired since count, and no log is current", CT_STRICT, 0, {AT(OLD, RETIRED - 1), AT(OLDER, RETIRED - 1)}, 2, "vv",
        2, 2, 2, false, 0},
    {"a future retirement does not count yet", CT_STRICT, 0, {ON(SOON), ON(A1)}, 2, "vv", 2, 2, 2, true, 0},
    {"an SCT with a bad signature is no evidence of the time of issuance", CT_STRICT, 0,
        {AT(OLD, RETIRED - 1), {.log = A1, .at = RETIRED + 5, .not_proven = SCT_STATUS_BAD_SIGNATURE, .spoiled = true}, AT(B1, RETIRED - 9)}, 3, "vbv", 2, 2, 2, true,
        0},
    /* static-ct */
    {"strict requires the leaf index", CT_STRICT, 0, {ON(TILED), ON(A1)}, 2, "lv", 1, 2, 1, true, 0},
    {"mozilla requires the leaf index", CT_MOZILLA, 0, {ON(TILED), ON(A1)}, 2, "lv", 1, 2, 1, true, 0},
    {"chrome does not require the leaf index", CT_CHROME, 0, {ON(TILED), ON(A1)}, 2, "vv", 2, 2, 2, true, 0},
    {"an SCT with the leaf index counts", CT_STRICT, 0, {{.log = TILED, .leaf_index = true}, ON(A1)}, 2, "vv", 2, 2, 2, true, 0},
    {"apple requires an RFC 6962 log", CT_APPLE, 0, {{.log = TILED, .leaf_index = true}, AT(OLD, RETIRED - 1)}, 2, "vv", 2, 2, 2,
        false, 0},
    {"apple accepts one RFC 6962 log", CT_APPLE, 0, {{.log = TILED, .leaf_index = true}, ON(A1)}, 2, "vv", 2, 2, 2, true, 0},
    {"strict does not require an RFC 6962 log", CT_STRICT, 0, {{.log = TILED, .leaf_index = true}, AT(OLD, RETIRED - 400 * DAY)}, 2, "vr", 1,
        2, 1, true, 0},
    /* the temporal interval; the certificates end 30 days from now */
    {"strict: the end of the interval is outside", CT_STRICT, 0, {ON(SHARD), ON(A1)}, 2, "iv", 1, 2, 1, true, 0},
    {"chrome ignores intervals", CT_CHROME, 0, {ON(SHARD), ON(A1)}, 2, "vv", 2, 2, 2, true, 0},
    /* an anchor that lost its trust five days ago */
    {"strict: an SCT after that does not count", CT_STRICT, 0, {AT(A1, NOW - 6 * DAY), AT(B1, NOW - 4 * DAY)}, 2, "va", 1, 2, 1,
        true, NOW - 5 * DAY},
    {"mozilla too", CT_MOZILLA, 0, {AT(A1, NOW - 6 * DAY), AT(B1, NOW - 4 * DAY)}, 2, "va", 1, 2, 1, true, NOW - 5 * DAY},
    {"chrome applies it to the path, not to the SCT", CT_CHROME, 0, {AT(A1, NOW - 6 * DAY), AT(B1, NOW - 4 * DAY)}, 2, "vv", 2, 2, 2,
        true, NOW - 5 * DAY},
    {"an SCT in the millisecond of the limit counts", CT_STRICT, 0, {AT(A1, NOW - 5 * DAY), AT(B1, NOW - 5 * DAY)}, 2, "vv", 2, 2, 2, true,
        NOW - 5 * DAY},
};

static void
every_policy_counts_as_its_row_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		const struct row *row = &rows[i];
		int64_t lifetime = row->lifetime == 0 ? DAYS(90) : row->lifetime;
		struct anchor_limit limit = {.has_sct_not_after = true, .sct_not_after_ms = row->sct_not_after};
		struct cert leaf = {.not_after_ms = NOW + 30 * DAY, .not_before_ms = NOW + 30 * DAY - lifetime * 1000};
		struct sct_check check = {.n = row->n};
		struct ctpolicy_tally tally;
		char statuses[8] = "";

		for (size_t k = 0; k < row->n; k++)
			item_make(&check.item[k], &row->sct[k]);
		ctpolicy_judge(&tally, &check, ctpolicy_of(row->policy), &leaf, row->sct_not_after == 0 ? NULL : &limit, when_at(NOW));
		for (size_t k = 0; k < row->n; k++)
			statuses[k] = letter(check.item[k].status, check.item[k].counts);
		if (strcmp(statuses, row->statuses) != 0 || tally.counted != row->counted || tally.wanted != row->wanted ||
		    tally.operators != row->operators || tally.current != row->current)
			fail_msg("%s: %s, %zu of %zu, %zu operators, %s", row->what, statuses, tally.counted, tally.wanted,
			    tally.operators, tally.current ? "current" : "none current");
	}
}

static void
the_interval_includes_its_start_and_not_its_end(void **state)
{
	static const struct {
		int64_t not_after;
		bool inside;
	} cases[] = {{NOW - 1000, false}, {NOW, true}, {NOW + 30 * DAY - 1000, true}, {NOW + 30 * DAY, false}};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct cert leaf = {.not_after_ms = cases[i].not_after, .not_before_ms = NOW - 50 * DAY};
		struct sct_check check = {.n = 1};
		struct ctpolicy_tally tally;

		item_make(&check.item[0], &(struct given){.log = SHARD});
		ctpolicy_judge(&tally, &check, ctpolicy_of(CT_STRICT), &leaf, NULL, when_at(NOW));
		assert_int_equal(tally.counted, cases[i].inside ? 1 : 0);
	}
}

static void
the_issuance_is_the_earliest_of_current_logs(void **state)
{
	static const struct given given[] = {
	    {.log = OLD, .at = 5}, {.log = PENDING, .at = 6}, {.log = TESTLOG, .at = 7}, {.log = A1, .at = 9}, {.log = B1, .at = 8},
	};
	struct sct_check check = {.n = 5};
	int64_t ms = 0;

	(void)state;
	for (size_t i = 0; i < check.n; i++)
		item_make(&check.item[i], &given[i]);
	assert_true(ctpolicy_issued_at(&ms, &check, when_at(NOW)));
	assert_int_equal(ms, 8);
	check.n = 3;
	assert_false(ctpolicy_issued_at(&ms, &check, when_at(NOW)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_policy_counts_as_its_row_says),
	    cmocka_unit_test(the_interval_includes_its_start_and_not_its_end),
	    cmocka_unit_test(the_issuance_is_the_earliest_of_current_logs),
	};

	return cmocka_run_group_tests(tests, logs_make, NULL);
}
