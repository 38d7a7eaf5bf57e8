/* DoH from a hostile or broken server: floods, budgets, limits and protocol errors. */
#include "tests/unit/transport/doh_server.h"
#include "transport/doh_stream.h"

#include <nghttp2/nghttp2.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void
bodies_have_a_limit(void **state) /* H03 */
{
	uint8_t *big = calloc(1, 70000);

	(void)state;
	assert_non_null(big);
	client_ask(1);
	client_ask(2);
	server_start_with(NULL, 0);
	server_respond(1, OK_FIELDS, big, 65535);
	assert_int_equal(server_deliver(5000), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_NONE);
	assert_int_equal(recorder.heard[0].n, 65535);
	assert_true(client_flush());     /* windows opened again */
	server_headers(3, 0, OK_FIELDS); /* H03: endless */
	for (int i = 0; i < 4; i++)
		server_frame(DATA, 0, 3, big, 16384);
	assert_int_equal(server_deliver(5000), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
	assert_int_equal(recorder.heard[1].failure, REASON_DOH_MALFORMED);
	assert_true(client_flush());
	assert_int_equal(server.request[1].reset, NGHTTP2_CANCEL + 1);
	free(big);
}

/* Most of a body of 60,000 bytes. */
static void
body_begins(int32_t stream, const uint8_t *big)
{
	server_headers(stream, 0, OK_FIELDS);
	for (size_t left = 60000; left > 0; left -= left < 15000 ? left : 15000)
		server_frame(DATA, 0, stream, big, left < 15000 ? left : 15000);
}

#define BODIES (DOH_BODIES_MAX / 60000)

static void
bodies_that_do_not_end_have_a_limit_together(void **state)
{
	uint8_t *big = calloc(1, 70000);
	int32_t stream = 1;

	(void)state;
	assert_non_null(big);
	server_start_with(NULL, 0);
	for (unsigned turn = 0; turn < 3; turn++) { /* bodies that have ended no longer count, whether they were good or bad */
		unsigned heard = recorder.n_heard;

		for (unsigned i = 0; i < BODIES + 2; i++)
			client_ask((uint16_t)(i + 1));
		assert_true(client_flush());
		for (unsigned i = 0; i < BODIES; i++)
			body_begins(stream + 2 * (int32_t)i, big);
		assert_int_equal(server_deliver(16384), REASON_NONE);
		assert_int_equal(recorder.n_heard, heard);
		for (unsigned i = BODIES; i < BODIES + 2; i++)
			body_begins(stream + 2 * (int32_t)i, big);
		assert_int_equal(server_deliver(16384), REASON_NONE);
		assert_int_equal(recorder.n_heard, heard + 2);
		assert_int_equal(recorder.heard[heard].failure, REASON_DOH_MALFORMED);
		assert_int_equal(recorder.heard[heard + 1].failure, REASON_DOH_MALFORMED);
		assert_true(client_flush());
		for (unsigned i = 0; i < BODIES; i++)
			server_frame(DATA, END_STREAM, stream + 2 * (int32_t)i, big, 0);
		assert_int_equal(server_deliver(16384), REASON_NONE);
		assert_int_equal(recorder.n_heard, heard + 2 + BODIES);
		for (unsigned i = 0; i < BODIES; i++) {
			assert_int_equal(recorder.heard[heard + 2 + i].failure, REASON_NONE);
			assert_int_equal(recorder.heard[heard + 2 + i].n, 60000);
		}
		assert_true(client_flush());
		stream += 2 * (BODIES + 2);
	}
	free(big);
}

static void
frames_sent(unsigned type, unsigned flags, int32_t stream, const void *payload, size_t n, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		server_frame(type, flags, stream, payload, n);
}

/* Floods: each must end, the connection or the stream, before this many. */
#define FLOOD 5000

static enum reason
flood_deliver(void)
{
	struct buf b = server.out;
	enum reason reason = REASON_NONE;

	server.out = buf_max(1 << 24);
	for (size_t at = 0; at < b.n && reason == REASON_NONE; at += 1400) {
		reason = client->ops->feed(client, b.p + at, b.n - at < 1400 ? b.n - at : 1400,
					   &broken_because);
		/* the server does not read our acknowledgements */
	}
	buf_free(&b);
	return reason != REASON_NONE ? reason : client_collect();
}

static void
floods_of_frames_end_the_connection(void **state)
{
	static const struct {
		const char *says;
		unsigned type, flags;
		int32_t stream;
		const char *payload;
		size_t n;
	} rows[] = {
	    {"H13: PING", PING, 0, 0, "12345678", 8},
	    {"H13: SETTINGS", SETTINGS, 0, 0, "\0\3\0\0\0\144", 6},
	    {"H12: empty DATA", DATA, 0, 1, "", 0},
	    {"H12: PRIORITY", PRIORITY, 0, 1, "\0\0\0\0\1", 5},
	    {"H12: frames of an unknown type", 0x77, 0, 0, "x", 1},
	    {"H12: WINDOW_UPDATE", WINDOW_UPDATE, 0, 0, "\0\0\0\1", 4},
	    {"H12: WINDOW_UPDATE of 0", WINDOW_UPDATE, 0, 0, "\0\0\0\0", 4},
	    {"H12: WINDOW_UPDATE beyond 2^31", WINDOW_UPDATE, 0, 0, "\177\377\377\377", 4},
	    {"H12: DATA of padding alone", DATA, PADDED, 1, "\5\0\0\0\0\0", 6},
	    {"H12: acknowledgements of PINGs that were not sent", PING, ACK, 0, "12345678", 8},
	    {"H12: GOAWAY that lets all streams finish", GOAWAY, 0, 0, "\177\377\377\377\0\0\0\0", 8},
	    {"H12: ALTSVC", 10, 0, 1, "\0\0a", 3},
	    {"H12: ORIGIN", 12, 0, 0, "\0\1a", 3},
	    {"H12: PRIORITY_UPDATE", 16, 0, 0, "\0\0\0\1u=1", 7},
	    {"H12: WINDOW_UPDATE of a stream", WINDOW_UPDATE, 0, 1, "\0\0\0\1", 4},
	    {"RST_STREAM again and again", RST_STREAM, 0, 1, "\0\0\0\10", 4},
	    {"RST_STREAM for idle streams", RST_STREAM, 0, 99, "\0\0\0\10", 4},
	    {"H14: PUSH_PROMISE", PUSH_PROMISE, END_HEADERS, 1, "\0\0\0\2\210", 5},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		server_anew(state);
		print_message("%s\n", rows[i].says);
		client_ask(1);
		server_start_with(NULL, 0);
		if (rows[i].stream == 1 && rows[i].type == DATA)
			server_headers(1, 0, OK_FIELDS);
		frames_sent(rows[i].type, rows[i].flags, rows[i].stream, rows[i].payload, rows[i].n, FLOOD);
		assert_int_equal(flood_deliver(), REASON_DOH_MALFORMED);
		assert_non_null(broken_because);
	}
}

static void
floods_of_informational_responses_end_the_stream(void **state) /* H12 */
{
	(void)state;
	client_ask(1);
	server_start_with(NULL, 0);
	for (int i = 0; i < 4; i++)
		server_headers(1, 0, ":status: 103\nlink: </x>\n");
	server_respond(1, OK_FIELDS, dns, 40);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_NONE); /* a few are fine */
	client_ask(2);
	assert_true(client_flush());
	for (int i = 0; i < 20; i++)
		server_headers(3, 0, ":status: 103\n");
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
	assert_int_equal(recorder.heard[1].failure, REASON_DOH_MALFORMED);
	assert_true(client_flush());
	assert_int_not_equal(server.request[1].reset, 0);
}

static void
header_fields_have_a_budget(void **state) /* H11 */
{
	struct buf b = buf_max(1 << 16);

	(void)state;
	client_ask(1);
	client_ask(2);
	server_start_with(NULL, 0);
	server_block(&b, OK_FIELDS);
	buf_put(&b, span_of("\100\1x\2yz", 6)); /* in the dynamic table; then repeated 12,000 times, in a byte each */
	for (int i = 0; i < 12000; i++)
		buf_u8(&b, 0xbe);
	server_frame(HEADERS, END_HEADERS, 1, b.p, b.n);
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_DOH_MALFORMED);
	server_respond(3, OK_FIELDS, dns, 40); /* the dynamic table is still that of the server */
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 2);
	assert_int_equal(recorder.heard[1].failure, REASON_NONE);
	buf_free(&b);
}

static void
floods_of_continuations_end_the_connection(void **state) /* H09 */
{
	(void)state;
	client_ask(1);
	server_start_with(NULL, 0);
	server_frame(HEADERS, 0, 1, "\210", 1);
	frames_sent(CONTINUATION, 0, 1, "", 0, 100);
	assert_int_equal(flood_deliver(), REASON_DOH_MALFORMED);
}

/* nghttp2 counts calls, not frames: a header block in a few frames must not count as a flood when it comes byte by byte. */
static void
a_block_in_several_frames_is_read_in_any_pieces(void **state) /* H10 */
{
	static const struct {
		const char *says;
		unsigned continuations;
		bool padded;
	} rows[] = {
	    {"H10: one CONTINUATION", 1, false},
	    {"H10: one CONTINUATION, after padding", 1, true},
	    {"H10: four", 4, false},
	    {"H10: seven", 7, false},
	};
	struct buf block = buf_max(1 << 10);

	server_block(&block, OK_FIELDS);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		print_message("%s\n", rows[i].says);
		for (size_t piece = 1; piece <= 12; piece++) {
			server_anew(state);
			client_ask(1);
			server_start_with(NULL, 0);
			server_frame(HEADERS, rows[i].padded ? PADDED : 0, 1, rows[i].padded ? "\2\0\0" : "",
				     rows[i].padded ? 3 : 0);
			for (unsigned k = 1; k < rows[i].continuations; k++)
				server_frame(CONTINUATION, 0, 1, "", 0);
			server_frame(CONTINUATION, END_HEADERS, 1, block.p, block.n);
			server_frame(DATA, END_STREAM, 1, dns, sizeof dns);
			assert_int_equal(server_deliver(piece), REASON_NONE);
			assert_int_equal(recorder.n_heard, 1);
			assert_int_equal(recorder.heard[0].failure, REASON_NONE);
			assert_int_equal(recorder.heard[0].n, sizeof dns);
			assert_true(client_flush());
		}
	}
	buf_free(&block);
}

static void
trailers_are_not_accepted(void **state) /* H16 */
{
	(void)state;
	client_ask(1);
	server_start_with(NULL, 0);
	server_headers(1, 0, OK_FIELDS);
	server_frame(DATA, 0, 1, dns, sizeof dns);
	server_headers(1, END_STREAM, "x: y\n");
	assert_int_equal(server_deliver(16384), REASON_NONE);
	assert_int_equal(recorder.n_heard, 1);
	assert_int_equal(recorder.heard[0].failure, REASON_DOH_MALFORMED);
}

static void
other_protocols_end_the_connection(void **state) /* H23, H25 */
{
	static const struct {
		const char *says, *bytes;
		size_t n;
	} rows[] = {
	    {"H23: HTTP/1.1", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38},
	    {"a frame before SETTINGS",
	     "\0\0\10\6\0\0\0\0\0"
	     "12345678",
	     17},
	    {"a frame larger than we allow", "\0\377\377\0\0\0\0\0\1", 9},
	    {"DATA on stream 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\0\0\0\0\0\0x",
	     19},
	    {"HEADERS on an even stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\2\210",
	     19},
	    {"a header block that cannot be read",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\2\1\4\0\0\0\1\377\377",
	     20},
	    {"SETTINGS of a wrong size",
	     "\0\0\5\4\0\0\0\0\0"
	     "12345",
	     14},
	    {"an initial window beyond 2^31",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\4\377\377\377\377",
	     15},
	    {"a frame size below the minimum",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\5\0\0\0\1",
	     15},
	    {"a PING of seven bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\7\6\0\0\0\0\0"
	     "1234567",
	     25},
	    {"a WINDOW_UPDATE of three bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\3\10\0\0\0\0\0"
	     "\0\0\1",
	     21},
	    {"CONTINUATION without HEADERS",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\11\4\0\0\0\1\210",
	     19},
	    {"a header block that another frame interrupts",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\0\0\0\0\1\210"
	     "\0\0\1\0\0\0\0\0\1x",
	     29},
	    {"more padding than frame",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\210"
	     "\0\0\2\0\10\0\0\0\1\5x",
	     30},
	    {"HPACK: a table larger than we allow",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\4\1\4\0\0\0\1\77\342\37\210",
	     22},
	    {"HPACK: an index beyond the table",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\376",
	     19},
	    {"a second GOAWAY with a higher last stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\10\7\0\0\0\0\0\0\0\0\1\0\0\0\0"
	     "\0\0\10\7\0\0\0\0\0\0\0\0\11\0\0\0\0",
	     43},
	    {"a response without a request",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\5\0\0\0\7\210",
	     19},
	    {"an acknowledgement of SETTINGS with content",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\6\4\1\0\0\0\0\0\3\0\0\0\1",
	     24},
	    {"an acknowledgement of SETTINGS that were not sent",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\0\4\1\0\0\0\0"
	     "\0\0\0\4\1\0\0\0\0",
	     27},
	    {"a frame size above the maximum",
	     "\0\0\6\4\0\0\0\0\0\0\5\1\0\0\0",
	     15},
	    {"ENABLE_PUSH with a value other than 0 and 1",
	     "\0\0\6\4\0\0\0\0\0\0\2\0\0\0\2",
	     15},
	    {"PING on a stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\10\6\0\0\0\0\11abcdefgh",
	     26},
	    {"PING of nine bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\11\6\0\0\0\0\0abcdefghi",
	     27},
	    {"GOAWAY of seven bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\7\7\0\0\0\0\0\0\0\0\0\0\0\0",
	     25},
	    {"GOAWAY with a stream of the server's",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\10\7\0\0\0\0\0\0\0\0\2\0\0\0\0",
	     26},
	    {"RST_STREAM on stream 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\4\3\0\0\0\0\0\0\0\0\7",
	     22},
	    {"RST_STREAM of three bytes",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\3\3\0\0\0\0\1\0\0\7",
	     21},
	    {"PRIORITY on stream 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\5\2\0\0\0\0\0\0\0\0\0\1",
	     23},
	    {"HEADERS on stream 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\0\210",
	     19},
	    {"HEADERS with more padding than frame",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\2\1\14\0\0\0\1\5\210",
	     20},
	    {"CONTINUATION of another stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\0\0\0\0\1\210"
	     "\0\0\1\11\4\0\0\0\3\210",
	     29},
	    {"CONTINUATION after the end of the block",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\210"
	     "\0\0\1\11\4\0\0\0\1\210",
	     29},
	    {"WINDOW_UPDATE of an idle stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\4\10\0\0\0\0\11\0\0\0\1",
	     22},
	    {"DATA on an idle stream",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\0\0\0\0\0\11x",
	     19},
	    {"HPACK: a new table size after a field",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\2\1\4\0\0\0\1\210\40",
	     20},
	    {"HPACK: a number without end",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\14\1\4\0\0\0\1\210\377\377\377\377\377\377\377\377\377\377\1",
	     30},
	    {"HPACK: index 0",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\1\1\4\0\0\0\1\200",
	     19},
	    {"HPACK: a string longer than the block",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\5\1\4\0\0\0\1\210\0\177xx",
	     23},
	    {"HPACK: Huffman padding of a byte",
	     "\0\0\0\4\0\0\0\0\0"
	     "\0\0\7\1\4\0\0\0\1\210\0\1x\202\377\377",
	     25},
	    {"the preface of a client",
	     "PRI\40*\40HTTP/\62.\60\15\12\15\12SM\15\12\15\12",
	     24},
	    {"push enabled by the server",
	     "\0\0\6\4\0\0\0\0\0"
	     "\0\2\0\0\0\1",
	     15},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		enum reason reason;

		server_anew(state);
		print_message("%s\n", rows[i].says);
		client_ask(1);
		assert_true(client_flush());
		buf_put(&server.out, span_of(rows[i].bytes, rows[i].n));
		frames_sent(PING, 0, 0, "12345678", 8, 3); /* H25: frames after errors */
		reason = server_deliver(16384);
		if (reason == REASON_NONE)
			reason = client_collect();
		assert_int_equal(reason, REASON_DOH_MALFORMED);
		assert_int_equal(recorder.n_heard, 0); /* its connection fails the question */
	}
}

int
main(void)
{
#define DOH_TEST(name) cmocka_unit_test_setup_teardown(name, server_setup, server_teardown)
	const struct CMUnitTest tests[] = {
	    DOH_TEST(bodies_have_a_limit),
    DOH_TEST(bodies_that_do_not_end_have_a_limit_together),
	    DOH_TEST(floods_of_frames_end_the_connection),
	    DOH_TEST(floods_of_informational_responses_end_the_stream),
	    DOH_TEST(header_fields_have_a_budget),
	    DOH_TEST(floods_of_continuations_end_the_connection),
	    DOH_TEST(a_block_in_several_frames_is_read_in_any_pieces),
	    DOH_TEST(trailers_are_not_accepted),
	    DOH_TEST(other_protocols_end_the_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
