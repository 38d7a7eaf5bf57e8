#include "contrib/lab/server/spoil.h"

#include <string.h>

#define HEADER      12
#define TYPE_A      1
#define TYPE_CNAME  5
#define TYPE_SOA    6
#define TYPE_TXT    16
#define TYPE_AAAA   28
#define CLASS_IN    1
#define TO_QNAME    0xc00c /* a pointer to the question's name */

#define FLAG_QR     0x80 /* in the third byte of the header */
#define FLAG_TC     0x02
#define FLAG_AD     0x20 /* in the fourth */
#define OPCODE_BITS 0x78
#define UPDATE_BITS 0x28

static void
counts_set(struct buf *m, uint16_t questions, uint16_t answers, uint16_t authority, uint16_t additional)
{
	if (!buf_ok(m) || m->n < HEADER)
		return;
	be16_write(m->p + 4, questions);
	be16_write(m->p + 6, answers);
	be16_write(m->p + 8, authority);
	be16_write(m->p + 10, additional);
}

/* Header and question of the answer, nothing else: what a hand-made answer begins with. */
static void
begin(struct buf *m, const struct lab_zone_question *q)
{
	if (m->n > q->end)
		m->n = q->end;
	counts_set(m, 1, 0, 0, 0);
}

static void
record_head(struct buf *m, uint16_t type, uint16_t rdlength)
{
	buf_u16(m, TO_QNAME);
	buf_u16(m, type);
	buf_u16(m, CLASS_IN);
	buf_u32(m, ZONE_TTL);
	buf_u16(m, rdlength);
}

static void
record(struct buf *m, uint16_t type, struct span rdata)
{
	record_head(m, type, (uint16_t)rdata.n);
	buf_put(m, rdata);
}

static void
name_write(struct buf *m, const char *labels)
{
	size_t n;

	for (; *labels != '\0'; labels += n + (labels[n] == '.')) {
		n = strcspn(labels, ".");
		buf_u8(m, (uint8_t)n);
		buf_put(m, span_of(labels, n));
	}
	buf_u8(m, 0);
}

/* An A record that claims 20 bytes: a reader that trusts the type instead of the length finds 6.6.6.6 in
 * it. */
static void
rdlength_long(struct buf *m, const struct lab_zone_question *q)
{
	begin(m, q);
	record_head(m, TYPE_A, 20);
	buf_u32(m, 0x0a000001);
	record_head(m, TYPE_A, 4);
	buf_u32(m, 0x06060606);
	record_head(m, TYPE_A, 4);
	buf_u32(m, 0x0a000002);
	counts_set(m, 1, 2, 0, 0);
}

static void
one_record(struct buf *m, const struct lab_zone_question *q, uint16_t type, uint16_t rdlength,
	   struct span rdata)
{
	begin(m, q);
	record_head(m, type, rdlength);
	buf_put(m, rdata);
	counts_set(m, 1, 1, 0, 0);
}

/* A record whose owner is these two bytes. */
static void
odd_owner(struct buf *m, const struct lab_zone_question *q, uint16_t owner)
{
	begin(m, q);
	buf_u16(m, owner);
	buf_u16(m, TYPE_A);
	buf_u16(m, CLASS_IN);
	buf_u32(m, ZONE_TTL);
	buf_u16(m, 4);
	buf_u32(m, 0x0a000001);
	counts_set(m, 1, 1, 0, 0);
}

/* Thousands of pointers in a row in a record's bytes, then records whose owners enter at the far
 * end. */
static void
pointer_chain(struct buf *m, const struct lab_zone_question *q)
{
	const size_t hops = 8000, records = 3000;
	size_t first;

	begin(m, q);
	record_head(m, 65280, (uint16_t)(2 * hops));
	first = m->n;
	buf_u16(m, TO_QNAME);
	for (size_t i = 1; i < hops; i++)
		buf_u16(m, (uint16_t)(0xc000 | ((first + 2 * (i - 1)) & 0x3fff)));
	for (size_t i = 0; i < records; i++) {
		buf_u16(m, (uint16_t)(0xc000 | ((first + 2 * (hops - 1)) & 0x3fff)));
		buf_u16(m, TYPE_A);
		buf_u16(m, CLASS_IN);
		buf_u32(m, ZONE_TTL);
		buf_u16(m, 4);
		buf_u32(m, 0x0a000001);
	}
	counts_set(m, 1, (uint16_t)(records + 1), 0, 0);
}

static void
cname_flood(struct buf *m, const struct lab_zone_question *q)
{
	const uint16_t records = 4500;

	begin(m, q);
	for (uint16_t i = 0; i < records; i++)
		record(m, TYPE_CNAME, span_of("\xc0\x0c", 2));
	counts_set(m, 1, records, 0, 0);
}

static void
cname_loop(struct buf *m, const struct lab_zone_question *q)
{
	struct buf target = buf_max(256);

	begin(m, q);
	name_write(&target, "there.lab.test");
	record(m, TYPE_CNAME, buf_span(&target));
	buf_put(m, buf_span(&target));
	buf_u16(m, TYPE_CNAME);
	buf_u16(m, CLASS_IN);
	buf_u32(m, ZONE_TTL);
	buf_u16(m, 2);
	buf_u16(m, TO_QNAME);
	counts_set(m, 1, 2, 0, 0);
	buf_free(&target);
}

/* Records for another name, after the good answer. */
static void
extra_records(struct buf *m)
{
	if (m->n < HEADER)
		return;
	for (size_t section = 6; section <= 10; section += 4) { /* counted among the additional ones */
		name_write(m, "bank.example");
		buf_u16(m, TYPE_A);
		buf_u16(m, CLASS_IN);
		buf_u32(m, 86400);
		buf_u16(m, 4);
		buf_u32(m, 0x06060606);
	}
	if (buf_ok(m))
		be16_write(m->p + 10, (uint16_t)(be16_read(m->p + 10) + 2));
}

/* The answer without its last record, which is the OPT record when it has one. */
static void
opt_drop(struct buf *m, const struct lab_zone_question *q)
{
	const size_t opt_fixed = 11;
	size_t at;

	if (!q->edns || m->n < HEADER + opt_fixed || be16_read(m->p + 10) == 0)
		return;
	for (at = m->n - opt_fixed; at > q->end; at--)
		if (m->p[at] == 0 && be16_read(m->p + at + 1) == 41 &&
		    be16_read(m->p + at + 9) == m->n - at - opt_fixed)
			break;
	if (at <= q->end)
		return;
	m->n = at;
	be16_write(m->p + 10, (uint16_t)(be16_read(m->p + 10) - 1));
}

static void
opt_first(struct buf *m, const struct lab_zone_question *q)
{
	opt_drop(m, q);
	lab_zone_opt_write(m, q->dnssec_ok, 0, span_of(NULL, 0), 0);
	buf_u8(m, 2);
	buf_text(m, "ns");
	buf_u16(m, TO_QNAME);
	buf_u16(m, TYPE_A);
	buf_u16(m, CLASS_IN);
	buf_u32(m, ZONE_TTL);
	buf_u16(m, 4);
	buf_u32(m, 0x0a000001);
	if (buf_ok(m))
		be16_write(m->p + 10, (uint16_t)(be16_read(m->p + 10) + 1));
}

static void
rcode_set(struct buf *m, const struct lab_zone_question *q, int64_t rcode)
{
	opt_drop(m, q);
	begin(m, q);
	if (m->n >= HEADER)
		m->p[3] = (uint8_t)((m->p[3] & 0xf0) | (rcode & 0x0f));
	if (q->edns)
		lab_zone_opt_write(m, q->dnssec_ok, (unsigned)(rcode >> 4) & 0xff, span_of(NULL, 0), 0);
}

static void
keepalive_set(struct buf *m, const struct lab_zone_question *q, int64_t hundreds)
{
	uint8_t option[6] = {0, 11, 0, 2}; /* RFC 7828, 3.1 */

	be16_write(option + 4, (uint16_t)hundreds);
	opt_drop(m, q);
	lab_zone_opt_write(m, q->dnssec_ok, 0, span_of(option, sizeof option), 0);
}

/* The TTL of every record; all of ours have the question's name or a short one of their own as owner. */
static void
ttl_set(struct buf *m, const struct lab_zone_question *q, int64_t ttl)
{
	static const size_t fixed = 10; /* type, class, TTL, RDLENGTH */
	size_t at = q->end, records = be16_read(m->p + 6) + (size_t)be16_read(m->p + 8);

	for (size_t i = 0; i < records; i++) {
		while (at < m->n && m->p[at] != 0 && m->p[at] < 0xc0)
			at += 1 + m->p[at];
		at += at < m->n && m->p[at] >= 0xc0 ? 2 : 1;
		if (at + fixed > m->n)
			return;
		be32_write(m->p + at + 4, (uint32_t)ttl);
		at += fixed + be16_read(m->p + at + 8);
	}
}

static void
question_twice(struct buf *m, const struct lab_zone_question *q)
{
	size_t n = q->end - HEADER;
	uint8_t question[512];

	begin(m, q);
	if (n > sizeof question)
		return;
	memcpy(question, m->p + HEADER, n);
	buf_put(m, span_of(question, n));
	counts_set(m, 2, 0, 0, 0);
}

static void
letters_turn(struct buf *m, const struct lab_zone_question *q)
{
	for (size_t i = HEADER; i + 5 <= q->end; i++)
		if ((m->p[i] | 0x20) >= 'a' && (m->p[i] | 0x20) <= 'z')
			m->p[i] ^= 0x20;
}

/* Another letter in the first label: a name of the same length. */
static void
name_change(struct buf *m)
{
	if (m->n > HEADER + 1 && m->p[HEADER] > 0)
		m->p[HEADER + 1] = m->p[HEADER + 1] == 'x' ? 'y' : 'x';
}

/* A whole A record, cut so many bytes before its end. */
static void
cut(struct buf *m, const struct lab_zone_question *q, size_t missing)
{
	begin(m, q);
	record(m, TYPE_A, span_of("\x0a\0\0\1", 4));
	counts_set(m, 1, 1, 0, 0);
	m->n -= missing;
}

/* Faults that replace the records. */
static void
spoil_records(const struct lab_faults *f, const struct lab_zone_question *q, struct buf *m)
{
	static const uint8_t long_aaaa[17] = {0x20, 0x01, 0x0d, 0xb8};
	static const uint8_t short_soa[] = {0, 0, 0, 0, 0, 1, 0, 0};
	const size_t into_rdata = 2, into_rdlength = 5, into_ttl = 8;

	if (lab_fault_has(f, FAULT_RDLENGTH_LONG))
		rdlength_long(m, q);
	if (lab_fault_has(f, FAULT_RDLENGTH_ZERO))
		one_record(m, q, TYPE_A, 0, span_of(NULL, 0));
	if (lab_fault_has(f, FAULT_RDLENGTH_SHORT))
		one_record(m, q, TYPE_A, 3, span_of("\x0a\0\0", 3));
	if (lab_fault_has(f, FAULT_AAAA_LONG))
		one_record(m, q, TYPE_AAAA, 17, span_of(long_aaaa, sizeof long_aaaa));
	if (lab_fault_has(f, FAULT_SOA_SHORT))
		one_record(m, q, TYPE_SOA, sizeof short_soa, span_of(short_soa, sizeof short_soa));
	if (lab_fault_has(f, FAULT_CNAME_OVERRUN))
		one_record(m, q, TYPE_CNAME, 3, span_of("\5abcde\0", 7));
	if (lab_fault_has(f, FAULT_TXT_OVERRUN))
		one_record(m, q, TYPE_TXT, 4, span_of("\x40xyz", 4));
	if (lab_fault_has(f, FAULT_POINTER_LOOP))
		odd_owner(m, q, (uint16_t)(0xc000 | q->end));
	if (lab_fault_has(f, FAULT_POINTER_FORWARD))
		odd_owner(m, q, (uint16_t)(0xc000 | (q->end + 10)));
	if (lab_fault_has(f, FAULT_POINTER_HEADER))
		odd_owner(m, q, 0xc004);
	if (lab_fault_has(f, FAULT_POINTER_CHAIN))
		pointer_chain(m, q);
	if (lab_fault_has(f, FAULT_CNAME_FLOOD))
		cname_flood(m, q);
	if (lab_fault_has(f, FAULT_CNAME_LOOP))
		cname_loop(m, q);
	if (lab_fault_has(f, FAULT_CUT_RDATA))
		cut(m, q, into_rdata);
	if (lab_fault_has(f, FAULT_CUT_RDLENGTH))
		cut(m, q, into_rdlength);
	if (lab_fault_has(f, FAULT_CUT_TTL))
		cut(m, q, into_ttl);
	if (lab_fault_has(f, FAULT_COUNTS))
		counts_set(m, 1, 100, 100, 100);
	if (lab_fault_has(f, FAULT_EXTRA_RECORDS))
		extra_records(m);
}

/* Faults of the OPT record and its options. */
static void
spoil_edns(const struct lab_faults *f, const struct lab_zone_question *q, struct buf *m)
{
	if (lab_fault_has(f, FAULT_RCODE))
		rcode_set(m, q, lab_fault_number(f, FAULT_RCODE));
	if (lab_fault_has(f, FAULT_KEEPALIVE))
		keepalive_set(m, q, lab_fault_number(f, FAULT_KEEPALIVE));
	if (lab_fault_has(f, FAULT_OPT_NONE))
		opt_drop(m, q);
	if (lab_fault_has(f, FAULT_OPT_TWICE))
		lab_zone_opt_write(m, q->dnssec_ok, 0, span_of(NULL, 0), 0);
	if (lab_fault_has(f, FAULT_OPT_FIRST))
		opt_first(m, q);
	if (lab_fault_has(f, FAULT_TTL))
		ttl_set(m, q, lab_fault_number(f, FAULT_TTL));
}

/* Faults of the header and the question. */
static void
spoil_question(const struct lab_faults *f, const struct lab_zone_question *q, struct buf *m)
{
	if (lab_fault_has(f, FAULT_OTHER_NAME))
		name_change(m);
	if (lab_fault_has(f, FAULT_OTHER_CASE))
		letters_turn(m, q);
	if (lab_fault_has(f, FAULT_OTHER_TYPE))
		m->p[q->end - 3] ^= 1;
	if (lab_fault_has(f, FAULT_OTHER_CLASS))
		m->p[q->end - 1] ^= 2;
	if (lab_fault_has(f, FAULT_QUESTION_NONE)) {
		m->n = HEADER;
		counts_set(m, 0, 0, 0, 0);
	}
	if (lab_fault_has(f, FAULT_QUESTION_TWICE))
		question_twice(m, q);
	if (lab_fault_has(f, FAULT_WRONG_ID))
		m->p[1] ^= 1;
	if (lab_fault_has(f, FAULT_NOT_RESPONSE))
		m->p[2] &= (uint8_t)~FLAG_QR;
	if (lab_fault_has(f, FAULT_OPCODE))
		m->p[2] = (uint8_t)((m->p[2] & ~OPCODE_BITS) | UPDATE_BITS);
	if (lab_fault_has(f, FAULT_TC))
		m->p[2] |= FLAG_TC;
	if (lab_fault_has(f, FAULT_AD))
		m->p[3] |= FLAG_AD;
}

void
lab_spoil(const struct lab_faults *f, const struct lab_zone_question *q, struct buf *answer)
{
	if (!buf_ok(answer) || answer->n < q->end || q->end < HEADER + 5)
		return;
	spoil_records(f, q, answer);
	spoil_edns(f, q, answer);
	if (buf_ok(answer) && answer->n >= q->end)
		spoil_question(f, q, answer);
	if (lab_fault_has(f, FAULT_TRAILING))
		buf_text(answer, "behind the end");
}
