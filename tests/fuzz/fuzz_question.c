/*
 * fuzz_question.c - messages of clients: checked, answered, and forwarded.
 *
 * Every fault but MSG_DROP has a reply, and the reply is a well-formed answer with the client's id. An accepted
 * question is forwarded as one that reads the same.
 */
#include "resolver/hosts.h"
#include "resolver/local.h"
#include "resolver/local_data.h"
#include "resolver/routes.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static void
reply_check(const struct msg_question *q, struct span reply)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct msg_answer a;

	/* A reply to another opcode, or without a question, does not match a question of ours. */
	if ((q->flags & MSG_OPCODE) || q->section.n == 0) {
		check(reply.n >= MSG_HEADER && be16_read(reply.p) == q->id);
		return;
	}
	check(msg_answer_read(&a, reply, ttl_at) == RES_OK);
	check(a.id == q->id && span_equal(a.section, q->section) && a.edns.present == q->edns.present);
}

static void
empty_reply(const struct msg_question *q, uint16_t rcode)
{
	struct msg_ede ede = {0, span_str("text")};
	struct msg_finish f = {
	    .question = q, .max = 512, .ede = &ede, .n_ede = 1, .keepalive = q->edns.keepalive};
	struct buf out = buf_max(512);

	check(msg_reply_empty(&out, &f, rcode) == RES_OK);
	reply_check(q, buf_span(&out));
	buf_free(&out);
}

static void
accepted(const struct msg_question *q)
{
	static struct local_data *local;
	static struct hosts *hosts;
	static const struct settings settings;
	static uint16_t ttl_at[MSG_RRS_MAX];
	const struct route route = {.suffix = span_of(q->name + q->name_n - 1, 1)};
	struct local_view view;
	struct config_errors errors = {0};
	struct buf out = buf_max(MSG_MAX), reply = buf_max(MSG_MAX);
	struct msg_finish f = {.question = q, .max = MSG_MAX};
	struct msg_question again;
	struct msg_answer a;

	if (local == NULL)
		check(local_data_compile(&local, &settings, &errors) == RES_OK &&
		      hosts_new(&hosts, NULL) == RES_OK);
	msg_question_write(&out, q);
	check(msg_question_read(&again, buf_span(&out)) == MSG_OK);
	check(span_equal(span_of(again.name, again.name_n), span_of(q->name, q->name_n)));
	check(again.type == q->type && again.class == q->class && again.edns.present && again.edns.options.n == 0);
	check(again.edns.do_bit == q->edns.do_bit && again.edns.udp_size == MSG_UDP_PAYLOAD);
	buf_clear(&out);
	view = (struct local_view){.data = local, .hosts = hosts};
	if (local_answer(&view, q, &route, 0, &out) == LOCAL_ANSWERED) {
		check(msg_answer_read(&a, buf_span(&out), ttl_at) == RES_OK);
		check(msg_reply_from_answer(&reply, &f, &a, 0, 0, UINT32_MAX) == RES_OK);
		reply_check(q, buf_span(&reply));
	}
	buf_free(&reply);
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const uint16_t rcodes[] = {[MSG_FORMERR] = RCODE_FORMERR,
					  [MSG_NOTIMP] = RCODE_NOTIMP,
					  [MSG_BADVERS] = RCODE_BADVERS,
					  [MSG_REFUSED] = RCODE_REFUSED,
					  [MSG_OK] = RCODE_SERVFAIL};
	struct msg_question q;
	enum msg_fault fault;

	if (n > MSG_MAX)
		return 0;
	fault = msg_question_read(&q, span_of(data, n));
	if (fault == MSG_DROP)
		return 0;
	empty_reply(&q, rcodes[fault]);
	if (fault == MSG_OK)
		accepted(&q);
	return 0;
}
