#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define HEAD     "1234 0100 0001 0000 0000 0000 "
#define HEAD_AR1 "1234 0100 0001 0000 0000 0001 "
#define ASK      "(a.test) 0001 0001"

static const struct {
	const char *what;
	const char *wire;
	enum msg_fault fault;
} questions[] = {
    {"C01: an empty datagram", "", MSG_DROP},
    {"C02: one byte", "12", MSG_DROP},
    {"C02: eleven bytes", "1234 0100 0001 0000 0000 00", MSG_DROP},
    {"C03: an answer, sent to us", "1234 8100 0001 0000 0000 0000 " ASK, MSG_DROP},
    {"C04: NOTIFY", "1234 2100 0001 0000 0000 0000 " ASK, MSG_NOTIMP},
    {"C04: UPDATE", "1234 2900 0001 0000 0000 0000 (a.test) 0006 0001", MSG_NOTIMP},
    {"C04: STATUS", "1234 1100 0001 0000 0000 0000 " ASK, MSG_NOTIMP},
    {"C04: DSO, without a question", "1234 3000 0000 0000 0000 0000", MSG_NOTIMP},
    {"C04: opcode 15; RFC 1035, 4.1.1", "1234 7900 0001 0000 0000 0000 " ASK, MSG_NOTIMP},
    {"C05: no question", "1234 0100 0000 0000 0000 0000", MSG_FORMERR},
    {"C05: two questions; RFC 9619, 4", "1234 0100 0002 0000 0000 0000 " ASK " " ASK, MSG_FORMERR},
    {"C05: 65535 questions", "1234 0100 ffff 0000 0000 0000 " ASK, MSG_FORMERR},
    {"C06: an answer in a question",
     "1234 0100 0001 0001 0000 0000 " ASK " c00c 0001 0001 00000000 0004 01020304", MSG_FORMERR},
    {"C06: an authority in a question",
     "1234 0100 0001 0000 0001 0000 " ASK " c00c 0001 0001 00000000 0004 01020304", MSG_FORMERR},
    {"C07: two OPTs; RFC 6891, 6.1.1", "1234 0100 0001 0000 0000 0002 " ASK WIRE_OPT WIRE_OPT, MSG_FORMERR},
    {"C07: an OPT with an owner; RFC 6891, 6.1.2", HEAD_AR1 ASK " (a.test) 0029 04d0 00000000 0000",
     MSG_FORMERR},
    {"C07: an OPT whose owner is a pointer to a root", HEAD_AR1 ASK " c012 0029 04d0 00000000 0000",
     MSG_FORMERR},
    {"C07: an OPT in the answer section", "1234 0100 0001 0001 0000 0000 " ASK WIRE_OPT, MSG_FORMERR},
    {"C08: EDNS version 1; RFC 6891, 6.1.3", HEAD_AR1 ASK " 00 0029 04d0 00010000 0000", MSG_BADVERS},
    {"C08: EDNS version 1 with options of its own shape", HEAD_AR1 ASK " 00 0029 04d0 00010000 0003 ffffff",
     MSG_BADVERS},
    {"C10: an option longer than the RDATA", HEAD_AR1 ASK " 00 0029 04d0 00000000 0005 000a 0008 01",
     MSG_FORMERR},
    {"C10: half an option header", HEAD_AR1 ASK " 00 0029 04d0 00000000 0003 000a 00", MSG_FORMERR},
    {"C10: RDATA longer than the message", HEAD_AR1 ASK " 00 0029 04d0 00000000 0004 000a", MSG_FORMERR},
    {"C10: NSID, COOKIE and PADDING are ignored; RFC 6891, 6.1.2",
     HEAD_AR1 ASK " 00 0029 04d0 00000000 0014 0003 0000 000a 0008 0102030405060708 000c 0000", MSG_OK},
    {"C12: one byte after the question", HEAD ASK " 00", MSG_FORMERR},
    {"C12: one byte after the OPT", HEAD_AR1 ASK WIRE_OPT " 00", MSG_FORMERR},
    {"C13: a name that points to itself", HEAD "c00c 0001 0001", MSG_FORMERR},
    {"C13: a cycle of two", HEAD "01 61 c010 c00c 0001 0001", MSG_FORMERR},
    {"C13: a pointer forwards", HEAD "c012 0001 0001 0161 00", MSG_FORMERR},
    {"C13: a pointer into the header", HEAD "c000 0001 0001", MSG_FORMERR},
    {"C13: a pointer to the last byte of the header", HEAD "0161 c00b 0001 0001", MSG_FORMERR},
    {"C14: label type 0x40", HEAD "41 61 00 0001 0001", MSG_FORMERR},
    {"C14: label type 0x80", HEAD "81 61 00 0001 0001", MSG_FORMERR},
    {"a name without its end", HEAD "01 61", MSG_FORMERR},
    {"a question without a class", HEAD "01 61 00 0001", MSG_FORMERR},
    {"a question cut in its class", HEAD "01 61 00 0001 00", MSG_FORMERR},
    {"C16: version.bind CH TXT", HEAD "(version.bind) 0010 0003", MSG_REFUSED},
    {"C16: class ANY", HEAD "(a.test) 0001 00ff", MSG_REFUSED},
    {"C16: class NONE", HEAD "(a.test) 0001 00fe", MSG_REFUSED},
    {"C17: AXFR; RFC 9103", HEAD "(a.test) 00fc 0001", MSG_REFUSED},
    {"C17: IXFR", HEAD "(a.test) 00fb 0001", MSG_REFUSED},
    {"C17: IXFR with the SOA that it brings along; RFC 1995, 3",
     "1234 0100 0001 0000 0001 0000 (a.test) 00fb 0001 c00c 0006 0001 00000000 0018 c00c c00c 00000001 "
     "00000001 "
     "00000001 00000001 00000001",
     MSG_REFUSED},
    {"C17: OPT as a type", HEAD "(a.test) 0029 0001", MSG_REFUSED},
    {"C17: TKEY", HEAD "(a.test) 00f9 0001", MSG_REFUSED},
    {"C17: MAILB", HEAD "(a.test) 00fd 0001", MSG_REFUSED},
    {"NXNAME; RFC 9824, 3.5", HEAD "(a.test) 0080 0001", MSG_FORMERR},
    {"the type before NXNAME", HEAD "(a.test) 007f 0001", MSG_OK},
    {"the type after NXNAME", HEAD "(a.test) 0081 0001", MSG_OK},
    {"C18: ANY", HEAD "(a.test) 00ff 0001", MSG_OK},
    {"C18: TYPE65280; RFC 3597, 3", HEAD "(a.test) ff00 0001", MSG_OK},
    {"C18: HTTPS", HEAD "(a.test) 0041 0001", MSG_OK},
    {"RFC 8659: CAA is forwarded like other types", HEAD "(a.test) 0101 0001", MSG_OK},
    {"C19: TSIG", HEAD_AR1 ASK " (k) 00fa 00ff 00000000 0010 (k) 000000000000 012c 0000 1234 0000",
     MSG_FORMERR},
    {"C19: SIG(0)",
     HEAD_AR1 ASK " 00 0018 00ff 00000000 0015 0000 0500 00000000 00000001 00000001 1234 0161 00",
     MSG_FORMERR},
    {"C20: RD = 0", "1234 0000 0001 0000 0000 0000 " ASK, MSG_REFUSED},
    {"the root", HEAD "00 0002 0001", MSG_OK},
    {"another additional record is ignored", HEAD_AR1 ASK " c00c 0001 0001 00000000 0004 01020304",
     MSG_OK},
    {"an additional record is counted and missing", HEAD_AR1 ASK, MSG_FORMERR},
    {"65535 additional records are counted and missing", "1234 0100 0001 0000 0000 ffff " ASK WIRE_OPT,
     MSG_FORMERR},
};

static void
questions_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct span wire = wire_exact(wire_make(&b, questions[i].wire));
		struct msg_question q;
		enum msg_fault fault = msg_question_read(&q, wire);

		if (fault != questions[i].fault)
			fail_msg("%s: fault %d", questions[i].what, fault);
		free((void *)(uintptr_t)wire.p);
		buf_free(&b);
	}
}

static void
every_cut_of_a_question_is_refused(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct span whole =
	    wire_make(&b, HEAD_AR1 ASK " 00 0029 04d0 00008000 000c 000a 0008 0102030405060708");
	struct msg_question q;

	(void)state;
	assert_int_equal(msg_question_read(&q, whole), MSG_OK);
	for (size_t n = 0; n < whole.n; n++) {
		struct span cut = wire_exact(span_slice(whole, 0, n));

		assert_int_equal(msg_question_read(&q, cut), n < MSG_HEADER ? MSG_DROP : MSG_FORMERR);
		free((void *)(uintptr_t)cut.p);
	}
	buf_free(&b);
}

static void
a_question_is_read_whole(void **state)
{
	struct buf b = buf_max(MSG_MAX), name = buf_max(MSG_NAME_MAX);
	struct msg_question q;

	(void)state;
	assert_int_equal(
	    msg_question_read(&q, wire_make(&b, "beef 0170 0001 0000 0000 0001 (wWw.ExAmPlE) 001c 0001"
						" 00 0029 1000 00008000 0006 000b 0000 fde9 0000")),
	    MSG_FORMERR); /* the length is wrong */
	buf_clear(&b);
	assert_int_equal(
	    msg_question_read(&q, wire_make(&b, "beef 0170 0001 0000 0000 0001 (wWw.ExAmPlE) 001c 0001"
						" 00 0029 1000 00008000 0008 000b 0000 fde9 0000")),
	    MSG_OK);
	assert_int_equal(q.id, 0xbeef);
	assert_int_equal(q.flags, MSG_RD | MSG_AD | MSG_CD); /* Z is cleared (RFC 1035, 4.1.1) */
	assert_int_equal(q.type, TYPE_AAAA);
	assert_int_equal(q.class, CLASS_IN);
	assert_int_equal(q.labels, 2);
	assert_true(
	    span_equal(span_of(q.name, q.name_n), wire_make(&name, "(www.example)"))); /* RFC 4343, 3 */
	assert_true(span_equal(q.section, span_slice(buf_span(&b), MSG_HEADER, 17)));
	assert_true(q.edns.present && q.edns.do_bit && q.edns.keepalive);
	assert_int_equal(q.edns.udp_size, 4096);
	buf_free(&name);
	buf_free(&b);
}

static void
names_end_at_255_bytes(void **state)
{
	static const struct {
		const char *what;
		uint8_t last; /* length of the fourth label; three of 63 come first */
		enum msg_fault fault;
	} rows[] = {
	    {"C14: 255 bytes; RFC 1035, 2.3.4", 61, MSG_OK},
	    {"C14: 256 bytes", 62, MSG_FORMERR},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct msg_question q;

		wire_make(&b, HEAD);
		for (unsigned label = 0; label < 4; label++) {
			uint8_t n = label < 3 ? 63 : rows[i].last;

			buf_u8(&b, n);
			for (unsigned j = 0; j < n; j++)
				buf_u8(&b, 0xff);
		}
		wire_make(&b, "00 0001 0001");
		if (msg_question_read(&q, buf_span(&b)) != rows[i].fault)
			fail_msg("%s", rows[i].what);
		buf_free(&b);
	}
}

static void
payload_sizes_are_at_least_512(void **state)
{
	static const struct {
		const char *what;
		uint16_t declared, counts;
	} rows[] = {
	    {"C09: 0", 0, 512},
	    {"C09: 100; RFC 6891, 6.2.3", 100, 512},
	    {"512", 512, 512},
	    {"1232", 1232, 1232},
	    {"C09: 65535 (cut when the reply is made)", 65535, 65535},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct msg_question q;

		wire_make(&b, HEAD_AR1 ASK " 00 0029");
		buf_u16(&b, rows[i].declared);
		wire_make(&b, "00000000 0000");
		if (msg_question_read(&q, buf_span(&b)) != MSG_OK || q.edns.udp_size != rows[i].counts)
			fail_msg("%s", rows[i].what);
		buf_free(&b);
	}
}

/* C10: an OPT of 16,000 empty options, which is more than the reader accepts; C07: 256 OPTs. */
static void
floods_of_options_are_formerr(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_question q;

	(void)state;
	wire_make(&b, HEAD_AR1 ASK " 00 0029 04d0 00000000 fa00");
	for (unsigned i = 0; i < 16000; i++)
		wire_make(&b, "fde8 0000");
	assert_int_equal(msg_question_read(&q, buf_span(&b)), MSG_FORMERR);
	buf_clear(&b);
	wire_make(&b, "1234 0100 0001 0000 0000 0100 " ASK);
	for (unsigned i = 0; i < 256; i++)
		wire_make(&b, WIRE_OPT);
	assert_int_equal(msg_question_read(&q, buf_span(&b)), MSG_FORMERR);
	assert_true(q.edns.present); /* the reply has an OPT (RFC 6891, 7), with nothing from the client's */
	assert_int_equal(q.edns.options.n, 0);
	assert_int_equal(q.edns.udp_size, 512);
	buf_free(&b);
}

/* Every option code is ignored, and none is forwarded to the upstream (C11, C23; RFC 6891, 6.1.1). */
static void
every_option_code_is_ignored(void **state)
{
	struct buf b = buf_max(MSG_MAX), plain = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_question q;

	(void)state;
	wire_make(&plain, "0000 0120 0001 0000 0000 0001 " ASK WIRE_OPT);
	for (unsigned code = 0; code <= 0xffff; code++) {
		buf_clear(&b);
		buf_clear(&out);
		wire_make(&b, HEAD_AR1 ASK " 00 0029 ffff 00000000 0006");
		buf_u16(&b, (uint16_t)code);
		wire_make(&b, "0002 beef");
		assert_int_equal(msg_question_read(&q, buf_span(&b)), MSG_OK);
		msg_question_write(&out, &q);
		assert_true(span_equal(buf_span(&out), buf_span(&plain)));
	}
	buf_free(&out);
	buf_free(&plain);
	buf_free(&b);
}

/* C21: what the upstream gets for every combination of AD, CD, DO and Z (RFC 6840, 5.7 and 5.9; RFC 3225). */
static void
flags_are_forwarded_by_the_rules(void **state)
{
	(void)state;
	for (unsigned mix = 0; mix < 16; mix++) {
		struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		bool cd = mix & 1, do_bit = mix & 2;
		struct msg_question q;
		struct span sent;

		buf_u16(&b, 0x1234);
		buf_u16(&b, (uint16_t)(MSG_RD | (cd ? MSG_CD : 0) | (mix & 4 ? MSG_AD : 0) |
				       (mix & 8 ? MSG_Z : 0)));
		wire_make(&b, "0001 0000 0000 0001 (A.tEsT) ff01 0001");
		wire_make(&b, do_bit ? WIRE_OPT_DO : WIRE_OPT);
		assert_int_equal(msg_question_read(&q, buf_span(&b)), MSG_OK);
		msg_question_write(&out, &q);
		sent = buf_span(&out);
		assert_int_equal(be16_read(sent.p), 0); /* RFC 8484, 4.1 */
		assert_int_equal(be16_read(sent.p + 2), MSG_RD | MSG_AD | (cd ? MSG_CD : 0));
		assert_int_equal(be16_read(sent.p + sent.n - 8), MSG_UDP_PAYLOAD);
		assert_int_equal(be16_read(sent.p + sent.n - 4), do_bit ? 0x8000 : 0);
		assert_int_equal(sent.p[sent.n - 11], 0);
		/* in lower case, however the client spelled it */
		buf_clear(&b);
		assert_true(span_equal(span_slice(sent, MSG_HEADER, q.name_n + 4U),
				       wire_make(&b, "(a.test) ff01 0001")));
		buf_free(&out);
		buf_free(&b);
	}
}

/* C15: RFC 2181, 11: any octet is legal in a label. */
static void
odd_bytes_are_forwarded_as_they_are(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_question q;

	(void)state;
	wire_make(&b, HEAD "0a 00 '.' 5c ' @' 0d 0a ff 7f c1 00 0001 0001");
	assert_int_equal(msg_question_read(&q, buf_span(&b)), MSG_OK);
	msg_question_write(&out, &q);
	assert_true(
	    span_equal(span_slice(buf_span(&out), MSG_HEADER, 16), span_slice(buf_span(&b), MSG_HEADER, 16)));
	buf_free(&out);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(questions_are_judged),
	    cmocka_unit_test(every_cut_of_a_question_is_refused),
	    cmocka_unit_test(a_question_is_read_whole),
	    cmocka_unit_test(names_end_at_255_bytes),
	    cmocka_unit_test(payload_sizes_are_at_least_512),
	    cmocka_unit_test(floods_of_options_are_formerr),
	    cmocka_unit_test(every_option_code_is_ignored),
	    cmocka_unit_test(flags_are_forwarded_by_the_rules),
	    cmocka_unit_test(odd_bytes_are_forwarded_as_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
