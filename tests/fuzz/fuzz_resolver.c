/*
 * fuzz_resolver.c - the whole resolver under scripted events and time: real configuration, cache, local names and queries;
 * the clock and the transport are fakes.
 *
 * The input is a script: a byte of operation, and its arguments. Clients ask, repeat themselves and leave; upstreams answer
 * well, badly, for another question or not at all; connections come, fail, hang, close; time passes, the machine sleeps, the
 * wall clock is set, the network changes, the configuration is reloaded, a portal's window opens. Whatever the script:
 *
 * - a question gets exactly one reply, in at most QUERY_TIME_MS, unless its client left; a repeated datagram one or none;
 * - the reply is for it: its id, its question to the letter, its size; an address in it is the one of that name;
 * - a name goes to the upstreams it is routed to, and names of this machine to none;
 * - at the end nobody waits, nothing is in flight, no timer is set, and nothing leaks.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/resolver_plans.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"
#include "resolver/cache.h"
#include "resolver/engine.h"
#include "resolver/portal.h"
#include "resolver/query.h"
#include "resolver/upstreams.h"
#include "tests/unit/transport/fake_loop.h"
#include "tests/unit/transport/fake_transport.h"

#include <string.h>

#define ASKED_MAX   256 /* questions of one script */
#define TURNS_MAX   20000 /* a loop that has not come to rest by then never will */
#define OWNERS      4   /* TCP connections */
#define PORTAL_MAX  32
#define SCRIPT_MAX  4096

const bool fuzz_is_script = true;

struct asked {
	struct client client;
	uint8_t wire[MSG_HEADER + MSG_NAME_MAX + 4 + 11];
	size_t n;
	unsigned name;
	uint16_t type, size;
	bool edns;
	unsigned waits;   /* replies that are still to come: a repeated datagram may bring one more */
	unsigned replies, want;
	int64_t by_ms; /* monotonic clock: a sleep does not count */
};

struct run {
	struct cursor in;
	struct loop *loop;
	struct counters counters;
	struct engine *engine;
	struct asked asked[ASKED_MAX];
	unsigned n_asked;
	struct waiter_list owner[OWNERS];
	struct { uint32_t id; uint16_t type; } portal[PORTAL_MAX];
	unsigned n_portal;
	uint32_t soiled; /* names that were answered with bytes of the script, so that their answers are not known */
	unsigned turns;
};

static struct run *run;

/* ---- the expected answer to a question */

static uint32_t
key_of(struct span name, uint16_t type)
{
	uint32_t h = 2166136261U ^ type;

	for (size_t i = 0; i < name.n; i++)
		h = (h ^ ascii_lower(name.p[i])) * 16777619U;
	return (h & 0xffffffU) | 0x09000000U; /* an address that is not private */
}

static unsigned
name_index(struct span name)
{
	for (unsigned i = 0; i < fuzz_names_n; i++) {
		uint8_t known[MSG_NAME_MAX], n, lower[MSG_NAME_MAX];

		check(msg_name_read(known, &n, fuzz_names[i].text) == RES_OK);
		if (n != name.n)
			continue;
		ascii_lower_copy(lower, name.p, name.n);
		if (memcmp(lower, known, n) == 0)
			return i;
	}
	return fuzz_names_n;
}

static bool
on_record(void *ctx, const struct msg_rr *rr)
{
	const struct asked *a = ctx;
	unsigned i = name_index(span_of(a->wire + MSG_HEADER, a->n - MSG_HEADER - 4 - (a->edns ? 11 : 0)));

	if (rr->section != MSG_SECTION_ANSWER || rr->type != TYPE_A || i == fuzz_names_n || (run->soiled & 1U << i))
		return true;
	if (fuzz_names[i].kind == NAME_PUBLIC || fuzz_names[i].kind == NAME_CORP)
		check(rr->rdata.n == 4 && be32_read(rr->rdata.p) ==
		      key_of(span_of(a->wire + MSG_HEADER, a->n - MSG_HEADER - 4 - (a->edns ? 11 : 0)), TYPE_A));
	return true;
}

static void
reply_check(const struct asked *a, struct span reply)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	size_t section_n = a->n - MSG_HEADER - (a->edns ? 11 : 0);
	size_t most = a->client.tcp ? MSG_MAX : !a->edns || a->size < 512 ? 512 : a->size < MSG_UDP_PAYLOAD ? a->size : MSG_UDP_PAYLOAD;
	struct msg_answer m;

	check(reply.n <= most);
	check(msg_answer_read(&m, reply, ttl_at) == RES_OK);
	check(memcmp(reply.p, a->wire, 2) == 0 && (m.flags & MSG_QR) != 0);
	check(span_equal(m.section, span_of(a->wire + MSG_HEADER, section_n)));
	check(m.edns.present == a->edns);
	check(!a->client.tcp || !(m.flags & MSG_TC));
	msg_each(&m, on_record, (void *)(uintptr_t)a);
}

static void
on_reply(const struct client *client, struct span reply)
{
	struct asked *a = client->owner;

	check(a->waits > 0);
	a->replies++;
	a->waits--;
	reply_check(a, reply);
}

/* ---- the questions that upstreams get */

static void
question_check(const char *line, struct tp_exchange *q)
{
	struct msg_question m;
	unsigned i;

	check(msg_question_read(&m, fake_question_wire(q)) == MSG_OK);
	i = name_index(span_of(m.name, m.name_n));
	check(m.id == 0 && i < fuzz_names_n && m.edns.present && m.edns.options.n == 0);
	check(fuzz_names[i].kind != NAME_HERE);
	check((fuzz_names[i].kind == NAME_CORP) == (strcmp(line, LINE_CORP) == 0));
}

static unsigned
line_look(const char *name)
{
	struct fake_line *line = fake_line(name);
	struct tp_exchange *q;
	unsigned n = 0;

	for (; (q = fake_question(line, n)) != NULL; n++)
		if (fake_question_claim(q))
			question_check(name, q);
	return n;
}

/* ---- time */

/* Turns the loop until nothing is left to do; then checks all conditions that must always hold. */
static void
settle(struct run *r)
{
	unsigned waiting = 0;

	while (fake_loop_turn(r->loop, 0))
		check(r->turns++ < TURNS_MAX);
	for (unsigned i = 0; i < fuzz_lines_n; i++)
		(void)line_look(fuzz_lines[i]);
	for (unsigned i = 0; i < r->n_asked; i++) {
		if (r->asked[i].waits == 0)
			continue;
		waiting += r->asked[i].waits;
		check(clock_mono_ms() <= r->asked[i].by_ms);
	}
	check(engine_waiting(r->engine) == waiting);
}

static int64_t
duration_of(uint8_t b)
{
	static const int32_t ms[] = {0, 1, 10, 100, 250, 1000, 1500, 1800, 2000, 3500, 4000, 5000, 30000, 61000, 600000, 3700000};

	return ms[b % 16];
}

static void
advance(struct run *r, int64_t ms)
{
	fake_loop_advance(r->loop, ms);
	settle(r);
}

/* ---- clients */

static void
ask_send(struct run *r, struct asked *a, bool repeated)
{
	static uint8_t room[MSG_MAX];
	struct buf out = {.p = room, .cap = a->client.tcp ? MSG_MAX : MSG_UDP_PAYLOAD};

	out.max = out.cap;
	switch (engine_ask(r->engine, span_of(a->wire, a->n), &a->client, &out)) {
	case ASK_REPLIED:
		reply_check(a, buf_span(&out));
		a->replies++;
		a->want++;
		break;
	case ASK_WAITS:
		a->waits++;
		a->want++;
		a->by_ms = clock_mono_ms() + QUERY_TIME_MS;
		break;
	case ASK_DROPPED:
		check(repeated);
		break;
	}
}

static void
question_make(struct asked *a, uint16_t id, uint8_t flags)
{
	struct buf b = {.p = a->wire, .cap = sizeof a->wire, .max = sizeof a->wire};
	const char *text = fuzz_names[a->name].text;
	uint8_t lower[MSG_NAME_MAX], n;

	check(msg_name_read(lower, &n, text) == RES_OK);
	buf_u16(&b, id);
	buf_u16(&b, (uint16_t)(MSG_RD | (flags & 1 ? MSG_CD : 0) | (flags & 2 ? MSG_AD : 0)));
	buf_u16(&b, 1);
	buf_u32(&b, 0);
	buf_u16(&b, a->edns);
	buf_put(&b, span_of(lower, n));
	for (size_t i = 0; i + 2 < n; i++) /* as spelled */
		if (text[i] != '.')
			b.p[MSG_HEADER + 1 + i] = (uint8_t)text[i];
	buf_u16(&b, a->type);
	buf_u16(&b, CLASS_IN);
	if (a->edns) {
		buf_put(&b, span_of("\0\0\51", 3));
		buf_u16(&b, a->size);
		buf_u32(&b, flags & 4 ? 0x8000 : 0);
		buf_u16(&b, 0);
	}
	check(buf_ok(&b));
	a->n = b.n;
}

static void
op_ask(struct run *r)
{
	static const uint16_t types[] = {TYPE_A, TYPE_A, TYPE_AAAA, TYPE_HTTPS, TYPE_TXT, TYPE_SOA, TYPE_DS, TYPE_ANY};
	static const uint16_t sizes[] = {0, 512, 1232, 4096};
	uint8_t what = cursor_u8(&r->in), how = cursor_u8(&r->in);
	struct asked *a = &r->asked[r->n_asked];

	if (r->n_asked == ASKED_MAX)
		return;
	*a = (struct asked){.name = what % fuzz_names_n, .type = types[what >> 4 & 7], .size = sizes[how >> 6], .edns = how & 8};
	a->client = (struct client){.on_reply = on_reply, .owner = a, .tcp = how & 16};
	if (a->client.tcp)
		a->client.waiting = &r->owner[what >> 5 & 3];
	check(addr_read(&a->client.addr, how & 32 ? "127.0.0.1" : "2001:db8::77", (uint16_t)(1024 + r->n_asked)) == RES_OK);
	question_make(a, (uint16_t)(r->n_asked * 257 + 1), how);
	r->n_asked++;
	ask_send(r, a, false);
}

static void
op_repeat(struct run *r)
{
	struct asked *a = &r->asked[cursor_u8(&r->in)];

	if (a < r->asked + r->n_asked && a->waits > 0 && !a->client.tcp)
		ask_send(r, a, true);
}

/* A client of any bytes; its reply, when there is one, goes back to it. */
static void
op_raw(struct run *r)
{
	static uint8_t room[MSG_MAX];
	struct buf out = {.p = room, .cap = MSG_MAX, .max = MSG_MAX};
	struct span wire = cursor_vec8(&r->in);
	struct client client = {.tcp = true, .waiting = &r->owner[0]};
	struct msg_question q;

	/* Good questions are left to op_ask: here they would wait, and there is no place for a later reply. */
	if (wire.n == 0 || msg_question_read(&q, wire) == MSG_OK || addr_read(&client.addr, "127.0.0.1", 9) != RES_OK)
		return;
	if (engine_ask(r->engine, wire, &client, &out) == ASK_REPLIED)
		check(out.n >= MSG_HEADER && memcmp(out.p, wire.p, 2) == 0 && (out.p[2] & 0x80) != 0);
}

static void
op_leave(struct run *r)
{
	struct waiter_list *owner = &r->owner[cursor_u8(&r->in) % OWNERS];

	engine_forget(r->engine, owner);
	for (unsigned i = 0; i < r->n_asked; i++)
		if (r->asked[i].client.waiting == owner) {
			r->asked[i].want -= r->asked[i].waits;
			r->asked[i].waits = 0;
		}
}

/* ---- upstreams */

static struct tp_exchange *
question_pick(struct run *r, struct fake_line **line)
{
	uint8_t which = cursor_u8(&r->in);
	const char *name = fuzz_lines[which % fuzz_lines_n];
	unsigned n = line_look(name);

	*line = fake_line(name);
	return n > 0 ? fake_question(*line, (which >> 3) % n) : NULL;
}

static void
soil(struct run *r, struct span name)
{
	unsigned i = name_index(name);

	/* The same name in another spelling is the same question. */
	for (unsigned k = 0; k < fuzz_names_n && i < fuzz_names_n; k++) {
		uint8_t other[MSG_NAME_MAX], n;

		check(msg_name_read(other, &n, fuzz_names[k].text) == RES_OK);
		if (name_index(span_of(other, n)) == i)
			r->soiled |= 1U << k;
	}
}

static void
records_put(struct buf *b, const struct msg_question *q, uint8_t how, uint32_t ttl)
{
	uint32_t key = key_of(span_of(q->name, q->name_n), q->type);
	unsigned n = q->type == TYPE_TXT && how & 32 ? 60 : 1 + (how >> 6);

	for (unsigned i = 0; i < n; i++) {
		buf_put(b, span_of("\300\14", 2));
		buf_u16(b, q->type);
		buf_u16(b, CLASS_IN);
		buf_u32(b, ttl);
		buf_u16(b, q->type == TYPE_AAAA ? 16 : q->type == TYPE_TXT ? 5 : 4);
		if (q->type == TYPE_AAAA)
			buf_put(b, span_of("\52\0\0\0\0\0\0\0\0\0\0\0", 12));
		if (q->type == TYPE_TXT)
			buf_u8(b, 4);
		buf_u32(b, key);
	}
}

/* how: RCODE in the low bits, records or a denial, another question, TC, more records. */
static void
answer_make(struct buf *b, const struct msg_question *q, uint8_t how, uint8_t rcode, uint32_t ttl)
{
	bool denied = how & 1 || rcode != RCODE_NOERROR || q->type == TYPE_SOA || q->type == TYPE_ANY;
	unsigned n = denied ? 0 : q->type == TYPE_TXT && how & 32 ? 60 : 1 + (how >> 6);

	buf_u16(b, q->id);
	buf_u16(b, (uint16_t)(MSG_QR | MSG_RD | (how & 2 ? 0 : MSG_RA) | (how & 4 ? MSG_TC : 0) | (how & 16 ? MSG_AD : 0) |
			      (q->flags & MSG_CD) | (rcode & 15)));
	buf_u16(b, 1);
	buf_u16(b, (uint16_t)n);
	buf_u16(b, denied);
	buf_u16(b, 1);
	buf_put(b, q->section);
	if (denied) {
		buf_put(b, span_of("\7example\0\0\6\0\1", 13));
		buf_u32(b, ttl);
		buf_u16(b, 22);
		buf_put(b, span_of("\0\0\0\0\0\1\0\0\0\2\0\0\0\3\0\0\0\4\0\0\0\74", 22));
	} else {
		records_put(b, q, how, ttl);
	}
	buf_put(b, span_of("\0\0\51\4\320\0\0\0\0\0\0", 11));
}

static void
op_answer(struct run *r)
{
	static const uint8_t rcodes[] = {0, 0, 0, 0, 3, 3, 2, 2, 5, 4, 1, 6, 7, 9, 15, 0};
	struct fake_line *line;
	struct tp_exchange *q = question_pick(r, &line);
	uint8_t how = cursor_u8(&r->in), more = cursor_u8(&r->in);
	struct buf b = buf_max(MSG_MAX);
	struct msg_question m;

	if (q == NULL)
		return;
	check(msg_question_read(&m, fake_question_wire(q)) == MSG_OK);
	if (how & 8 && fake_question(line, 1) != NULL) /* the answer of another question, whole */
		check(msg_question_read(&m, fake_question_wire(fake_question(line, more % 2U))) == MSG_OK);
	answer_make(&b, &m, how, rcodes[more & 15], (uint32_t)(duration_of(more >> 4) / 100));
	fake_answer(q, buf_span(&b), how & 128 ? more : 0);
	buf_free(&b);
}

/* The question comes back with records of the script. */
static void
op_answer_raw(struct run *r)
{
	struct fake_line *line;
	struct tp_exchange *q = question_pick(r, &line);
	struct span rest = cursor_vec8(&r->in);
	struct buf b = buf_max(MSG_MAX);
	struct msg_question m;

	if (q == NULL)
		return;
	check(msg_question_read(&m, fake_question_wire(q)) == MSG_OK);
	soil(r, span_of(m.name, m.name_n));
	buf_put(&b, span_slice(rest, 0, MSG_HEADER < rest.n ? MSG_HEADER : rest.n));
	if (rest.n > MSG_HEADER) {
		b.p[4] = 0;
		b.p[5] = 1;
		buf_put(&b, m.section);
		buf_put(&b, span_slice(rest, MSG_HEADER, rest.n));
	}
	fake_answer(q, buf_span(&b), 0);
	buf_free(&b);
}

static void
op_fail(struct run *r)
{
	static const enum reason reasons[] = {REASON_CLOSED, REASON_DOH_STATUS, REASON_DOH_TYPE, REASON_DOH_REDIRECT,
					      REASON_DOH_MALFORMED, REASON_ANSWER_MISMATCH, REASON_CONNECT_TIMEOUT, REASON_TLS_FAILED};
	struct fake_line *line;
	struct tp_exchange *q = question_pick(r, &line);
	uint8_t how = cursor_u8(&r->in);

	if (q != NULL)
		fake_fail(q, reasons[how % 8], how & 128 ? how & 127 : 0);
}

static void
op_line(struct run *r)
{
	static const enum reason reasons[] = {REASON_CONNECT_REFUSED, REASON_UNREACHABLE, REASON_TLS_ALERT, REASON_ALPN_MISMATCH,
					      REASON_CT_TOO_FEW_SCTS, REASON_EXPIRED, REASON_UNTRUSTED, REASON_CLOCK_NOT_SET};
	struct fake_line *line = fake_line(fuzz_lines[cursor_u8(&r->in) % fuzz_lines_n]);
	uint8_t how = cursor_u8(&r->in);

	line->manner = how & 1 ? FAKE_FAIL : how & 2 ? FAKE_HANG : FAKE_UP;
	line->reason = line->manner == FAKE_FAIL ? reasons[how >> 2 & 7] : REASON_NONE;
	line->handshake_ms = line->manner == FAKE_UP ? duration_of(how >> 4 & 7) : 0;
}

static void
op_close(struct run *r)
{
	uint8_t how = cursor_u8(&r->in);
	struct fake_line *line;
	struct tp_exchange *q = question_pick(r, &line);

	if (how & 1 && q != NULL)
		fake_kill(q);
	else if (line->slot != NULL && tp_slot_state(line->slot) == TP_READY)
		fake_close(line);
}

/* ---- the world */

static bool
on_portal_ask(void *ctx, const struct portal_message *m)
{
	struct run *r = ctx;

	check(fuzz_names[name_index(m->name)].kind == NAME_PORTAL);
	if (r->n_portal == PORTAL_MAX)
		return false;
	r->portal[r->n_portal].id = m->id;
	r->portal[r->n_portal++].type = m->type;
	return true;
}

static void
op_portal(struct run *r)
{
	const struct portal_helper helper = {on_portal_ask, r};
	struct portal *portal = engine_portal(r->engine);
	uint8_t how = cursor_u8(&r->in);
	struct portal_message m = {.kind = PORTAL_ANSWER, .outcome = (how >> 2) % 3, .ttl = how >> 4, .n = 1, .ip = {{9, 9, 9, 9}}};

	switch (how & 3) {
	case 0:
		portal_open(portal, &helper, loop_now_ms(r->loop) + duration_of(how >> 2));
		break;
	case 1:
		portal_close(portal);
		break;
	case 2:
		portal_helper_gone(portal);
		break;
	case 3:
		m.n = m.outcome == PORTAL_ADDRESSES;
		m.id = r->n_portal > 0 ? r->portal[how % r->n_portal].id : how;
		m.type = r->n_portal > 0 ? r->portal[how % r->n_portal].type : TYPE_A;
		portal_answer(portal, &m);
		break;
	}
}

static void
op_world(struct run *r)
{
	uint8_t how = cursor_u8(&r->in), name[MSG_NAME_MAX], n;
	int64_t ms = duration_of(how >> 4);

	switch (how % 8) {
	case 0:
		fake_loop_suspend(r->loop, ms);
		break;
	case 1:
		fake_loop_wall_step(r->loop, how & 128 ? -ms * 10 : ms * 10);
		break;
	case 2:
		fake_loop_wall_step(r->loop, how & 128 ? -INT64_C(50000000000) : INT64_C(50000000000)); /* a year and a half */
		break;
	case 3:
		engine_clock_set(r->engine);
		break;
	case 4:
		engine_network_changed(r->engine);
		break;
	case 5:
		check(engine_plan_set(r->engine, fuzz_plan((how >> 4) % PLANS)) == RES_OK);
		break;
	case 6:
		upstreams_captive_set(engine_upstreams(r->engine), ms == 0 ? 0 : loop_now_ms(r->loop) + ms);
		break;
	case 7:
		check(msg_name_read(name, &n, fuzz_names[(how >> 3) % fuzz_names_n].text) == RES_OK);
		(void)cache_flush(engine_cache(r->engine), span_of(name, n));
		break;
	}
}

static void
op_advance(struct run *r)
{
	advance(r, duration_of(cursor_u8(&r->in)));
}

static void
step(struct run *r)
{
	static void (*const op[16])(struct run *) = {op_ask,  op_ask,  op_ask,	op_ask,	   op_answer, op_answer,  op_answer,  op_answer_raw,
						     op_fail, op_line, op_close, op_leave, op_repeat, op_advance, op_world, op_portal};
	uint8_t b = cursor_u8(&r->in);

	if (b >= 0xf0)
		op_raw(r);
	else
		op[b & 15](r);
	settle(r);
}

/* All clients have their replies, and nothing is left. */
static void
finish(struct run *r)
{
	for (unsigned i = 0; i < fuzz_lines_n; i++)
		fake_line(fuzz_lines[i])->manner = FAKE_HANG;
	r->turns = 0;
	advance(r, QUERY_TIME_MS + 1);
	check(engine_waiting(r->engine) == 0 && engine_in_flight(r->engine) == 0);
	for (unsigned i = 0; i < r->n_asked; i++)
		check(r->asked[i].replies == r->asked[i].want);
	engine_free(r->engine);
	check(fake_loop_timers(r->loop) == 0);
	for (unsigned i = 0; i < fuzz_lines_n; i++)
		check(fake_line(fuzz_lines[i])->slot == NULL);
}

static void
on_log(void *ctx, const char *line, size_t n)
{
	(void)ctx;
	(void)line;
	check(n > 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const struct server_hooks hooks = {0};
	static struct run r;

	if (n == 0 || n > SCRIPT_MAX)
		return 0;
	memset(&r, 0, sizeof r);
	run = &r;
	r.in = cursor_over(span_of(data + 1, n - 1));
	(void)fuzz_plan(0); /* before the clock stands still */
	log_setup(LOG_DEBUG, LOG_TEXT);
	log_capture(on_log, NULL);
	check(loop_new(&r.loop) == RES_OK);
	check(engine_new(&r.engine, r.loop, &r.counters, fuzz_plan(data[0] % PLANS), &hooks, NULL) == RES_OK);
	while (cursor_left(&r.in) > 0)
		step(&r);
	finish(&r);
	fake_transport_reset();
	loop_free(r.loop);
	log_capture(NULL, NULL);
	return 0;
}
