#include "contrib/lab/server/h2raw.h"

#include <string.h>

#define FLOOD      100000
#define FRAME_MAX  16384 /* SETTINGS_MAX_FRAME_SIZE unless it is raised */
#define BOMB_VALUE 4000  /* nearly all of a dynamic table of 4096 */

enum frame_type {
	FRAME_DATA = 0,
	FRAME_HEADERS = 1,
	FRAME_SETTINGS = 4,
	FRAME_PUSH_PROMISE = 5,
	FRAME_PING = 6,
	FRAME_WINDOW_UPDATE = 8,
	FRAME_CONTINUATION = 9,
	FRAME_UNKNOWN = 0xfa,
};
enum frame_flag { FLAG_END_STREAM = 1, FLAG_END_HEADERS = 4 };

/* RFC 7541: :status 200 indexed; content-type literal without indexing. */
static const uint8_t good_headers[] = {0x88, 0x0f, 0x10, 23,  'a', 'p', 'p', 'l', 'i',
				       'c',  'a',  't',  'i', 'o', 'n', '/', 'd', 'n',
				       's',  '-',  'm',  'e', 's', 's', 'a', 'g', 'e'};
static const uint8_t early_hints[] = {0x08, 3, '1', '0', '3'}; /* :status 103, not indexed */

static void
frame(struct lab_conn *conn, enum frame_type type, uint8_t flags, int32_t stream, struct span payload)
{
	struct buf head = buf_max(16);

	buf_u24(&head, (uint32_t)payload.n);
	buf_u8(&head, (uint8_t)type);
	buf_u8(&head, flags);
	buf_u32(&head, (uint32_t)stream);
	lab_conn_write(conn, buf_span(&head));
	lab_conn_write(conn, payload);
	buf_free(&head);
}

static void
flood(struct lab_conn *conn, enum frame_type type, uint8_t flags, int32_t stream, struct span payload)
{
	for (int i = 0; i < FLOOD; i++)
		frame(conn, type, flags, stream, payload);
}

/* One long header enters the dynamic table; a byte each calls it up again. */
static void
bomb(struct lab_conn *conn, int32_t stream)
{
	static const uint8_t again = 0xbe; /* the newest entry of the dynamic table */
	struct buf block = buf_max(FRAME_MAX);

	buf_put(&block, span_of(good_headers, sizeof good_headers));
	buf_u8(&block, 0x40);
	buf_u8(&block, 1);
	buf_u8(&block, 'b');
	buf_u8(&block, 0x7f); /* 4000 as a 7-bit prefix integer: 127 + 3873 */
	buf_u8(&block, 0x80 | (3873 & 0x7f));
	buf_u8(&block, 3873 >> 7);
	for (int i = 0; i < BOMB_VALUE; i++)
		buf_u8(&block, 'b');
	while (block.n < FRAME_MAX)
		buf_u8(&block, again);
	frame(conn, FRAME_HEADERS, FLAG_END_HEADERS, stream, buf_span(&block));
	buf_free(&block);
}

/* The header block in two frames; the dribbling is lab_conn.c's. */
static void
split_headers(struct lab_conn *conn, int32_t stream, struct span message)
{
	struct span block = span_of(good_headers, sizeof good_headers);

	frame(conn, FRAME_HEADERS, 0, stream, span_slice(block, 0, 10));
	frame(conn, FRAME_CONTINUATION, FLAG_END_HEADERS, stream, span_slice(block, 10, block.n));
	frame(conn, FRAME_DATA, FLAG_END_STREAM, stream, message);
}

static void
push_promise(struct lab_conn *conn, int32_t stream)
{
	static const uint8_t promise[] = {0,    0, 0,   2,   0x82, 0x87, 0x84,
					  0x01, 4, 'e', 'v', 'i',  'l'}; /* GET https / evil */

	frame(conn, FRAME_PUSH_PROMISE, FLAG_END_HEADERS, stream, span_of(promise, sizeof promise));
}

bool
h2raw_greeting(struct lab_conn *conn)
{
	static const char http1[] =
	    "HTTP/1.1 200 OK\r\nContent-Type: application/dns-message\r\nContent-Length: 0\r\n\r\n";
	uint8_t noise[256];

	if (lab_conn_fault(conn, FAULT_HTTP1)) {
		lab_conn_write(conn, span_str(http1));
		return true;
	}
	if (lab_conn_fault(conn, FAULT_H2_GARBAGE)) {
		memset(noise, 0xc3, sizeof noise);
		lab_conn_write(conn, span_of(noise, sizeof noise));
		return true;
	}
	return false;
}

bool
h2raw_before_answer(struct lab_conn *conn, int32_t stream, struct span message)
{
	static const uint8_t eight[8] = {0}, one[4] = {0, 0, 0, 1}, most[4] = {0x7f, 0xff, 0xff, 0xff};
	struct span none = span_of(NULL, 0);

	if (lab_conn_fault(conn, FAULT_PING_FLOOD))
		flood(conn, FRAME_PING, 0, 0, span_of(eight, sizeof eight));
	if (lab_conn_fault(conn, FAULT_SETTINGS_FLOOD))
		flood(conn, FRAME_SETTINGS, 0, 0, none);
	if (lab_conn_fault(conn, FAULT_WINDOW_FLOOD))
		flood(conn, FRAME_WINDOW_UPDATE, 0, 0, span_of(one, sizeof one));
	if (lab_conn_fault(conn, FAULT_UNKNOWN_FLOOD))
		flood(conn, FRAME_UNKNOWN, 0, 0, span_of(eight, sizeof eight));
	if (lab_conn_fault(conn, FAULT_INTERIM_FLOOD))
		flood(conn, FRAME_HEADERS, FLAG_END_HEADERS, stream,
		      span_of(early_hints, sizeof early_hints));
	if (lab_conn_fault(conn, FAULT_WINDOW_OVERFLOW))
		frame(conn, FRAME_WINDOW_UPDATE, 0, 0, span_of(most, sizeof most));
	if (lab_conn_fault(conn, FAULT_PUSH))
		push_promise(conn, stream);
	if (lab_conn_fault(conn, FAULT_HPACK_BOMB)) {
		bomb(conn, stream);
		return true;
	}
	if (lab_conn_fault(conn, FAULT_CONTINUATIONS)) {
		frame(conn, FRAME_HEADERS, 0, stream, span_of(good_headers, sizeof good_headers));
		flood(conn, FRAME_CONTINUATION, 0, stream, none);
		return true;
	}
	if (lab_conn_fault(conn, FAULT_EMPTY_DATA_FLOOD)) {
		frame(conn, FRAME_HEADERS, FLAG_END_HEADERS, stream,
		      span_of(good_headers, sizeof good_headers));
		flood(conn, FRAME_DATA, 0, stream, none);
		return true;
	}
	if (lab_conn_fault(conn, FAULT_SPLIT_HEADERS)) {
		split_headers(conn, stream, message);
		return true;
	}
	return false;
}
