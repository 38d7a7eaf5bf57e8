#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

static uint16_t ttl_at[MSG_RRS_MAX];

struct ask {
	struct buf b;
	struct msg_question q;
	struct msg_finish f;
};

/* A client's question, and how its reply would be finished over TCP. */
static void
ask_make(struct ask *k, const char *wire)
{
	*k = (struct ask){.b = buf_max(MSG_MAX)};
	(void)msg_question_read(&k->q, wire_make(&k->b, wire));
	k->f = (struct msg_finish){.question = &k->q, .max = MSG_MAX};
}

static void
read_answer(struct msg_answer *a, struct buf *b, const char *wire)
{
	assert_int_equal(msg_answer_read(a, wire_make(b, wire), ttl_at), RES_OK);
}

#define CLIENT     "beef 0100 0001 0000 0000 0000 (A.tEsT) 0001 0001"
#define CLIENT_OPT "beef 0100 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT

static const struct {
	const char *what;
	const char *client;
	const char *answer;
	uint32_t age, floor, cap;
	const char *reply;
} replies[] = {
    {"C34: the client's id and spelling; RFC 4343, 4.1", CLIENT,
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", 0, 0,
     UINT32_MAX, "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"},
    {"the TTL counts down", CLIENT,
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", 100, 0,
     UINT32_MAX, "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 000000c8 0004 01020304"},
    {"the TTL stops at 0", CLIENT,
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", UINT32_MAX, 0,
     UINT32_MAX, "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 00000000 0004 01020304"},
    {"RFC 8767, 4: stale data get 30 s", CLIENT,
     "0000 8180 0001 0002 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 c00c 0001 0001 "
     "00000001 0004 "
     "01020305",
     0, 30, 30,
     "beef 8180 0001 0002 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000001e 0004 01020304 c00c 0001 0001 "
     "0000001e 0004 "
     "01020305"},
    {"RFC 2181, 8: a TTL with the top bit is 0", CLIENT,
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 80000001 0004 01020304", 0, 0,
     UINT32_MAX, "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 00000000 0004 01020304"},
    {"RFC 2308, 5: the SOA of a negative answer has the smaller of its TTL and MINIMUM", CLIENT,
     "0000 8183 0001 0000 0001 0000 (a.test) 0001 0001 c00c 0006 0001 0000012c 0018 c00c c00c 00000001 "
     "00000001 00000001 00000001 0000003c",
     20, 0, UINT32_MAX,
     "beef 8183 0001 0000 0001 0000 (A.tEsT) 0001 0001 c00c 0006 0001 00000028 0018 c00c c00c 00000001 "
     "00000001 00000001 00000001 0000003c"},
    {"the SOA of a positive answer keeps its TTL", CLIENT,
     "0000 8180 0001 0001 0001 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 c00c 0006 0001 "
     "0000012c 0018 c00c c00c 00000001 00000001 00000001 00000001 0000003c",
     0, 0, UINT32_MAX,
     "beef 8180 0001 0001 0001 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304 c00c 0006 0001 "
     "0000012c 0018 c00c c00c 00000001 00000001 00000001 00000001 0000003c"},
    {"RFC 6891, 7: no OPT for a client without one", CLIENT,
     "0000 8180 0001 0001 0000 0001 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304" WIRE_OPT_DO, 0,
     0, UINT32_MAX, "beef 8180 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304"},
    {"RFC 6891, 7: our OPT for a client with one, though the upstream sent none", CLIENT_OPT,
     "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0001 0001 0000012c 0004 01020304", 0, 0,
     UINT32_MAX,
     "beef 8180 0001 0001 0000 0001 (A.tEsT) 0001 0001 c00c 0001 0001 0000012c 0004 01020304" WIRE_OPT},
    {"U23: COOKIE, keepalive, padding, NSID and ECS stay here (RFC 7873, 7828, 7830, 7871)", CLIENT_OPT,
     "0000 8180 0001 0000 0000 0001 (a.test) 0001 0001 00 0029 1000 00000000 0025 000a 0008 0102030405060708 "
     "000b 0002 0064 "
     "000c 0003 000000 0003 0000 0008 0004 00010000",
     0, 0, UINT32_MAX, "beef 8180 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT},
    {"U21: an OPT in the middle: the pointers after it follow", CLIENT,
     "0000 8180 0001 0000 0000 0003 (a.test) 0001 0001" WIRE_OPT " 016e c00c 0002 0001 0000012c 0002 c023 "
     "c023 000f 0001 0000012c 0004 0001 c033",
     0, 0, UINT32_MAX,
     "beef 8180 0001 0000 0000 0002 (A.tEsT) 0001 0001 016e c00c 0002 0001 0000012c 0002 c018 "
     "c018 000f 0001 0000012c 0004 0001 c028"},
    {"U21: opaque RDATA is not touched (RFC 3597, 4)", CLIENT,
     "0000 8180 0001 0000 0000 0002 (a.test) 0001 0001" WIRE_OPT " c00c ff00 0001 0000012c 0004 c023 c023", 0,
     0, UINT32_MAX,
     "beef 8180 0001 0000 0000 0001 (A.tEsT) 0001 0001 c00c ff00 0001 0000012c 0004 c023 c023"},
    {"U20: NXDOMAIN with a CNAME passes", CLIENT,
     "0000 8183 0001 0001 0000 0000 (a.test) 0001 0001 c00c 0005 0001 0000012c 0002 c00e", 0, 0, UINT32_MAX,
     "beef 8183 0001 0001 0000 0000 (A.tEsT) 0001 0001 c00c 0005 0001 0000012c 0002 c00e"},
    {"RFC 5625, 4.2: AA passes", CLIENT, "0000 8580 0001 0000 0000 0000 (a.test) 0001 0001", 0, 0, UINT32_MAX,
     "beef 8580 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"RFC 1035, 4.1.1: Z is cleared", CLIENT, "0000 81c0 0001 0000 0000 0000 (a.test) 0001 0001", 0, 0,
     UINT32_MAX, "beef 8180 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"U28: AD is cleared unless the upstream is trusted for it", CLIENT, "0000 81a0 0001 0000 0000 0000 (a.test) 0001 0001", 0, 0,
     UINT32_MAX, "beef 8180 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"U18: an extended RCODE to a client with EDNS", CLIENT_OPT,
     "0000 8187 0001 0000 0000 0001 (a.test) 0001 0001 00 0029 04d0 01000000 0000", 0, 0, UINT32_MAX,
     "beef 8187 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 01000000 0000"},
    {"U18: an extended RCODE to a client without EDNS", CLIENT,
     "0000 8180 0001 0000 0000 0001 (a.test) 0001 0001 00 0029 04d0 f0000000 0000", 0, 0, UINT32_MAX,
     "beef 8182 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
};

static void
replies_are_made_from_answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof replies / sizeof *replies; i++) {
		struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), want = buf_max(MSG_MAX);
		struct msg_answer a;
		struct ask k;

		ask_make(&k, replies[i].client);
		read_answer(&a, &b, replies[i].answer);
		if (msg_reply_from_answer(&out, &k.f, &a, replies[i].age, replies[i].floor, replies[i].cap) !=
		    RES_OK)
			fail_msg("%s: no reply", replies[i].what);
		if (!span_equal(buf_span(&out), wire_make(&want, replies[i].reply)))
			fail_msg("%s", replies[i].what);
		buf_free(&k.b);
		buf_free(&want);
		buf_free(&out);
		buf_free(&b);
	}
}

/* A name after the OPT runs through bytes of an opaque record that look like a pointer: no correct reply can be
 * made. */
static void
an_opt_that_cannot_be_removed_is_refused(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_answer a;
	struct ask k;

	(void)state;
	ask_make(&k, CLIENT);
	/* 0x23: x.test; then opaque RDATA at 0x35 with a pointer to it; then an owner that points there */
	read_answer(&a, &b,
		    "0000 8180 0001 0000 0000 0004 (a.test) 0001 0001" WIRE_OPT
		    " 0178 c00e ff00 0001 0000012c 0000 "
		    "c00c ff00 0001 0000012c 0002 c023 c03d ff00 0001 0000012c 0000");
	assert_int_equal(msg_reply_from_answer(&out, &k.f, &a, 0, 0, UINT32_MAX), RES_MALFORMED);
	assert_int_equal(out.n, 0);
	buf_free(&k.b);
	buf_free(&out);
	buf_free(&b);
}

/* C21: every combination of AD, CD, DO and Z from a client, for an answer with AD. */
static void
flags_of_replies_follow_the_rules(void **state)
{
	(void)state;
	for (unsigned mix = 0; mix < 32; mix++) {
		struct buf b = buf_max(MSG_MAX), client = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		bool cd = mix & 1, do_bit = mix & 2, may = mix & 16;
		struct msg_question q;
		struct msg_finish f = {.question = &q, .max = MSG_MAX, .ad = may};
		struct msg_answer a;

		buf_u16(&client, 7);
		buf_u16(&client, (uint16_t)(MSG_RD | (cd ? MSG_CD : 0) | (mix & 4 ? MSG_AD : 0) |
					    (mix & 8 ? MSG_Z : 0)));
		wire_make(&client, "0001 0000 0000 0001 (a.test) 0001 0001");
		wire_make(&client, do_bit ? WIRE_OPT_DO : WIRE_OPT);
		assert_int_equal(msg_question_read(&q, buf_span(&client)), MSG_OK);
		read_answer(&a, &b, "0000 81a0 0001 0000 0000 0000 (a.test) 0001 0001");
		assert_int_equal(msg_reply_from_answer(&out, &f, &a, 0, 0, UINT32_MAX), RES_OK);
		assert_int_equal(be16_read(out.p + 2), 0x8180 | (cd ? MSG_CD : 0) | (may ? MSG_AD : 0));
		assert_int_equal(be32_read(out.p + out.n - 6), do_bit ? 0x8000 : 0); /* RFC 3225, 3 */
		buf_free(&out);
		buf_free(&client);
		buf_free(&b);
	}
}

/* Every type, its RDATA byte for byte (RFC 3597, 3; RFC 5625, 4.2; RFC 8659 for CAA). */
static void
every_type_passes_unchanged(void **state)
{
	struct buf b = buf_max(MSG_MAX), client = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	unsigned passed = 0;

	(void)state;
	for (unsigned type = 0; type <= 0xffff; type++) {
		struct msg_question q;
		struct msg_finish f = {.question = &q, .max = MSG_MAX};
		struct msg_answer a;

		buf_clear(&b);
		buf_clear(&client);
		buf_clear(&out);
		wire_make(&client, "1234 0100 0001 0000 0000 0000 (a.test)");
		buf_u16(&client, (uint16_t)type);
		wire_make(&client, "0001");
		if (msg_question_read(&q, buf_span(&client)) != MSG_OK) {
			assert_true(type == TYPE_OPT || type == TYPE_NXNAME ||
				    (type >= TYPE_TKEY && type <= TYPE_MAILA));
			continue;
		}
		wire_make(&b, "1234 8180 0001 0001 0000 0000 (a.test)");
		buf_u16(&b, (uint16_t)type);
		wire_make(&b, "0001 c00c");
		buf_u16(&b, (uint16_t)type);
		wire_make(&b, "0001 0000012c 0010 c00c ff00 3f40 8000 0102 0304 0506 0708");
		if (msg_answer_read(&a, buf_span(&b), ttl_at) != RES_OK) {
			assert_true(type <= 99); /* the RDATA of this type has a format, and these bytes do not have it */
			continue;
		}
		assert_true(a.has_answer_of_type);
		assert_int_equal(msg_reply_from_answer(&out, &f, &a, 0, 0, UINT32_MAX), RES_OK);
		assert_true(span_equal(buf_span(&out), buf_span(&b)));
		passed++;
	}
	assert_true(passed > 65500);
	buf_free(&out);
	buf_free(&client);
	buf_free(&b);
}

static void
big_answer(struct buf *b, unsigned n)
{
	wire_make(b, "0000 8180 0001 0000 0000 0000 (a.test) 0001 0001");
	for (unsigned i = 0; i < n; i++)
		wire_make(b, "c00c 0001 0001 0000012c 0004 01020304");
	be16_write(b->p + 6, (uint16_t)n);
}

static const struct {
	const char *what;
	const char *client;
	size_t max;
	unsigned records; /* 24 bytes and 16 for each */
	unsigned kept;    /* fewer: TC; RFC 2181, 9: part of the RRset may stay then */
} sizes[] = {
    {"C24: 504 bytes fit into 512", CLIENT, 512, 30, 30},
    {"C24: 520 bytes do not fit into 512; RFC 1035, 4.2.1", CLIENT, 512, 31, 30},
    {"C24: a huge answer", CLIENT, 512, 4000, 30},
    {"with our OPT: 504 and 11 bytes do not fit", CLIENT_OPT, 512, 30, 29},
    {"with our OPT: 488 and 11 bytes fit", CLIENT_OPT, 512, 29, 29},
    {"RFC 9715: 1224 fit into 1232", CLIENT, 1232, 75, 75},
    {"RFC 9715: 1240 bytes do not fit into 1232", CLIENT, 1232, 76, 75},
    {"RFC 7766, 5: over TCP the whole answer", CLIENT_OPT, MSG_MAX, 4000, 4000},
    {"over TCP as much as a frame can hold", CLIENT, MSG_MAX, 4094, 4094},
};

static void
replies_are_cut_to_size(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		struct msg_answer a, back;
		struct ask k;

		ask_make(&k, sizes[i].client);
		k.f.max = sizes[i].max;
		big_answer(&b, sizes[i].records);
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		assert_int_equal(msg_reply_from_answer(&out, &k.f, &a, 0, 0, UINT32_MAX), RES_OK);
		if (out.n > sizes[i].max || ((be16_read(out.p + 2) & MSG_TC) != 0) != (sizes[i].kept < sizes[i].records))
			fail_msg("%s: %zu bytes", sizes[i].what, out.n);
		/* whole records; the question and the OPT stay */
		assert_int_equal(msg_answer_read(&back, buf_span(&out), ttl_at), RES_OK);
		assert_int_equal(back.an, sizes[i].kept);
		assert_int_equal(back.edns.present, k.q.edns.present);
		assert_true(msg_answer_matches(&back, k.q.section));
		buf_free(&k.b);
		buf_free(&out);
		buf_free(&b);
	}
}

static const struct {
	const char *what;
	const char *client;
	uint16_t rcode;
	const char *ede; /* its text; NULL: none */
	bool keepalive;
	const char *reply;
} empty[] = {
    {"SERVFAIL", CLIENT, RCODE_SERVFAIL, NULL, false, "beef 8182 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"no EDE without EDNS; RFC 8914, 3", CLIENT, RCODE_SERVFAIL, "why", false,
     "beef 8182 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"SERVFAIL with a reason; RFC 8914, 2", CLIENT_OPT, RCODE_SERVFAIL, "one 192.0.2.1: ct-no-scts", false,
     "beef 8182 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 00000000 001f 000f 001b 0016 "
     "'one 192.0.2.1: ct-no-scts'"},
    {"C08: BADVERS with version 0; RFC 6891, 6.1.3",
     "beef 0100 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 00018000 0000", RCODE_BADVERS, NULL,
     false, "beef 8180 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 01008000 0000"},
    {"C04: NOTIMP echoes the opcode; RFC 1035, 4.1.1", "beef 2100 0001 0000 0000 0000 (A.tEsT) 0006 0001",
     RCODE_NOTIMP, NULL, false, "beef a184 0000 0000 0000 0000"},
    {"C05: FORMERR to an unreadable question", "beef 0100 0000 0000 0000 0000", RCODE_FORMERR,
     NULL, false, "beef 8181 0000 0000 0000 0000"},
    {"C10: FORMERR to an unreadable OPT has an OPT; RFC 6891, 7",
     "beef 0100 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 1000 00008000 0003 000a 00", RCODE_FORMERR,
     NULL, false, "beef 8181 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT},
    {"C07: FORMERR to two OPTs has an OPT", "beef 0100 0001 0000 0000 0002 (A.tEsT) 0001 0001" WIRE_OPT WIRE_OPT, RCODE_FORMERR,
     NULL, false, "beef 8181 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT},
    {"C12: FORMERR to bytes after the OPT has an OPT", "beef 0100 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT " 00",
     RCODE_FORMERR, NULL, false, "beef 8181 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT},
    {"no OPT for a query without one", "beef 0100 0001 0000 0000 0000 (A.tEsT) 0001 0001 00", RCODE_FORMERR, NULL,
     false, "beef 8181 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"C20: REFUSED without RD", "beef 0000 0001 0000 0000 0000 (A.tEsT) 0001 0001", RCODE_REFUSED, NULL,
     false, "beef 8085 0001 0000 0000 0000 (A.tEsT) 0001 0001"},
    {"RFC 7828, 3.2.2: keepalive for a client that asks for it", CLIENT_OPT, RCODE_NOERROR, NULL, true,
     "beef 8180 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 00000000 0006 000b 0002 0064"},
    {"control characters, a line end, an incomplete character", CLIENT_OPT, RCODE_SERVFAIL, "a\r\nb\x1b[0m\xc3", false,
     "beef 8182 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 00000000 000f 000f 000b 0016 "
     "'a??b?[0m?'"},
    {"U23: 98 bytes and a character of four bytes, which does not fit", CLIENT_OPT, RCODE_SERVFAIL,
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xf0"
     "\x9f\x98\x80",
     false,
     "beef 8182 0001 0000 0000 0001 (A.tEsT) 0001 0001 00 0029 04d0 00000000 0068 000f 0064 0016 "
     "'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'"},
};

static void
empty_replies_are_made(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof empty / sizeof *empty; i++) {
		struct buf out = buf_max(MSG_MAX), want = buf_max(MSG_MAX);
		struct msg_ede ede = {22, span_str(empty[i].ede)};
		struct ask k;

		ask_make(&k, empty[i].client);
		k.f.ede = &ede;
		k.f.n_ede = empty[i].ede != NULL;
		k.f.keepalive = empty[i].keepalive;
		k.f.keepalive_ds = 100;
		assert_int_equal(msg_reply_empty(&out, &k.f, empty[i].rcode), RES_OK);
		if (!span_equal(buf_span(&out), wire_make(&want, empty[i].reply)))
			fail_msg("%s", empty[i].what);
		buf_free(&k.b);
		buf_free(&want);
		buf_free(&out);
	}
}

/* TC is of no use over TCP: a reply that has no room for our OPT in its frame is sent without it. */
static void
our_opt_is_left_out_before_records_over_tcp(void **state)
{
	static const size_t lengths[] = {MSG_MAX - 11, MSG_MAX - 10, MSG_MAX};

	(void)state;
	for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
		struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		struct msg_answer a;
		struct ask k;

		ask_make(&k, CLIENT_OPT);
		wire_make(&b, "0000 8180 0001 0001 0000 0000 (a.test) 0001 0001 c00c ff00 0001 0000012c");
		buf_u16(&b, (uint16_t)(lengths[i] - b.n - 2));
		while (b.n < lengths[i])
			buf_u8(&b, 7);
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		k.f.keepalive = true;
		assert_int_equal(msg_reply_from_answer(&out, &k.f, &a, 0, 0, UINT32_MAX), RES_OK);
		assert_int_equal(be16_read(out.p + 2) & MSG_TC, 0);
		assert_int_equal(out.n, lengths[i] == MSG_MAX - 11 ? MSG_MAX : lengths[i]);
		buf_free(&k.b);
		buf_free(&out);
		buf_free(&b);
	}
}

/* The EDE is left out before records are. */
static void
ede_is_left_out_before_records(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_ede ede = {3, span_str("stale data")};
	struct msg_answer a;
	struct ask k;

	(void)state;
	ask_make(&k, CLIENT_OPT);
	k.f.max = 512;
	k.f.ede = &ede;
	k.f.n_ede = 1;
	big_answer(&b, 29);
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_int_equal(msg_reply_from_answer(&out, &k.f, &a, 0, 0, UINT32_MAX), RES_OK);
	assert_int_equal(out.n, 24 + 29 * 16 + 11);
	assert_int_equal(be16_read(out.p + 2) & MSG_TC, 0);
	buf_free(&k.b);
	buf_free(&out);
	buf_free(&b);
}

static const struct {
	const char *what;
	const char *text;
	const char *wire; /* NULL: no name */
	const char *back;
} names[] = {
    {"a name", "www.Example.COM", "(www.example.com)", "www.example.com"},
    {"with its last dot", "a.test.", "(a.test)", "a.test"},
    {"the root", ".", "00", "."},
    {"an escaped dot", "a\\.b.test", "03 'a.b' 04 'test' 00", "a\\.b.test"},
    {"C15: odd bytes", "\\000\\032\\255\\\\.x", "04 00 20 ff 5c 01 'x' 00", "\\000\\032\\255\\\\.x"},
    {"an escaped letter", "\\A", "01 'a' 00", "a"},
    {"nothing", "", NULL, NULL},
    {"an empty label", "a..b", NULL, NULL},
    {"a dot in front", ".a", NULL, NULL},
    {"two dots at the end", "a..", NULL, NULL},
    {"an escape without an end", "a\\", NULL, NULL},
    {"two digits", "\\12", NULL, NULL},
    {"a number too large", "\\256", NULL, NULL},
    {"a space", "a b", NULL, NULL},
    {"63 bytes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "3f 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa' 00",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"},
    {"64 bytes", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL, NULL},
};

static void
names_are_read_and_written(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct buf want = buf_max(MSG_MAX), text = buf_max(4096);
		uint8_t name[MSG_NAME_MAX], n = 0;
		enum res res = msg_name_read(name, &n, names[i].text);

		if ((res == RES_OK) != (names[i].wire != NULL))
			fail_msg("%s: %s", names[i].what, res_text(res));
		if (res == RES_OK) {
			if (!span_equal(span_of(name, n), wire_make(&want, names[i].wire)))
				fail_msg("%s: other bytes", names[i].what);
			msg_name_text(&text, span_of(name, n));
			assert_string_equal(buf_cstr(&text), names[i].back);
		}
		buf_free(&text);
		buf_free(&want);
	}
}

/* The longest name there is, and one byte more. */
static void
names_are_read_up_to_255_bytes(void **state)
{
	char text[300];
	uint8_t name[MSG_NAME_MAX], n = 0;

	(void)state;
	for (unsigned last = 61; last <= 62; last++) {
		memset(text, 'a', sizeof text);
		text[63] = text[127] = text[191] = '.';
		text[192 + last] = '\0';
		assert_int_equal(msg_name_read(name, &n, text), last == 61 ? RES_OK : RES_LIMIT);
		text[192 + last] = '.'; /* and one more label */
		text[192 + last + 2] = '\0';
		assert_int_equal(msg_name_read(name, &n, text), RES_LIMIT);
	}
	assert_int_equal(n, 255);
}

static void
below_ends_at_labels(void **state)
{
	static const struct {
		const char *name, *suffix;
		bool below;
	} rows[] = {
	    {"www.example.com", "example.com", true},
	    {"example.com", "example.com", true},
	    {"example.com", ".", true},
	    {".", ".", true},
	    {"com", "example.com", false},
	    {"badexample.com", "example.com", false},
	    {"example.com.x", "example.com", false},
	    {".", "com", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t a[MSG_NAME_MAX], b[MSG_NAME_MAX], a_n = 0, b_n = 0;

		assert_int_equal(msg_name_read(a, &a_n, rows[i].name), RES_OK);
		assert_int_equal(msg_name_read(b, &b_n, rows[i].suffix), RES_OK);
		if (msg_name_below(span_of(a, a_n), span_of(b, b_n)) != rows[i].below)
			fail_msg("%s below %s", rows[i].name, rows[i].suffix);
	}
}

static void
types_and_rcodes_have_names(void **state)
{
	char text[16];

	(void)state;
	assert_string_equal(msg_type_text(1, text), "A");
	assert_string_equal(msg_type_text(65, text), "HTTPS");
	assert_string_equal(msg_type_text(65280, text), "TYPE65280");
	assert_string_equal(msg_rcode_text(3, text), "NXDOMAIN");
	assert_string_equal(msg_rcode_text(16, text), "BADVERS");
	assert_string_equal(msg_rcode_text(3841, text), "RCODE3841");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(replies_are_made_from_answers),
	    cmocka_unit_test(an_opt_that_cannot_be_removed_is_refused),
	    cmocka_unit_test(flags_of_replies_follow_the_rules),
	    cmocka_unit_test(every_type_passes_unchanged),
	    cmocka_unit_test(replies_are_cut_to_size),
	    cmocka_unit_test(empty_replies_are_made),
	    cmocka_unit_test(ede_is_left_out_before_records),
	    cmocka_unit_test(our_opt_is_left_out_before_records_over_tcp),
	    cmocka_unit_test(names_are_read_and_written),
	    cmocka_unit_test(names_are_read_up_to_255_bytes),
	    cmocka_unit_test(below_ends_at_labels),
	    cmocka_unit_test(types_and_rcodes_have_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
