/* A client's TCP connection: each frame that it gets is whole, or the connection ends; the room is busy until all are sent. */
#include "config.h"

#include "resolver/daemon/tcp_conn.h"

#include "resolver/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/failing_alloc.h"
#include "tests/unit/transport/fake_loop.h"

#define QUESTIONS_MAX 8
#define RDATA_MAX     60000
#define READ_MAX      (QUESTIONS_MAX * (2 + MSG_MAX))

enum ask __wrap_engine_ask(struct engine *, struct span wire, const struct client *, struct buf *out);
void __wrap_engine_forget(struct engine *, struct waiter_list *);
bool __wrap_engine_allows(const struct engine *, const struct addr *);

/* ---- the engine: a question's id says whether it waits, and how large its reply is */

#define WAITING  UINT16_C(0x8000)
#define ID(n)    (n)
#define WAITS(n) (WAITING | (n))

static struct {
	struct counters counters;
	struct client client[QUESTIONS_MAX];
	uint16_t id[QUESTIONS_MAX];
	size_t n; /* that wait */
} engine;

static size_t
rdata_size(uint16_t id)
{
	static const size_t sizes[] = {1, 40, 200, RDATA_MAX};

	return sizes[id % 4];
}

/* As the engine does it: without memory for the answer, a shorter SERVFAIL. */
static bool
reply_make(struct buf *out, uint16_t id)
{
	static const uint8_t section[] = {1, 'a', 4, 't', 'e', 's', 't', 0, 0, 16, 0, 1};
	static const uint8_t head[] = {0, 0, 0x80, 0, 0, 1, 0, 1, 0, 0, 0, 0}, owner[] = {0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0};
	static uint8_t room[RDATA_MAX + 64], rdata[RDATA_MAX];
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct buf wire = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct msg_question q = {.id = id, .section = span_of(section, sizeof section), .type = 16, .class = CLASS_IN};
	struct msg_answer a;
	struct reply r;

	buf_put(&wire, span_of(head, sizeof head));
	buf_put(&wire, q.section);
	buf_put(&wire, span_of(owner, sizeof owner));
	buf_u16(&wire, (uint16_t)rdata_size(id));
	buf_put(&wire, span_of(rdata, rdata_size(id)));
	assert_int_equal(msg_answer_read(&a, buf_span(&wire), ttl_at), RES_OK);
	r = reply_whole(&a, NULL, COUNTER_COUNT);
	return reply_write(out, &r, &q, true, &engine.counters);
}

enum ask
__wrap_engine_ask(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	uint16_t id = be16_read(wire.p);

	(void)e;
	if ((id & WAITING) == 0)
		return reply_make(out, id) ? ASK_REPLIED : ASK_DROPPED;
	assert_true(engine.n < QUESTIONS_MAX);
	engine.client[engine.n] = *client;
	engine.id[engine.n++] = id;
	return ASK_WAITS;
}

void
__wrap_engine_forget(struct engine *e, struct waiter_list *waiting)
{
	(void)e;
	(void)waiting;
	engine.n = 0;
}

bool
__wrap_engine_allows(const struct engine *e, const struct addr *client)
{
	(void)e;
	(void)client;
	return true;
}

/* The first that waits gets its reply, in memory that is there. */
static void
engine_reply(void)
{
	static uint8_t room[MSG_MAX];
	struct buf reply = {.p = room, .cap = sizeof room, .max = sizeof room};
	struct client client = engine.client[0];
	uint16_t id = engine.id[0];

	engine.n--;
	memmove(engine.client, engine.client + 1, engine.n * sizeof *engine.client);
	memmove(engine.id, engine.id + 1, engine.n * sizeof *engine.id);
	assert_true(reply_make(&reply, id));
	client.on_reply(&client, buf_span(&reply));
}

/* ---- a connection, and its client */

struct served {
	struct counters counters;
	struct heap_watch heap;
	struct loop *loop;
	struct tcp_room *room;
	int server, client;
	uint8_t *bytes; /* what the client has read */
};

static void
served_begin(struct served *s)
{
	static uint8_t bytes[READ_MAX];
	struct addr addr = {.family = ADDR_V4, .ip = {127, 0, 0, 1}};
	int pair[2];

	*s = (struct served){.client = -1};
	engine.n = 0;
	assert_int_equal(loop_new(&s->loop), RES_OK);
	heap_watch_init(&s->heap, s->loop, NULL, NULL);
	assert_int_equal(tcp_room_new(&s->room, s->loop, NULL, &s->counters, 16, TCP_BYTES_MAX, &s->heap), RES_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
	assert_int_equal(tcp_conn_new(s->room, pair[0], &addr), RES_OK);
	s->server = pair[0];
	s->client = pair[1];
	s->bytes = bytes;
}

static void
served_end(struct served *s)
{
	tcp_room_free(s->room);
	heap_watch_stop(&s->heap);
	assert_int_equal(fake_loop_timers(s->loop), 0);
	assert_int_equal(fake_loop_fds(s->loop), 0);
	loop_free(s->loop);
	close(s->client);
}

static void
client_asks(const struct served *s, const uint16_t *id, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t frame[2 + MSG_HEADER] = {0, MSG_HEADER};

		be16_write(frame + 2, id[i]);
		assert_int_equal(send(s->client, frame, sizeof frame, 0), sizeof frame);
	}
}

/* Reads what came until now, after what was read. Gives how much it is in all. *ended: and the connection's end. */
static size_t
client_reads(const struct served *s, size_t read, bool *ended)
{
	ssize_t n;

	while ((n = recv(s->client, s->bytes + read, READ_MAX - read, 0)) > 0)
		read += (size_t)n;
	*ended = n == 0;
	return read;
}

static bool
is_asked(uint16_t id, const uint16_t *asked, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (asked[i] == id)
			return true;
	return false;
}

/* How many whole frames there are; -1: one is not a reply to any question, or the last is not whole. */
static int
frames_count(struct span in, const uint16_t *asked, size_t n)
{
	struct cursor c = cursor_over(in);
	int count = 0;

	while (cursor_ok(&c) && cursor_left(&c) > 0) {
		struct span frame = cursor_vec16(&c);

		if (frame.n < MSG_HEADER || !is_asked(be16_read(frame.p), asked, n) || (frame.p[2] & 0x80) == 0)
			return -1;
		count++;
	}
	return cursor_ok(&c) ? count : -1;
}

/* ---- without memory */

static const struct {
	const char *what;
	uint16_t id[QUESTIONS_MAX];
	size_t n;
} conversations[] = {
    {"one reply at once", {ID(2)}, 1},
    {"one that waited", {WAITS(2)}, 1},
    {"two that waited", {WAITS(2), WAITS(6)}, 2},
    {"small ones that waited", {WAITS(0), WAITS(1), WAITS(4), WAITS(5), WAITS(8)}, 5},
    {"several at once", {ID(1), ID(4), ID(8), ID(12), ID(16), ID(20), ID(24)}, 7},
    {"a large one after small ones", {WAITS(0), ID(4), WAITS(1), ID(3), WAITS(3), ID(8), WAITS(8)}, 7},
};

/* Every reply that waited comes in one turn: nothing is written in between. */
static void
conversation_run(struct served *s)
{
	(void)fake_loop_turn(s->loop, 0);
	while (engine.n > 0)
		engine_reply();
	(void)fake_loop_turn(s->loop, 0);
}

static void
every_allocation_may_fail(void **state)
{
	(void)state;
	for (size_t row = 0; row < sizeof conversations / sizeof *conversations; row++) {
		const uint16_t *id = conversations[row].id;
		size_t n = conversations[row].n;

		for (size_t at = 0, needed = 1; at <= needed; at++) {
			struct served s;
			bool ended;
			size_t read;
			int count;

			served_begin(&s);
			client_asks(&s, id, n);
			failing_alloc_begin(at);
			conversation_run(&s);
			if (at == 0)
				needed = failing_alloc_end();
			else
				(void)failing_alloc_end();
			read = client_reads(&s, 0, &ended);
			count = frames_count(span_of(s.bytes, read), id, n);
			if (count < 0 || (!ended && count != (int)n) || (at == 0 && ended))
				fail_msg("%s, allocation %zu of %zu fails: %d frames in %zu bytes, %s", conversations[row].what, at, needed,
					 count, read, ended ? "the end" : "no end");
			served_end(&s);
		}
	}
}

/* ---- a client that reads late */

static void
the_room_is_busy_until_all_replies_are_sent(void **state)
{
	static const struct {
		const char *what;
		uint16_t id[QUESTIONS_MAX];
		size_t n;
		bool busy; /* before the client reads */
	} rows[] = {
		{"no question", {0}, 0, false},
		{"a small reply", {ID(2)}, 1, false},
		{"a large one", {ID(3)}, 1, true},
		{"a large one that waited", {WAITS(3)}, 1, true},
		{"more than is held at a time", {ID(3), ID(7), ID(11), ID(15), ID(19), ID(23)}, 6, true},
	};
	const int small = 4096;

	(void)state;
	for (size_t row = 0; row < sizeof rows / sizeof *rows; row++) {
		struct served s;
		bool ended;
		size_t read = 0;

		served_begin(&s);
		assert_int_equal(setsockopt(s.server, SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
		client_asks(&s, rows[row].id, rows[row].n);
		(void)fake_loop_turn(s.loop, 0);
		assert_int_equal(tcp_room_is_busy(s.room), engine.n > 0 || rows[row].busy);
		conversation_run(&s);
		if (tcp_room_is_busy(s.room) != rows[row].busy)
			fail_msg("%s: it is %sbusy", rows[row].what, rows[row].busy ? "not " : "");
		for (unsigned turns = 0; turns < 1000 && (turns == 0 || tcp_room_is_busy(s.room)); turns++) {
			read = client_reads(&s, read, &ended);
			(void)fake_loop_turn(s.loop, 0);
		}
		assert_false(tcp_room_is_busy(s.room));
		read = client_reads(&s, read, &ended);
		if (frames_count(span_of(s.bytes, read), rows[row].id, rows[row].n) != (int)rows[row].n)
			fail_msg("%s: %zu bytes", rows[row].what, read);
		served_end(&s);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_allocation_may_fail),
	    cmocka_unit_test(the_room_is_busy_until_all_replies_are_sent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
