#include "cli/lookup.h"

#include "base/addr.h"
#include "base/clock.h"
#include "base/dns/message.h"
#include "transport/loop.h"
#include "transport/transport.h"

#include <string.h>

#define TYPE_A    1
#define TYPE_AAAA 28
#define CLASS_IN  1
#define FLAGS_RD  0x0100

struct lookup {
	struct loop *loop;
	struct buf *out;
	uint16_t type;
	size_t n; /* addresses so far */
};

static bool
lookup_on_record(void *ctx, const struct msg_rr *rr)
{
	struct lookup *l = ctx;
	struct addr addr = {.family = l->type == TYPE_A ? ADDR_V4 : ADDR_V6};
	char text[ADDR_TEXT_MAX];
	size_t n = l->type == TYPE_A ? 4 : 16;

	if (rr->section != MSG_SECTION_ANSWER || rr->type != l->type || rr->class != CLASS_IN ||
	    rr->rdata.n != n)
		return true;
	memcpy(addr.ip, rr->rdata.p, n);
	addr_ip_text(&addr, text);
	buf_format(l->out, l->type == TYPE_A ? "%s%s" : "%s[%s]", l->n > 0 ? "," : "", text);
	return ++l->n < LOOKUP_ADDRESSES_MAX;
}

static void
lookup_on_answer(void *arg, const struct tp_answer *answer)
{
	struct lookup *l = arg;
	uint16_t ttl_at[MSG_RRS_MAX];
	struct msg_answer read;

	if (answer->failure == REASON_NONE && msg_answer_read(&read, answer->message, ttl_at) == RES_OK &&
	    read.rcode == 0)
		msg_each(&read, lookup_on_record, l);
	loop_stop(l->loop);
}

static enum res
question_make(struct buf *out, const char *host, uint16_t type)
{
	uint8_t name[MSG_NAME_MAX], n;
	enum res res = msg_name_read(name, &n, host);

	if (res != RES_OK)
		return res;
	buf_u16(out, 0);
	buf_u16(out, FLAGS_RD);
	buf_u16(out, 1);
	buf_u16(out, 0);
	buf_u32(out, 0);
	buf_put(out, span_of(name, n));
	buf_u16(out, type);
	buf_u16(out, CLASS_IN);
	return buf_ok(out) ? RES_OK : RES_NOMEM;
}

/* One question to one address of an upstream. */
static enum res
lookup_ask(struct lookup *l, const char *host, const struct tp_target *target)
{
	const struct tp_hooks hooks = {.on_event = NULL};
	struct buf question = buf_max(512);
	struct tp_slot *slot = NULL;
	struct tp_exchange *exchange;
	enum res res = question_make(&question, host, l->type);

	if (res == RES_OK)
		res = loop_new(&l->loop);
	if (res != RES_OK) {
		buf_free(&question);
		return res;
	}
	res = tp_slot_new(&slot, l->loop, target, &hooks);
	if (res == RES_OK)
		res = tp_send(&exchange, slot, buf_span(&question), clock_boot_ms() + LOOKUP_MS,
			      lookup_on_answer, l);
	if (res == RES_OK)
		loop_run(l->loop);
	tp_slot_free(slot);
	loop_free(l->loop);
	buf_free(&question);
	return res;
}

enum res
lookup_host(struct buf *out, const char *host, const struct tp_target *target, size_t n)
{
	static const uint16_t types[] = {TYPE_A, TYPE_AAAA};
	struct lookup l = {.out = out};
	enum res res = tp_global_init();

	for (size_t i = 0; res == RES_OK && l.n == 0 && i < n; i++)
		for (size_t t = 0; res != RES_NOMEM && l.n == 0 && t < 2; t++) {
			l.type = types[t];
			res = lookup_ask(&l, host, &target[i]);
		}
	if (res == RES_NOMEM)
		return res;
	return l.n > 0 && buf_ok(out) ? RES_OK : RES_NOT_FOUND;
}
