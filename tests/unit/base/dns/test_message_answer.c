#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define HEAD(an, ns, ar) "1234 8180 0001 " an ns ar "(a.test) 0001 0001 "
#define ONE              HEAD("0001", "0000", "0000")
#define RR(type)         "c00c " type " 0001 0000012c "

static uint16_t ttl_at[MSG_RRS_MAX];

static const struct {
	const char *what;
	const char *wire;
	enum res res;
} answers[] = {
    {"an answer", ONE RR("0001") "0004 01020304", RES_OK},
    {"no record", HEAD("0000", "0000", "0000"), RES_OK},
    {"nothing", "", RES_MALFORMED},
    {"U16: eleven bytes", "1234 8180 0001 0000 0000 00", RES_MALFORMED},
    {"U03: no question", "1234 8180 0000 0000 0000 0000", RES_MALFORMED},
    {"U03: two questions", "1234 8180 0002 0000 0000 0000 (a.test) 0001 0001 (a.test) 0001 0001",
     RES_MALFORMED},
    {"U03: QR = 0", "1234 0180 0001 0000 0000 0000 (a.test) 0001 0001", RES_MALFORMED},
    {"U03: opcode 5", "1234 a980 0001 0000 0000 0000 (a.test) 0001 0001", RES_MALFORMED},
    {"U05: an A of 20 bytes that hides another",
     ONE RR("0001") "0014 0a000001 00 0001 0001 00000000 0004 06060606 00", RES_MALFORMED},
    {"U06: an A of no bytes", ONE RR("0001") "0000", RES_MALFORMED},
    {"U06: an A of 3", ONE RR("0001") "0003 010203", RES_MALFORMED},
    {"U06: an AAAA of 17", ONE RR("001c") "0011 0102030405060708 0102030405060708 09", RES_MALFORMED},
    {"U06: an SOA cut short", ONE RR("0006") "0016 c00c c00c 00000001 00000001 00000001 00000001 0000",
     RES_MALFORMED},
    {"U06: an SOA with a byte more",
     ONE RR("0006") "0019 c00c c00c 00000001 00000001 00000001 00000001 00000001 00", RES_MALFORMED},
    {"a whole SOA", ONE RR("0006") "0018 c00c c00c 00000001 00000001 00000001 00000001 00000001", RES_OK},
    {"U06: a CNAME past its RDATA", ONE RR("0005") "0002 0162 00", RES_MALFORMED},
    {"U06: a CNAME shorter than its RDATA", ONE RR("0005") "0004 0162 00 00", RES_MALFORMED},
    {"a CNAME by pointer", ONE RR("0005") "0004 0162 c00c", RES_OK},
    {"U06: a TXT string past its RDATA", ONE RR("0010") "0003 03 'ab'", RES_MALFORMED},
    {"a TXT of no string; RFC 1035, 3.3.14", ONE RR("0010") "0000", RES_MALFORMED},
    {"a TXT of three, one empty", ONE RR("0010") "0006 01 'a' 00 02 'bc'", RES_OK},
    {"an MX", ONE RR("000f") "0004 000a c00c", RES_OK},
    {"an MX without a name", ONE RR("000f") "0002 000a", RES_MALFORMED},
    {"an SRV, its target compressed; RFC 3597, 4 (U22)", ONE RR("0021") "0008 0001 0002 0035 c00c", RES_OK},
    {"an SRV cut short", ONE RR("0021") "0006 0001 0002 0035", RES_MALFORMED},
    {"a NAPTR", ONE RR("0023") "000b 0001 0001 01 's' 00 01 'x' c00c", RES_OK},
    {"a NAPTR with a string too few", ONE RR("0023") "0008 0001 0001 01 's' c00c", RES_MALFORMED},
    {"a DNAME", ONE RR("0027") "0003 0162 00", RES_OK},
    {"an HINFO of one string", ONE RR("000d") "0002 01 'a'", RES_MALFORMED},
    {"a SIG whose signer is cut", ONE RR("0018") "0014 0001 0501 00000001 00000001 00000001 1234 0161",
     RES_MALFORMED},
    {"U22: an unknown type holds any bytes; RFC 3597, 3", ONE RR("ff00") "0004 c0ff ffc0", RES_OK},
    {"U22: an HTTPS record with a compressed target is relayed as it is; RFC 9460, 4.3",
     ONE RR("0041") "0004 0001 c00c", RES_OK},
    {"an unknown type of no bytes", ONE RR("ff00") "0000", RES_OK},
    {"U07: more answers are counted than present", HEAD("0002", "0000", "0000") RR("0001") "0004 01020304",
     RES_MALFORMED},
    {"U07: 65535 answers", HEAD("ffff", "ffff", "ffff") RR("0001") "0004 01020304", RES_MALFORMED},
    {"a byte after the last record", ONE RR("0001") "0004 01020304 00", RES_MALFORMED},
    {"a record more than is counted", HEAD("0000", "0000", "0000") RR("0001") "0004 01020304", RES_MALFORMED},
    {"an owner that points to itself", ONE "c018 0001 0001 0000012c 0004 01020304", RES_MALFORMED},
    {"an owner that points forwards", ONE "c01a 0001 0001 0000012c 0004 01020304", RES_MALFORMED},
    {"an owner that points into the header", ONE "c004 0001 0001 0000012c 0004 01020304", RES_MALFORMED},
    {"an owner whose labels lead back into itself", ONE "0161 c018 0001 0001 0000012c 0004 01020304",
     RES_MALFORMED},
    {"a name that runs into its own pointer", ONE "c017 0001 0001 0000012c 0004 01020304",
     RES_MALFORMED},
    {"an owner by a pointer in the middle of a name", ONE "c00e 0001 0001 0000012c 0004 01020304", RES_OK},
    {"a question whose name is a pointer", "1234 8180 0001 0000 0000 0000 c00c 0001 0001", RES_MALFORMED},
    {"an OPT", HEAD("0000", "0000", "0001") WIRE_OPT, RES_OK},
    {"U17: two OPTs; RFC 6891, 6.1.1", HEAD("0000", "0000", "0002") WIRE_OPT WIRE_OPT, RES_MALFORMED},
    {"an OPT in the answer section", HEAD("0001", "0000", "0000") WIRE_OPT, RES_MALFORMED},
    {"an OPT in the authority section", HEAD("0000", "0001", "0000") WIRE_OPT, RES_MALFORMED},
    {"an OPT with an owner", HEAD("0000", "0000", "0001") "c00c 0029 04d0 00000000 0000", RES_MALFORMED},
    {"an option past the OPT", HEAD("0000", "0000", "0001") "00 0029 04d0 00000000 0004 000f 0001",
     RES_MALFORMED},
    {"U24: a keepalive option of the wrong length is left to the transport, which ignores it",
     HEAD("0000", "0000", "0001") "00 0029 04d0 00000000 0005 000b 0001 00", RES_OK},
    {"U21: an OPT before another record", HEAD("0000", "0000", "0002") WIRE_OPT RR("0001") "0004 01020304",
     RES_OK},
    {"a name after the OPT that points into it",
     HEAD("0000", "0000", "0002") WIRE_OPT "c018 0001 0001 0000012c 0004 01020304", RES_MALFORMED},
    {"a name made of the bytes of a TTL, which changes as it counts down",
     HEAD("0002", "0000", "0000") "c00c ff00 0001 01610000 0000 c01e 0001 0001 0000012c 0004 01020304",
     RES_MALFORMED},
    {"a name that runs into the TTL of its own record", ONE "c00c 0005 0001 01610000 0002 c01e",
     RES_MALFORMED},
    {"a name inside opaque RDATA, as some servers write it",
     HEAD("0002", "0000", "0000") RR("ff00") "0003 0162 00 c024 0001 0001 0000012c 0004 01020304", RES_OK},
    {"a TSIG: nothing of ours is signed; RFC 8945, 5.3.1",
     HEAD("0000", "0000", "0001") "(k) 00fa 00ff 00000000 0010 (k) 000000000000 012c 0000 1234 0000", RES_MALFORMED},
    {"U31: a DDR record (SVCB) with duplicate and unsorted keys is relayed as it is: no connection is upgraded by it; RFC 9462, 4",
     ONE RR("0040") "000f 0001 00 0003 0002 0355 0003 0002 0355", RES_OK},
    {"U20: NXDOMAIN with a CNAME",
     "1234 8183 0001 0001 0000 0000 (a.test) 0001 0001 " RR("0005") "0004 0162 c00c", RES_OK},
};

static void
answers_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct span wire = wire_exact(wire_make(&b, answers[i].wire));
		struct msg_answer a;
		enum res res = msg_answer_read(&a, wire, ttl_at);

		if (res != answers[i].res)
			fail_msg("%s: %s", answers[i].what, res_text(res));
		free((void *)(uintptr_t)wire.p);
		buf_free(&b);
	}
}

#define RICH                                                                                                 \
	HEAD("0003", "0001", "0002")                                                                         \
	RR("0005")                                                                                           \
	"0004 0162 c00e c026 0010 0001 0000003c 0006 03 'abc' 01 'd' " /* b.test TXT */                      \
	    RR("000f") "0006 000a 016d c00e " RR(                                                            \
		"0006") "0018 c00e c00c 00000001 00000001 00000001 00000001 00000e10 "                       \
			"c00e 0001 0001 ffffffff 0004 01020304 00 0029 04d0 01008000 0012 000f 000e 0016 "   \
			"'two \xc3\xa4\x01 down'"

/* U07: a message that is cut anywhere is malformed. */
static void
every_cut_of_an_answer_is_malformed(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct span whole = wire_make(&b, RICH);
	struct msg_answer a;

	(void)state;
	assert_int_equal(msg_answer_read(&a, whole, ttl_at), RES_OK);
	for (size_t n = 0; n < whole.n; n++) {
		struct span cut = wire_exact(span_slice(whole, 0, n));

		if (msg_answer_read(&a, cut, ttl_at) != RES_MALFORMED)
			fail_msg("%zu of %zu bytes", n, whole.n);
		free((void *)(uintptr_t)cut.p);
	}
	buf_free(&b);
}

/* With any byte changed to any value, no byte outside of the message is read: a sanitizer would report it. */
static void
every_byte_may_be_anything(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct span whole = wire_exact(wire_make(&b, RICH));
	uint8_t *p = (uint8_t *)(uintptr_t)whole.p;
	unsigned accepted = 0;
	struct msg_answer a;

	(void)state;
	for (size_t i = 0; i < whole.n; i++) {
		uint8_t was = p[i];

		for (unsigned v = 0; v < 256; v++) {
			p[i] = (uint8_t)v;
			accepted += msg_answer_read(&a, whole, ttl_at) == RES_OK;
		}
		p[i] = was;
	}
	assert_true(accepted > whole.n); /* at least once for each byte: with its own value */
	free(p);
	buf_free(&b);
}

static void
an_answer_is_read_whole(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;

	(void)state;
	assert_int_equal(msg_answer_read(&a, wire_make(&b, RICH), ttl_at), RES_OK);
	assert_int_equal(a.id, 0x1234);
	assert_int_equal(a.rcode, 16); /* the OPT's upper bits */
	assert_int_equal(a.an, 3);
	assert_int_equal(a.ns, 1);
	assert_int_equal(a.ar, 1);
	assert_int_equal(a.n_ttl, 5);
	for (size_t i = 0; i < a.n_ttl; i++)
		assert_int_equal(be32_read(a.wire.p + a.ttl_at[i]),
				 ((uint32_t[]){300, 60, 300, 300, 0xffffffff})[i]);
	assert_int_equal(a.ttl_min, 60);
	assert_true(a.has_soa);
	assert_int_equal(a.soa_negative_ttl, 300); /* RFC 2308, 5: the smaller of TTL and MINIMUM */
	assert_false(a.has_answer_of_type);
	assert_true(a.edns.present && a.edns.do_bit);
	assert_int_equal(a.opt_at + a.opt_n, a.wire.n);
	assert_int_equal(a.n_ede, 1);
	assert_int_equal(a.ede[0].code, 22);
	assert_int_equal(a.ede[0].text.n, 12);
	buf_free(&b);
}

static const struct {
	const char *what;
	const char *sent;
	bool matches;
} matches[] = {
    {"the question that was sent", "(A.test) 0001 0001", true},
    {"U02: another name", "(b.test) 0001 0001", false},
    {"U02: another type", "(A.test) 001c 0001", false},
    {"U02: another class", "(A.test) 0001 0003", false},
    {"RFC 4343, 3: another case of a letter is the same name", "(a.tESt) 0001 0001", true},
    {"U02: a longer name", "(x.A.test) 0001 0001", false},
    {"U02: a shorter name", "(test) 0001 0001", false},
    {"U02: 0x20 is a matter of case in letters only", "(a.te3t) 0001 0001", false},
    {"U02: a dot inside a label is no boundary", "06 'A.test' 00 0001 0001", false},
    {"a type and a class alone", "0001 0001", false},
    {"nothing", "", false},
};

static void
answers_match_their_question(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof matches / sizeof *matches; i++) {
		struct buf b = buf_max(MSG_MAX), sent = buf_max(MSG_MAX);
		struct msg_answer a;

		assert_int_equal(
		    msg_answer_read(&a, wire_make(&b, "1234 8180 0001 0000 0000 0000 (A.test) 0001 0001"),
				    ttl_at),
		    RES_OK);
		if (msg_answer_matches(&a, wire_make(&sent, matches[i].sent)) != matches[i].matches)
			fail_msg("%s", matches[i].what);
		buf_free(&sent);
		buf_free(&b);
	}
}

/* The types HTTPS (65) and 97 differ as 'A' and 'a' do, but are not letters. */
static void
types_are_compared_as_numbers(void **state)
{
	struct buf b = buf_max(MSG_MAX), sent = buf_max(MSG_MAX);
	struct msg_answer a;

	(void)state;
	wire_make(&b, "1234 8180 0001 0000 0000 0000 (a.test) 0041 0001");
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_true(msg_answer_matches(&a, wire_make(&sent, "(A.TEST) 0041 0001")));
	buf_clear(&sent);
	assert_false(msg_answer_matches(&a, wire_make(&sent, "(a.test) 0061 0001")));
	buf_free(&sent);
	buf_free(&b);
}

/* U08: a chain of 8,000 pointers, each to the one before; then as many names as fit, each with the whole chain to follow. */
static void
a_chain_of_pointers_ends_early(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;
	unsigned n = 0;

	(void)state;
	wire_make(&b, "1234 8180 0001 ffff 0000 0000 (a.test) 0001 0001 00 ff00 0001 00000000 3e80");
	buf_u16(&b, 0xc00c);
	for (unsigned i = 1; i < 8000; i++)
		buf_u16(&b, (uint16_t)(0xc000 | (b.n - 2)));
	for (; b.n + 12 <= MSG_MAX; n++) {
		buf_u16(&b, (uint16_t)(0xc000 | (35 + 2 * 7999)));
		wire_make(&b, "ff00 0001 00000000 0000");
	}
	be16_write(b.p + 6, (uint16_t)(n + 1));
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_MALFORMED);
	buf_free(&b);
}

/* U08: thousands of names of 127 labels each are too much work. */
static void
steps_through_labels_are_bounded(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;
	unsigned n = 0;

	(void)state;
	wire_make(&b, "1234 8180 0001 0000 0000 0000 00 0001 0001 00 0005 0001 00000000 00ff");
	for (unsigned i = 0; i < 127; i++)
		wire_make(&b, "0161");
	buf_u8(&b, 0);
	for (; b.n + 14 <= MSG_MAX; n++)
		wire_make(&b, "c01c 0005 0001 00000000 0002 c01c");
	be16_write(b.p + 6, (uint16_t)(n + 1));
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_LIMIT);
	buf_free(&b);
}

/* U09, U10: thousands of valid aliases are accepted. */
static void
a_long_chain_of_aliases_is_read(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;

	(void)state;
	wire_make(&b, "1234 8180 0001 1388 0000 0000 (a.test) 0001 0001");
	for (unsigned i = 0; i < 4000; i++)
		wire_make(&b, "c00c 0005 0001 0000012c 0002 c00c");
	be16_write(b.p + 6, 4000);
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_int_equal(a.n_ttl, 4000);
	buf_free(&b);
}

/* U29: hundreds of keys and signatures are relayed unread: we do not validate. */
static void
a_message_of_keys_and_signatures_is_read(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;
	uint16_t n = 0;

	(void)state;
	wire_make(&b, "1234 8180 0001 0000 0000 0000 (a.test) 0030 0001");
	for (; b.n + 2 * 12 + 6 + 24 <= MSG_MAX; n = (uint16_t)(n + 2)) {
		wire_make(&b, "c00c 0030 0001 0000012c 0006 0100 03 0d");
		buf_u16(&b, n);
		wire_make(&b, "c00c 002e 0001 0000012c 0018 0030 0d 01 0000012c 00000002 00000001 1234 (a) ff00ff");
	}
	be16_write(b.p + 6, n);
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_int_equal(a.n_ttl, n);
	assert_true(n > 2000 && a.has_answer_of_type);
	buf_free(&b);
}

/* As many records as 64 KiB hold. */
static void
the_smallest_records_fill_a_message(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;
	uint16_t n = 0;

	(void)state;
	wire_make(&b, "1234 8180 0001 0000 0000 0000 00 0001 0001");
	for (; b.n + 11 <= MSG_MAX; n++)
		wire_make(&b, "00 ff00 0001 0000012c 0000");
	be16_write(b.p + 6, n);
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_int_equal(a.n_ttl, n);
	buf_free(&b);
}

struct each {
	unsigned n, stop;
	unsigned types[8];
};

static bool
each_on_record(void *ctx, const struct msg_rr *rr)
{
	struct each *e = ctx;

	e->types[e->n++] = rr->type | (unsigned)rr->section << 16;
	return e->n != e->stop;
}

static void
each_record_is_shown(void **state)
{
	struct buf b = buf_max(MSG_MAX);
	struct msg_answer a;
	struct each e = {0};

	(void)state;
	assert_int_equal(msg_answer_read(&a, wire_make(&b, RICH), ttl_at), RES_OK);
	msg_each(&a, each_on_record, &e);
	assert_int_equal(e.n, 5);
	assert_int_equal(e.types[0], TYPE_CNAME);
	assert_int_equal(e.types[3], TYPE_SOA | 1 << 16);
	assert_int_equal(e.types[4], TYPE_A | 2 << 16);
	e = (struct each){.stop = 2};
	msg_each(&a, each_on_record, &e);
	assert_int_equal(e.n, 2);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_are_judged),
	    cmocka_unit_test(every_cut_of_an_answer_is_malformed),
	    cmocka_unit_test(every_byte_may_be_anything),
	    cmocka_unit_test(an_answer_is_read_whole),
	    cmocka_unit_test(answers_match_their_question),
	    cmocka_unit_test(types_are_compared_as_numbers),
	    cmocka_unit_test(a_chain_of_pointers_ends_early),
	    cmocka_unit_test(steps_through_labels_are_bounded),
	    cmocka_unit_test(a_long_chain_of_aliases_is_read),
	    cmocka_unit_test(a_message_of_keys_and_signatures_is_read),
	    cmocka_unit_test(the_smallest_records_fill_a_message),
	    cmocka_unit_test(each_record_is_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
