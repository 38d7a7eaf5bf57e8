#include "tests/unit/transport/proto_recorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OUT_MAX (1024 * 1024)

static struct proto_recorder recorder;

static struct proto *
start(void)
{
	struct proto *w;

	recorder_start(&recorder);
	assert_int_equal(dot_new(&w, &recorder_hooks, &recorder), RES_OK);
	return w;
}

static void
finish(struct proto *w)
{
	w->ops->free(w);
	recorder_free(&recorder);
}

/* Takes a question and returns its wire id. */
static uint16_t
ask(struct proto *w, const char *label, uint16_t id, struct tp_exchange **out)
{
	struct buf b = buf_max(OUT_MAX);
	struct tp_exchange *q = recorder_question(&recorder, label, id, false);
	uint16_t wire_id;

	assert_int_equal(w->ops->take(w, q, &b), RES_OK);
	assert_int_equal(be16_read(b.p), b.n - 2);
	wire_id = be16_read(b.p + 2);
	buf_free(&b);
	if (out != NULL)
		*out = q;
	return wire_id;
}

static void
frame(struct buf *b, uint16_t id, size_t n, uint8_t fill)
{
	buf_u16(b, (uint16_t)n);
	buf_u16(b, id);
	for (size_t i = 2; i < n; i++)
		buf_u8(b, fill);
}

static enum reason
feed(struct proto *w, struct buf *b)
{
	const char *detail = NULL;
	enum reason reason = w->ops->feed(w, b->p, b->n, &detail);

	assert_true(reason == REASON_NONE || detail != NULL);
	return reason;
}

static void
questions_are_framed_padded_and_request_keepalive_once(void **state)
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);

	(void)state;
	assert_int_equal(w->ops->take(w, recorder_question(&recorder, "a", 1, true), &b), RES_OK);
	assert_int_equal(w->ops->take(w, recorder_question(&recorder, "b", 2, true), &b), RES_OK);
	assert_int_equal(b.n, 2 * 130);
	assert_int_equal(be16_read(b.p), 128);
	assert_int_equal(be16_read(b.p + 130), 128);
	assert_memory_equal(b.p + 2 + 30, "\0\13\0\0\0\14", 6);
	assert_memory_equal(b.p + 130 + 2 + 30, "\0\14", 2);
	buf_free(&b);
	finish(w);
}

static void
answers_in_any_order_get_the_ids_of_their_questions(void **state)
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);
	uint16_t id[3];

	(void)state;
	for (uint16_t i = 0; i < 3; i++)
		id[i] = ask(w, "a", (uint16_t)(0x1110 + i), NULL);
	frame(&b, id[2], 20, 'c');
	frame(&b, id[0], 21, 'a');
	frame(&b, id[1], 22, 'b');
	assert_int_equal(feed(w, &b), REASON_NONE);
	assert_int_equal(recorder.n_heard, 3);
	assert_int_equal(be16_read(recorder.heard[0].message), 0x1112);
	assert_int_equal(be16_read(recorder.heard[1].message), 0x1110);
	assert_int_equal(be16_read(recorder.heard[2].message), 0x1111);
	assert_int_equal(recorder.heard[0].n, 20);
	assert_int_equal(recorder.heard[1].message[20], 'a');
	buf_free(&b);
	finish(w);
}

static void
pieces_of_any_size_make_the_same_answers(void **state)
{
	(void)state;
	for (size_t piece = 1; piece < 70; piece++) {
		struct proto *w = start();
		struct buf b = buf_max(OUT_MAX);

		for (uint16_t i = 0; i < 5; i++)
			frame(&b, ask(w, "a", i, NULL), 12U + 13U * i, (uint8_t)('a' + i));
		for (size_t at = 0; at < b.n; at += piece) {
			const char *detail;
			size_t n = b.n - at < piece ? b.n - at : piece;
			uint8_t *copy = malloc(n); /* of the exact size, so that a sanitizer sees a read beyond it */

			assert_non_null(copy);
			memcpy(copy, b.p + at, n);
			assert_int_equal(w->ops->feed(w, copy, n, &detail), REASON_NONE);
			free(copy);
		}
		assert_int_equal(recorder.n_heard, 5);
		for (uint16_t i = 0; i < 5; i++) {
			assert_int_equal(be16_read(recorder.heard[i].message), i);
			assert_int_equal(recorder.heard[i].n, 12 + 13 * i);
			assert_int_equal(recorder.heard[i].message[11], 'a' + i);
		}
		buf_free(&b);
		finish(w);
	}
}

/* The buffer of a large answer is freed, and the next large answer is assembled again. */
static void
a_large_answer_comes_in_pieces(void **state)
{
	static const size_t sizes[] = {4000, 4094, 4095, 4096, 16384, TP_MESSAGE_MAX, 12};
	struct proto *w = start();

	(void)state;
	for (uint16_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = buf_max(OUT_MAX);
		const char *detail;

		frame(&b, ask(w, "a", i, NULL), sizes[i], (uint8_t)('a' + i));
		for (size_t at = 0; at < b.n; at += 1000)
			assert_int_equal(w->ops->feed(w, b.p + at, b.n - at < 1000 ? b.n - at : 1000, &detail),
					 REASON_NONE);
		assert_int_equal(recorder.n_heard, i + 1);
		assert_int_equal(recorder.heard[i].n, sizes[i]);
		assert_int_equal(be16_read(recorder.heard[i].message), i);
		buf_free(&b);
	}
	finish(w);
}

static void
bad_lengths_end_the_connection(void **state)
{
	static const struct {
		const char *says;
		uint16_t n;
	} rows[] = {
	    {"U16: a frame of length 0", 0},
	    {"U16: a frame of length 1", 1},
	    {"U16: a frame of length 11", 11},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		for (int split = 0; split < 2; split++) {
			struct proto *w = start();
			uint8_t wire[32] = {0, (uint8_t)rows[i].n};
			const char *detail = NULL;

			print_message("%s%s\n", rows[i].says, split ? ", in pieces" : "");
			if (split) {
				assert_int_equal(w->ops->feed(w, wire, 1, &detail), REASON_NONE);
				assert_int_equal(w->ops->feed(w, wire + 1, 20, &detail),
						 REASON_ANSWER_MALFORMED);
			} else {
				assert_int_equal(w->ops->feed(w, wire, 20, &detail), REASON_ANSWER_MALFORMED);
			}
			assert_non_null(detail);
			assert_int_equal(recorder.n_heard, 0);
			finish(w);
		}
	}
}

static void
unexpected_answers_are_counted_and_end_the_connection(void **state) /* U01, U15 */
{
	struct proto *w = start();
	uint16_t mine = ask(w, "a", 7, NULL);

	(void)state;
	for (unsigned i = 1; i <= 16; i++) {
		struct buf b = buf_max(OUT_MAX);

		frame(&b, (uint16_t)(mine ^ i), 12, 0);
		assert_int_equal(feed(w, &b), i < 16 ? REASON_NONE : REASON_ANSWER_MISMATCH);
		assert_int_equal(recorder.unexpected, i);
		buf_free(&b);
	}
	assert_int_equal(recorder.n_heard, 0);
	finish(w);
}

static void
an_answer_comes_once(void **state) /* U13 */
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);
	uint16_t mine = ask(w, "a", 7, NULL);

	(void)state;
	frame(&b, mine, 12, 0);
	frame(&b, mine, 12, 0);
	assert_int_equal(feed(w, &b), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.unexpected, 1);
	buf_free(&b);
	finish(w);
}

static void
ids_are_not_used_again_while_an_answer_may_come(void **state) /* U14 */
{
	struct proto *w = start();
	static uint8_t busy[65536];
	uint16_t first = 0;

	(void)state;
	memset(busy, 0, sizeof busy);
	for (unsigned i = 0; w->ops->owed(w) < 16000; i++) {
		struct tp_exchange *q;
		uint16_t id = ask(w, "a", 7, &q);

		assert_int_equal(busy[id], 0);
		busy[id] = 1;
		if (i == 0)
			first = id;
		w->ops->cancel(w, q); /* unanswered */
		recorder_drop(&recorder, q);
	}
	{
		struct buf b = buf_max(OUT_MAX);

		frame(&b, first, 12, 0); /* its late answer is dropped and frees the id */
		assert_int_equal(feed(w, &b), REASON_NONE);
		assert_int_equal(recorder.n_heard, 0);
		assert_int_equal(recorder.unexpected, 1);
		assert_int_equal(w->ops->owed(w), 15999);
		buf_free(&b);
	}
	while (w->ops->has_room(w)) {
		struct tp_exchange *q;

		ask(w, "a", 7, &q);
		w->ops->cancel(w, q);
		recorder_drop(&recorder, q);
	}
	assert_int_equal(w->ops->owed(w), 16384); /* a quarter of all ids */
	assert_true(w->ops->is_draining(w)); /* a new connection is cheaper */
	finish(w);
}

static void
questions_in_flight_have_a_limit(void **state)
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);
	struct tp_exchange *q, *list[TP_INFLIGHT_MAX];

	(void)state;
	for (unsigned i = 0; i < TP_INFLIGHT_MAX; i++) {
		list[i] = recorder_question(&recorder, "a", 1, false);
		assert_int_equal(w->ops->take(w, list[i], &b), RES_OK);
		buf_clear(&b);
	}
	q = recorder_question(&recorder, "a", 1, false);
	assert_false(w->ops->has_room(w));
	assert_int_equal(w->ops->take(w, q, &b), RES_LIMIT);
	recorder_drop(&recorder, q);
	for (unsigned i = 0; i < TP_INFLIGHT_MAX; i++)
		frame(&b, list[i]->wire_id, 12, 0);
	assert_int_equal(feed(w, &b), REASON_NONE);
	assert_int_equal(recorder.n_heard, TP_INFLIGHT_MAX);
	buf_free(&b);
	finish(w);
}

static void
unread_output_has_a_limit(void **state)
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);
	struct tp_exchange *q;
	enum res res;

	(void)state;
	do {
		q = recorder_question(&recorder, "a", 1, true);
		res = w->ops->take(w, q, &b);
	} while (res == RES_OK);
	assert_int_equal(res, RES_LIMIT);
	assert_true(b.n < 200 * 1024);
	recorder_drop(&recorder, q);
	buf_free(&b);
	finish(w);
}

static void
feeding_stops_when_the_connection_is_gone(void **state)
{
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);

	(void)state;
	for (uint16_t i = 0; i < 4; i++)
		frame(&b, ask(w, "a", i, NULL), 12, 0);
	recorder.stop_at = 2;
	assert_int_equal(feed(w, &b), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
	buf_free(&b);
	finish(w);
}

static void
the_keepalive_of_the_first_answer_is_reported(void **state)
{
	static const uint8_t rest[] = "\201\200\0\0\0\0\0\0\0\1\0\0\51\4\320\0\0\0\0\0\6\0\13\0\2\0\144";
	struct proto *w = start();
	struct buf b = buf_max(OUT_MAX);
	struct tp_exchange *q = recorder_question(&recorder, "a", 7, true);

	(void)state;
	assert_int_equal(w->ops->take(w, q, &b), RES_OK);
	buf_clear(&b);
	buf_u16(&b, 2 + sizeof rest - 1);
	buf_u16(&b, q->wire_id);
	buf_put(&b, span_of(rest, sizeof rest - 1));
	assert_int_equal(feed(w, &b), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.keepalive_ms, 10000);
	buf_free(&b);
	finish(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(questions_are_framed_padded_and_request_keepalive_once),
	    cmocka_unit_test(answers_in_any_order_get_the_ids_of_their_questions),
	    cmocka_unit_test(pieces_of_any_size_make_the_same_answers),
	    cmocka_unit_test(a_large_answer_comes_in_pieces),
	    cmocka_unit_test(bad_lengths_end_the_connection),
	    cmocka_unit_test(unexpected_answers_are_counted_and_end_the_connection),
	    cmocka_unit_test(an_answer_comes_once),
	    cmocka_unit_test(ids_are_not_used_again_while_an_answer_may_come),
	    cmocka_unit_test(questions_in_flight_have_a_limit),
	    cmocka_unit_test(unread_output_has_a_limit),
	    cmocka_unit_test(feeding_stops_when_the_connection_is_gone),
	    cmocka_unit_test(the_keepalive_of_the_first_answer_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
