/*
 * fuzz_h2.c - HTTP/2 frames of a hostile DoH server, in any pieces: whole and well-formed, where fuzz_doh.c feeds arbitrary bytes.
 *
 * The input is a script: questions are asked and cancelled, responses come field by field and piece by piece, and every
 * other kind of frame comes with any content, alone or as a flood. Whatever the script: a question is reported at most
 * once and with its own id, a body reaches the question of its stream and no other, a failure has a detail, and our
 * output stays bounded.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/unit/transport/proto_recorder.h"
#include "transport/doh_session.h"
#include "transport/doh_stream.h"

#include <string.h>

#define ASKED_MAX  32
#define FLOOD_MAX  300         /* repetitions of a frame by one operation */
#define FED_MAX    (512 * 1024) /* bytes of one script, floods included */
#define PIECES_MAX 65536       /* of one script, each a call of the session; after them frames come whole */
#define OUT_MAX    (256 * 1024)
#define SCRIPT_MAX 4096

const bool fuzz_is_script = true;

enum { DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION };
enum { END_STREAM = 1, ACK = 1, END_HEADERS = 4, PADDED = 8 };

struct run {
	struct cursor in;
	struct proto *w;
	struct buf out; /* frames that were not delivered yet */
	struct tp_exchange *asked[ASKED_MAX];
	bool soiled[ASKED_MAX]; /* its stream got something other than a good answer */
	unsigned n_asked, n_reported, n_unprocessed; /* as far as reports_check has looked */
	size_t piece, pieces, fed;
	size_t last_at; /* the frame put last */
	enum reason reason;
};

static struct proto_recorder recorder;

static void
reports_check(struct run *r)
{
	for (; r->n_reported < recorder.n_heard; r->n_reported++) {
		const struct heard *h = &recorder.heard[r->n_reported % RECORDER_MAX];
		unsigned i = 0;

		while (i < r->n_asked && r->asked[i] != h->exchange)
			i++;
		check(i < r->n_asked); /* waiting, and not reported before */
		r->asked[i] = NULL;
		if (h->failure != REASON_NONE)
			continue;
		check(h->n >= MSG_HEADER && be16_read(h->message) == i + 1);
		check(r->soiled[i] || h->message[MSG_HEADER] == i);
	}
	/* Those that the server did not process go back without a report. */
	if (recorder.unprocessed == r->n_unprocessed)
		return;
	r->n_unprocessed = recorder.unprocessed;
	for (unsigned i = 0; i < r->n_asked; i++) {
		struct tp_exchange *q;
		bool there = false;

		TAILQ_FOREACH(q, &recorder.asked.all, beside)
		there |= q == r->asked[i];
		if (!there)
			r->asked[i] = NULL;
	}
}

static void
collect(struct run *r)
{
	struct buf b = buf_max(OUT_MAX);
	const char *detail = NULL;
	enum reason reason = r->w->ops->collect(r->w, &b, &detail);

	check(buf_ok(&b) && (reason == REASON_NONE || detail != NULL));
	if (r->reason == REASON_NONE)
		r->reason = reason;
	buf_free(&b);
	reports_check(r); /* sending may end a stream, too */
}

static void
deliver(struct run *r)
{
	struct buf b = r->out;
	const char *detail = NULL;

	r->out = buf_max(FED_MAX);
	for (size_t at = 0, n; at < b.n && r->reason == REASON_NONE; at += n) {
		size_t piece = r->pieces++ < PIECES_MAX ? r->piece : FED_MAX;
		uint8_t *copy;

		n = b.n - at < piece ? b.n - at : piece;
		check((copy = malloc(n)) != NULL);
		memcpy(copy, b.p + at, n);
		r->reason = r->w->ops->feed(r->w, copy, n, &detail);
		free(copy);
		check(r->reason == REASON_NONE || detail != NULL);
		reports_check(r);
		if (r->reason == REASON_NONE)
			collect(r);
	}
	buf_free(&b);
}

static void
frame(struct run *r, unsigned type, unsigned flags, uint32_t stream, struct span payload)
{
	if (r->fed + payload.n + 9 > FED_MAX)
		return;
	r->fed += payload.n + 9;
	r->last_at = r->out.n;
	buf_u24(&r->out, (uint32_t)payload.n);
	buf_u8(&r->out, (uint8_t)type);
	buf_u8(&r->out, (uint8_t)flags);
	buf_u32(&r->out, stream);
	buf_put(&r->out, payload);
}

/* A live question's stream, or any number. *i: the question, ASKED_MAX: none. */
static uint32_t
stream_pick(struct run *r, unsigned *i)
{
	uint8_t b = cursor_u8(&r->in);

	*i = b % ASKED_MAX;
	if (b < 0xe0 && *i < r->n_asked && r->asked[*i] != NULL && r->asked[*i]->stream != NULL)
		return (uint32_t)r->asked[*i]->stream->id;
	*i = ASKED_MAX;
	return b >= 0xe0 ? b & 31U : b * 2U + 1;
}

/* The answer to the question of this stream can no longer be predicted. */
static uint32_t
stream_soil(struct run *r)
{
	unsigned i;
	uint32_t stream = stream_pick(r, &i);

	for (unsigned k = 0; k < r->n_asked; k++)
		r->soiled[k] |= k == i || (r->asked[k] != NULL && r->asked[k]->stream != NULL && (uint32_t)r->asked[k]->stream->id == stream);
	return stream;
}

static void
field_put(struct buf *b, const char *name, const char *value, uint8_t kind)
{
	buf_u8(b, kind & 0x50); /* without indexing, with indexing, never indexed */
	buf_u8(b, (uint8_t)strlen(name));
	buf_text(b, name);
	buf_u8(b, (uint8_t)strlen(value));
	buf_text(b, value);
}

static const struct {
	const char *name, *value;
} fields[] = {
    {":status", "200"},
    {":status", "100"},
    {":status", "103"},
    {":status", "204"},
    {":status", "301"},
    {":status", "429"},
    {":status", "503"},
    {":status", "99999999999"},
    {"content-type", "application/dns-message"},
    {"Content-Type", "application/dns-message"},
    {"content-type", "application/dns-message; charset=x"},
    {"content-type", "text/html"},
    {"content-length", "13"},
    {"content-length", "65536"},
    {"content-length", "99999999999999999999"},
    {"content-encoding", "gzip"},
    {"content-encoding", "identity"},
    {"age", "60"},
    {"age", "4294967296"},
    {"age", "1,2"},
    {"retry-after", "30"},
    {"retry-after", "Sat, 21 Nov 2026 12:00:30 GMT"},
    {"retry-after", "Sat, 21 Nov 1926 12:00:30 GMT"},
    {"location", "https://192.0.2.7/"},
    {"set-cookie", "a=b"},
    {"x", ""},
    {"", "y"},
    {":path", "/"},
    {"connection", "close"},
    {"te", "trailers"},
};

static void
op_ask(struct run *r)
{
	struct buf none = buf_max(64);
	unsigned i = r->n_asked;

	if (i == ASKED_MAX || !r->w->ops->has_room(r->w))
		return;
	r->asked[i] = recorder_question(&recorder, "h2", (uint16_t)(i + 1), i % 2 == 0);
	if (r->w->ops->take(r->w, r->asked[i], &none) == RES_OK) {
		r->n_asked++;
	} else {
		recorder_drop(&recorder, r->asked[i]);
		r->asked[i] = NULL;
	}
	check(none.n == 0);
}

static void
op_cancel(struct run *r)
{
	unsigned i = cursor_u8(&r->in) % ASKED_MAX;

	if (i >= r->n_asked || r->asked[i] == NULL)
		return;
	r->w->ops->cancel(r->w, r->asked[i]);
	recorder_drop(&recorder, r->asked[i]);
	r->asked[i] = NULL;
}

/* A good answer: 12 bytes of header and the question's number; in one DATA frame or two. */
static void
op_answer(struct run *r)
{
	unsigned i;
	uint32_t stream = stream_pick(r, &i);
	uint8_t how = cursor_u8(&r->in), body[MSG_HEADER + 1] = {0, 0, 0x81, 0x80};
	struct buf b = buf_max(512);

	if (i == ASKED_MAX)
		return;
	body[MSG_HEADER] = (uint8_t)i;
	if (how & 1)
		field_put(&b, ":status", "103", how);
	if (how & 1)
		frame(r, HEADERS, END_HEADERS, stream, buf_span(&b));
	buf_clear(&b);
	field_put(&b, ":status", "200", how);
	field_put(&b, "content-type", "application/dns-message", how);
	if (how & 2)
		field_put(&b, "age", "60", how);
	frame(r, HEADERS, END_HEADERS, stream, buf_span(&b));
	frame(r, DATA, 0, stream, span_of(body, how & 4 ? 5 : 0));
	frame(r, DATA, END_STREAM, stream, span_slice(span_of(body, sizeof body), how & 4 ? 5 : 0, sizeof body));
	buf_free(&b);
}

static void
op_headers(struct run *r)
{
	uint32_t stream = stream_soil(r);
	uint8_t flags = cursor_u8(&r->in), n = cursor_u8(&r->in) % 80, kind = cursor_u8(&r->in);
	struct buf b = buf_max(1 << 14);
	uint8_t at = kind;

	for (unsigned k = 0; k < n; k++) {
		if (k < 12)
			at = cursor_u8(&r->in);
		if (at < 0x80) /* the rest of a long list repeats its last field */
			field_put(&b, fields[at % (sizeof fields / sizeof *fields)].name, fields[at % (sizeof fields / sizeof *fields)].value, kind);
		else
			buf_u8(&b, at); /* an index into the tables, or a change of their size */
	}
	if (kind & 1)
		buf_put(&b, cursor_vec8(&r->in));
	frame(r, HEADERS, flags, stream, buf_span(&b));
	buf_free(&b);
}

static void
op_data(struct run *r)
{
	uint32_t stream = stream_soil(r);
	uint8_t flags = cursor_u8(&r->in), n = cursor_u8(&r->in);
	struct buf b = buf_max(1 << 16);

	if (flags & PADDED)
		buf_u8(&b, n);
	buf_put(&b, cursor_take(&r->in, n % 64 < cursor_left(&r->in) ? n % 64 : cursor_left(&r->in)));
	for (unsigned k = 0; n >= 192 && k < 240; k++) /* a large body */
		buf_put(&b, span_of("0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef", 64));
	frame(r, DATA, flags, stream, buf_span(&b));
	buf_free(&b);
}

static void
op_number(struct run *r, unsigned type)
{
	uint32_t stream = type == RST_STREAM || type == WINDOW_UPDATE ? stream_soil(r) : 0, value = cursor_u8(&r->in);
	struct buf b = buf_max(64);

	if (value >= 128)
		value = cursor_u32(&r->in);
	if (type == GOAWAY)
		buf_u32(&b, cursor_u8(&r->in));
	buf_u32(&b, value);
	if (type == PING)
		buf_u32(&b, value);
	frame(r, type, type == PING ? value & ACK : 0, type == WINDOW_UPDATE && value % 2 ? 0 : stream, buf_span(&b));
	buf_free(&b);
}

static void
op_settings(struct run *r)
{
	uint8_t n = cursor_u8(&r->in);
	struct buf b = buf_max(4096);

	for (unsigned k = 0; k < n % 40; k++) {
		buf_u16(&b, n & 64 ? cursor_u8(&r->in) : k % 8);
		buf_u32(&b, n & 128 ? cursor_u32(&r->in) : cursor_u8(&r->in));
	}
	frame(r, SETTINGS, n == 255 ? ACK : 0, 0, buf_span(&b));
	buf_free(&b);
}

static void
op_any(struct run *r)
{
	uint8_t type = cursor_u8(&r->in), flags = cursor_u8(&r->in);
	uint32_t stream = stream_soil(r);

	frame(r, type, flags, stream, cursor_vec8(&r->in));
}

static void
op_bytes(struct run *r)
{
	struct span s = cursor_vec8(&r->in);

	memset(r->soiled, true, sizeof r->soiled);
	buf_put(&r->out, s);
	r->fed += s.n;
}

/* The frame put last, again and again. */
static void
op_flood(struct run *r)
{
	unsigned n = cursor_u8(&r->in) * 8U;
	struct buf b = buf_max(1 << 17);

	buf_put(&b, span_slice(buf_span(&r->out), r->last_at, r->out.n));
	memset(r->soiled, true, sizeof r->soiled);
	for (unsigned k = 0; k < n && k < FLOOD_MAX && r->fed + b.n <= FED_MAX; k++) {
		buf_put(&r->out, buf_span(&b));
		r->fed += b.n;
	}
	buf_free(&b);
}

static void
step(struct run *r)
{
	static const uint8_t pieces[] = {1, 3, 8, 9, 10, 64, 255, 0};
	uint8_t op = cursor_u8(&r->in);

	switch (op & 15) {
	case 0:
	case 1:
		op_ask(r);
		break;
	case 2:
		op_cancel(r);
		break;
	case 3:
	case 4:
		op_answer(r);
		break;
	case 5:
		op_headers(r);
		break;
	case 6:
		op_data(r);
		break;
	case 7:
		op_number(r, RST_STREAM);
		break;
	case 8:
		op_settings(r);
		break;
	case 9:
		op_number(r, PING);
		break;
	case 10:
		op_number(r, GOAWAY);
		break;
	case 11:
		op_number(r, WINDOW_UPDATE);
		break;
	case 12:
		op_any(r);
		break;
	case 13:
		op_bytes(r);
		break;
	case 14:
		op_flood(r);
		break;
	case 15:
		r->piece = pieces[op >> 4 & 7];
		if (r->piece == 0)
			r->piece = FED_MAX;
		break;
	}
	if (op & 128) /* else it waits for more */
		return;
	collect(r);
	deliver(r);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct tp_target target = {.protocol = TP_DOH, .name = "dns.example", .path = "/dns-query"};
	struct run r = {.in = cursor_over(span_of(data, n)), .out = buf_max(FED_MAX), .piece = FED_MAX};
	unsigned gone;

	if (n > SCRIPT_MAX)
		return 0;
	recorder_start(&recorder);
	target.method = cursor_u8(&r.in) & 1 ? TP_GET : TP_POST;
	check(doh_new(&r.w, &target, &recorder_hooks, &recorder) == RES_OK);
	frame(&r, SETTINGS, 0, 0, span_of("", 0));
	while (cursor_left(&r.in) > 0 && r.reason == REASON_NONE)
		step(&r);
	if (r.reason == REASON_NONE)
		deliver(&r);
	gone = recorder.n_heard + recorder.unprocessed;
	check(gone <= r.n_asked && recorder.asked.n <= r.n_asked - gone);
	r.w->ops->free(r.w);
	recorder_free(&recorder);
	buf_free(&r.out);
	return 0;
}
