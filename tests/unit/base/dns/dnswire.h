/*
 * dnswire.h - DNS messages for tests, spelled as short texts.
 *
 * Pairs of hex digits, with spaces for the eye; 'abc' stands for its bytes, (www.example) for a name in wire
 * format with its root label: wire_make(&b, "1234 0100 0001 0000 0000 0000 (a.test) 0001 0001").
 */
#ifndef TESTS_UNIT_BASE_DNS_DNSWIRE_H
#define TESTS_UNIT_BASE_DNS_DNSWIRE_H

#include "base/dns/message.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static inline int
wire_digit(int c)
{
	return c <= '9' ? c - '0' : tolower(c) - 'a' + 10;
}

static inline const char *
wire_labels(struct buf *out, const char *s)
{
	while (*s != ')') {
		size_t n = strcspn(s, ".)");

		buf_u8(out, (uint8_t)n);
		buf_put(out, span_of(s, n));
		s += n + (s[n] == '.');
	}
	buf_u8(out, 0);
	return s + 1;
}

/* Appends; returns the whole, lent. */
static inline struct span
wire_make(struct buf *out, const char *s)
{
	while (*s != '\0') {
		if (*s == '(') {
			s = wire_labels(out, s + 1);
		} else if (*s == '\'') {
			const char *end = strchr(s + 1, '\'');

			buf_put(out, span_of(s + 1, (size_t)(end - s - 1)));
			s = end + 1;
		} else if (isxdigit((unsigned char)*s)) {
			assert(isxdigit((unsigned char)s[1]));
			buf_u8(out, (uint8_t)(wire_digit(s[0]) << 4 | wire_digit(s[1])));
			s += 2;
		} else {
			s++;
		}
	}
	return buf_span(out);
}

#define WIRE_OPT    " 00 0029 04d0 00000000 0000"
#define WIRE_OPT_DO " 00 0029 04d0 00008000 0000"

/* A copy of exactly the right size, so that a sanitizer sees a read beyond it. Yours to free. */
static inline struct span
wire_exact(struct span s)
{
	uint8_t *p = malloc(s.n == 0 ? 1 : s.n);

	assert(p != NULL);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

/* A question from a client, as `dig NAME TYPE` would send it. The message lives in b. */
static inline void
wire_question(struct buf *b, struct msg_question *q, const char *name, uint16_t type)
{
	uint8_t wire[MSG_NAME_MAX], n = 0;
	enum res res = msg_name_read(wire, &n, name);
	enum msg_fault fault;

	assert(res == RES_OK);
	buf_clear(b);
	wire_make(b, "1234 0100 0001 0000 0000 0001");
	buf_put(b, span_of(wire, n));
	buf_u16(b, type);
	wire_make(b, "0001" WIRE_OPT);
	fault = msg_question_read(q, buf_span(b));
	assert(fault == MSG_OK);
	(void)res;
	(void)fault;
}

/* The name at `at`, decompressed, as text. Appends. */
static inline void
wire_name_text(struct buf *out, struct span wire, size_t at)
{
	struct buf name = buf_max(MSG_NAME_MAX);

	for (unsigned hops = 0; hops < 200; hops++) {
		uint8_t c = wire.p[at];

		if (c >= 0xc0) {
			at = be16_read(wire.p + at) & 0x3fff;
			continue;
		}
		buf_put(&name, span_of(wire.p + at, 1U + c));
		at += 1U + c;
		if (c == 0)
			break;
	}
	msg_name_text(out, buf_span(&name));
	buf_free(&name);
}

struct wire_text {
	struct buf *out;
	struct span wire;
};

static inline bool
wire_on_record(void *ctx, const struct msg_rr *rr)
{
	struct wire_text *t = ctx;
	char type[16];

	buf_format(t->out, "%s ",
		   rr->section == MSG_SECTION_ANSWER      ? " |"
		   : rr->section == MSG_SECTION_AUTHORITY ? " !"
							  : " +");
	wire_name_text(t->out, t->wire, rr->name_at);
	buf_format(t->out, " %u %s", rr->ttl, msg_type_text(rr->type, type));
	switch (rr->type) {
	case TYPE_A:
		buf_format(t->out, " %u.%u.%u.%u", rr->rdata.p[0], rr->rdata.p[1], rr->rdata.p[2],
			   rr->rdata.p[3]);
		break;
	case TYPE_PTR:
	case TYPE_CNAME:
	case TYPE_NS:
		buf_text(t->out, " ");
		wire_name_text(t->out, t->wire, (size_t)(rr->rdata.p - t->wire.p));
		break;
	case TYPE_SOA:
		break;
	default:
		buf_text(t->out, " ");
		for (size_t i = 0; i < rr->rdata.n; i++)
			buf_format(t->out, "%02x", rr->rdata.p[i]);
	}
	return true;
}

/* "NOERROR | a.test 300 A 1.2.3.4 ! test 60 SOA": | answer, ! authority, + additional. "malformed" when it
 * is. Lent. */
static inline const char *
wire_text(struct buf *out, struct span wire)
{
	static uint16_t ttl_at[MSG_RRS_MAX];
	struct wire_text t = {out, wire};
	struct msg_answer a;
	char rcode[16];

	buf_clear(out);
	if (msg_answer_read(&a, wire, ttl_at) != RES_OK)
		return "malformed";
	buf_text(out, msg_rcode_text(a.rcode, rcode));
	msg_each(&a, wire_on_record, &t);
	return buf_cstr(out);
}

#endif
