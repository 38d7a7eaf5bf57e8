/* lab_dot.c - DNS over TLS: a length before each message (RFC 7858, 3.3; RFC 1035, 4.2.2). */
#include "contrib/lab/server/lab_conn.h"

static void
dot_on_data(struct lab_conn *conn)
{
	while (conn->in.n >= 2 && conn->end == END_NONE) {
		size_t n = be16_read(conn->in.p);

		if (conn->in.n < 2 + n)
			break;
		lab_conn_question(conn, span_of(conn->in.p + 2, n), 0);
		buf_drop(&conn->in, 2 + n);
	}
}

static void
frame_write(struct lab_conn *conn, struct span message, size_t claimed)
{
	struct buf frame = buf_max(2 + UINT16_MAX);

	buf_u16(&frame, (uint16_t)claimed);
	buf_put(&frame, message);
	lab_conn_write(conn, buf_span(&frame));
	buf_free(&frame);
}

static void
dot_send(struct lab_conn *conn, int32_t stream, struct span message)
{
	const size_t short_frame = 5;

	(void)stream;
	if (lab_conn_fault(conn, FAULT_FRAME_EMPTY))
		frame_write(conn, span_of(NULL, 0), 0);
	if (lab_conn_fault(conn, FAULT_FRAME_SHORT))
		message = span_slice(message, 0, short_frame);
	if (lab_conn_fault(conn, FAULT_FRAME_HUGE))
		frame_write(conn, message, UINT16_MAX);
	else if (lab_conn_fault(conn, FAULT_CLOSE_MID_ANSWER))
		frame_write(conn, span_slice(message, 0, message.n / 2), message.n);
	else
		frame_write(conn, message, message.n);
	if (lab_conn_fault(conn, FAULT_DUPLICATE))
		frame_write(conn, message, message.n);
}

const struct lab_protocol lab_dot = {
    .alpn = "dot", .on_data = dot_on_data, .send = dot_send, .takes_unasked = true};
