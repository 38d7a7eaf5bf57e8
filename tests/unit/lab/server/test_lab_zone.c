#include "contrib/lab/run/lab_ask.h"
#include "contrib/lab/server/spoil.h"
#include "contrib/lab/server/lab_zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ID 0x1234

static bool
answered(enum lab_zone_kind kind, const char *name, struct lab_zone_question *q, struct buf *out)
{
	struct buf query = buf_max(512);
	bool done;

	ask_query_write(&query, ID, name);
	assert_true(buf_ok(&query));
	done = lab_zone_answer(kind, buf_span(&query), q, out);
	buf_free(&query);
	return done;
}

static void
the_true_address_follows_from_the_name(void **state)
{
	struct buf out = buf_max(UINT16_MAX);
	struct lab_zone_question q;
	struct asked asked;
	uint8_t truth[4], lie[4];

	(void)state;
	ask_truth("www.example.com.", truth);
	ask_lie(lie);
	assert_true(answered(ZONE_TRUTH, "www.example.com.", &q, &out));
	assert_string_equal(q.name, "www.example.com.");
	assert_string_equal(q.type, "A");
	assert_true(q.edns);
	assert_true(ask_answer_read(&asked, buf_span(&out), ID));
	assert_int_equal(asked.n_a, 1);
	assert_true(ask_says(&asked, truth));
	assert_false(ask_says(&asked, lie));
	buf_clear(&out);
	assert_true(answered(ZONE_TRUTH, "WWW.example.COM.", &q, &out));
	assert_true(ask_answer_read(&asked, buf_span(&out), ID));
	assert_true(ask_says(&asked, truth));
	buf_clear(&out);
	assert_true(answered(ZONE_LIES, "www.example.com.", &q, &out));
	assert_true(ask_answer_read(&asked, buf_span(&out), ID));
	assert_true(ask_says(&asked, lie));
	buf_free(&out);
}

struct label_row {
	const char *sentence, *name;
	uint8_t rcode;
	size_t n_a;
	uint32_t delay_ms;
};

static const struct label_row label_rows[] = {
    {"an ordinary name", "a.example.", 0, 1, 0},
    {"nx does not exist", "nx.example.", 3, 0, 0},
    {"empty has no data", "empty.example.", 0, 0, 0},
    {"servfail", "servfail.example.", 2, 0, 0},
    {"refused", "refused.example.", 5, 0, 0},
    {"an alias leads to the rest", "alias.a.example.", 0, 1, 0},
    {"a delay", "delay250.example.", 0, 1, 250},
    {"a delay above the limit is ignored", "delay99999999.example.", 0, 1, 0},
    {"a label that only begins like a special one", "nxx.example.", 0, 1, 0},
    {"a number is needed", "delay.example.", 0, 1, 0},
};

static void
first_labels_have_a_meaning(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof label_rows / sizeof *label_rows; i++) {
		const struct label_row *row = &label_rows[i];
		struct buf out = buf_max(UINT16_MAX);
		struct lab_zone_question q;
		struct asked asked;

		assert_true(answered(ZONE_TRUTH, row->name, &q, &out));
		assert_true(ask_answer_read(&asked, buf_span(&out), ID));
		if (asked.rcode != row->rcode || asked.n_a != row->n_a || q.delay_ms != row->delay_ms)
			fail_msg("%s: rcode %u, %zu records, %u ms", row->sentence, asked.rcode, asked.n_a,
				 q.delay_ms);
		buf_free(&out);
	}
}

static void
messages_other_than_queries_are_not_answered(void **state)
{
	struct buf query = buf_max(512), out = buf_max(UINT16_MAX);
	struct lab_zone_question q;

	(void)state;
	assert_false(lab_zone_answer(ZONE_TRUTH, span_of(NULL, 0), &q, &out));
	assert_false(lab_zone_answer(ZONE_TRUTH, span_str("short"), &q, &out));
	ask_query_write(&query, ID, "a.example.");
	query.p[2] |= 0x80; /* a response */
	assert_false(lab_zone_answer(ZONE_TRUTH, buf_span(&query), &q, &out));
	query.p[2] &= 0x7f;
	query.p[5] = 2; /* two questions are promised */
	assert_false(lab_zone_answer(ZONE_TRUTH, buf_span(&query), &q, &out));
	assert_int_equal(out.n, 0);
	buf_free(&query);
	buf_free(&out);
}

/* The answer to www.example.com. with these faults. */
static void
spoilt(const char *faults_text, struct buf *out)
{
	struct lab_faults faults = {.set = {false}};
	struct lab_zone_question q;
	const char *bad;

	assert_true(answered(ZONE_TRUTH, "www.example.com.", &q, out));
	assert_true(lab_faults_add(&faults, faults_text, &bad));
	lab_spoil(&faults, &q, out);
	assert_true(buf_ok(out));
}

static void
every_fault_of_answers_changes_them(void **state)
{
	struct buf good = buf_max(UINT16_MAX), bad = buf_max(UINT16_MAX);
	char text[64];

	(void)state;
	spoilt("", &good);
	for (enum fault f = FAULT_WRONG_ID; f <= FAULT_KEEPALIVE; f++) {
		buf_clear(&bad);
		snprintf(text, sizeof text, lab_fault_form(f) != NULL ? "%s=7" : "%s", lab_fault_name(f));
		spoilt(text, &bad);
		if (span_equal(buf_span(&good), buf_span(&bad)))
			fail_msg("%s changes nothing", text);
	}
	buf_free(&good);
	buf_free(&bad);
}

static void
readers_that_follow_rdlength_do_not_see_the_hidden_record(void **state)
{
	struct buf out = buf_max(UINT16_MAX);
	struct asked asked;

	(void)state;
	spoilt("rdlength-long", &out);
	assert_true(ask_answer_read(&asked, buf_span(&out), ID));
	assert_false(ask_says(&asked, (const uint8_t *)"\6\6\6\6"));
	assert_int_equal(asked.n_a, 1);
	buf_free(&out);
}

static void
extended_codes_go_into_the_opt_record(void **state)
{
	struct buf out = buf_max(UINT16_MAX);

	(void)state;
	spoilt("rcode=23", &out); /* BADCOOKIE: 1 and 7 */
	assert_int_equal(out.p[3] & 0x0f, 7);
	assert_int_equal(out.p[out.n - 11], 0);
	assert_int_equal(out.p[out.n - 6], 1);
	buf_free(&out);
}

static void
asked_names_are_never_the_same(void **state)
{
	char one[ASK_NAME_MAX], two[ASK_NAME_MAX];

	(void)state;
	ask_name_new(one);
	ask_name_new(two);
	assert_string_not_equal(one, two);
}

static void
reasons_are_read_out_of_an_answer(void **state)
{
	struct buf query = buf_max(512), answer = buf_max(512);
	static const uint8_t option[] = {0, 15, 0, 9, 0, 22, 'n', 'o', 0x1b, 't', 'h', 'e', 'y'};
	struct asked asked;

	(void)state;
	ask_query_write(&query, ID, "a.");
	buf_put(&answer, span_slice(buf_span(&query), 0, query.n - 11));
	answer.p[2] |= 0x80;
	answer.p[3] = 2;
	answer.p[11] = 0;
	lab_zone_opt_write(&answer, false, 0, span_of(option, sizeof option), 0);
	assert_true(ask_answer_read(&asked, buf_span(&answer), ID));
	assert_int_equal(asked.rcode, 2);
	assert_true(asked.has_ede);
	assert_int_equal(asked.ede_code, 22);
	assert_string_equal(asked.ede_text, "no?they"); /* no control character reaches a terminal */
	assert_false(ask_answer_read(&asked, buf_span(&answer), ID + 1));
	assert_false(ask_answer_read(&asked, span_slice(buf_span(&answer), 0, answer.n - 1), ID));
	buf_free(&query);
	buf_free(&answer);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(the_true_address_follows_from_the_name),
	    cmocka_unit_test(first_labels_have_a_meaning),
	    cmocka_unit_test(messages_other_than_queries_are_not_answered),
	    cmocka_unit_test(every_fault_of_answers_changes_them),
	    cmocka_unit_test(readers_that_follow_rdlength_do_not_see_the_hidden_record),
	    cmocka_unit_test(extended_codes_go_into_the_opt_record),
	    cmocka_unit_test(asked_names_are_never_the_same),
	    cmocka_unit_test(reasons_are_read_out_of_an_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
