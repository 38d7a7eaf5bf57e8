#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

static uint16_t ttl_at[MSG_RRS_MAX];

/* Records with names written out: owner, type, RDATA. */
#define NAME_WWW   "(www.a.test)"
#define NAME_CDN   "(cdn.b.test)"
#define NAME_EDGE  "(edge.c.test)"
#define REST       " 0001 0000003c"
#define WWW_CDN    NAME_WWW " 0005" REST " 000c" NAME_CDN
#define CDN_EDGE   NAME_CDN " 0005" REST " 000d" NAME_EDGE
#define EDGE_WWW   NAME_EDGE " 0005" REST " 000c" NAME_WWW
#define EDGE_CDN   NAME_EDGE " 0005" REST " 000c" NAME_CDN
#define EDGE_A     NAME_EDGE " 0001" REST " 0004 c0000207"
#define EDGE_A2    NAME_EDGE " 0001" REST " 0004 c0000208"
#define CDN_A      NAME_CDN " 0001" REST " 0004 c0000209"
#define WWW_SIG    NAME_WWW " 002e" REST " 0002 0005"
#define CDN_SIG    NAME_CDN " 002e" REST " 0002 0105"
#define EDGE_SIG   NAME_EDGE " 002e" REST " 0002 0201"
#define OTHER_A    "(other.test) 0001" REST " 0004 c00002ff"
#define DNAME      "(a.test) 0027" REST " 0008 (b.test)"
#define DNAME_SIG  "(a.test) 002e" REST " 0002 0039"
#define UPPER_WWW  "(WWW.a.TEST) 0005" REST " 000c (CDN.B.test)"

#define SHOWN_WWW  " | www.a.test 60 CNAME cdn.b.test"
#define SHOWN_CDN  " | cdn.b.test 60 CNAME edge.c.test"
#define SHOWN_EDGE " | edge.c.test 60 A 192.0.2.7"

static const struct {
	const char *what;
	unsigned answers;
	const char *records;
	const char *ordered; /* NULL: it is left as it is */
} rows[] = {
    {"a chain in order", 3, WWW_CDN CDN_EDGE EDGE_A, NULL},
    {"no alias", 1, NAME_WWW " 0001" REST " 0004 c0000207", NULL},
    {"an alias alone", 1, WWW_CDN, NULL},
    {"the address in front of its alias", 2, CDN_A WWW_CDN,
     "NOERROR" SHOWN_WWW " | cdn.b.test 60 A 192.0.2.9"},
    {"back to front", 3, EDGE_A CDN_EDGE WWW_CDN, "NOERROR" SHOWN_WWW SHOWN_CDN SHOWN_EDGE},
    {"two aliases swapped", 3, CDN_EDGE WWW_CDN EDGE_A, "NOERROR" SHOWN_WWW SHOWN_CDN SHOWN_EDGE},
    {"the addresses keep their order", 4, EDGE_A2 EDGE_A WWW_CDN CDN_EDGE,
     "NOERROR" SHOWN_WWW SHOWN_CDN " | edge.c.test 60 A 192.0.2.8" SHOWN_EDGE},
    {"signatures go with what they sign", 6, EDGE_SIG CDN_SIG WWW_SIG EDGE_A CDN_EDGE WWW_CDN,
     "NOERROR" SHOWN_WWW " | www.a.test 60 RRSIG 0005" SHOWN_CDN
     " | cdn.b.test 60 RRSIG 0105 | edge.c.test 60 RRSIG 0201" SHOWN_EDGE},
    {"other names are kept, last", 3, OTHER_A CDN_A WWW_CDN,
     "NOERROR" SHOWN_WWW " | cdn.b.test 60 A 192.0.2.9 | other.test 60 A 192.0.2.255"},
    {"a chain in order after another name", 2, OTHER_A WWW_CDN,
     "NOERROR" SHOWN_WWW " | other.test 60 A 192.0.2.255"},
    {"names match in any case, and stay as spelled", 3, CDN_EDGE UPPER_WWW EDGE_A,
     "NOERROR | WWW.a.TEST 60 CNAME CDN.B.test" SHOWN_CDN SHOWN_EDGE},
    {"a DNAME stands in front of its CNAME (RFC 6672, 3.1)", 4, CDN_A WWW_CDN DNAME DNAME_SIG,
     "NOERROR | a.test 60 DNAME 0162047465737400 | a.test 60 RRSIG 0039" SHOWN_WWW
     " | cdn.b.test 60 A 192.0.2.9"},
    {"... and is in order there", 3, DNAME WWW_CDN CDN_A, NULL},
    {"a loop that is in order", 3, WWW_CDN CDN_EDGE EDGE_WWW, NULL},
    {"a loop out of order", 3, EDGE_CDN CDN_EDGE WWW_CDN,
     "NOERROR" SHOWN_WWW SHOWN_CDN " | edge.c.test 60 CNAME cdn.b.test"},
    {"a chain with a gap: records outside the chain come last", 3, EDGE_A OTHER_A WWW_CDN,
     "NOERROR" SHOWN_WWW SHOWN_EDGE " | other.test 60 A 192.0.2.255"},
    {"an alias and its target, each twice", 4, CDN_A WWW_CDN WWW_CDN CDN_A,
     "NOERROR" SHOWN_WWW SHOWN_WWW " | cdn.b.test 60 A 192.0.2.9 | cdn.b.test 60 A 192.0.2.9"},
};

static void
aliases_come_first(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct msg_answer a;
		const char *got = NULL;

		buf_clear(&b);
		wire_make(&b, "0000 8180 0001 0000 0000 0000 (www.a.test) 0001 0001");
		wire_make(&b, rows[i].records);
		be16_write(b.p + 6, (uint16_t)rows[i].answers);
		if (msg_answer_read(&a, buf_span(&b), ttl_at) != RES_OK)
			fail_msg("%s: the row is malformed", rows[i].what);
		if (msg_order(&out, &a))
			got = wire_text(&text, buf_span(&out));
		if ((got == NULL) != (rows[i].ordered == NULL) ||
		    (got != NULL && strcmp(got, rows[i].ordered) != 0))
			fail_msg("%s: %s", rows[i].what, got == NULL ? "as it was" : got);
	}
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

/* Names that are compressed into each other, in every section and with an OPT in the middle, mean the same afterwards. */
static void
compressed_names_are_written_out(void **state)
{
	static const char wire[] = "0000 8180 0001 0003 0001 0003 (www.a.test) 0001 0001"
				   /* 0x1c: edge.www.a.test A */
				   " 04 'edge' c00c 0001 0001 0000003c 0004 c0000207"
				   /* 0x31: cdn.edge.www.a.test CNAME to 0x1c */
				   " 03 'cdn' c01c 0005 0001 0000003c 0002 c01c"
				   /* www.a.test CNAME to 0x31 */
				   " c00c 0005 0001 0000003c 0002 c031"
				   " c010 0006 0001 0000003c 0018 c031 c00c 00000001 00000001 00000001 00000001 0000003c"
				   " c031 000f 0001 0000003c 0004 0005 c01c" WIRE_OPT
				   " c01c 0001 0001 0000003c 0004 c0000208";
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);
	struct msg_answer a, back;

	(void)state;
	assert_int_equal(msg_answer_read(&a, wire_make(&b, wire), ttl_at), RES_OK);
	assert_true(msg_order(&out, &a));
	assert_string_equal(wire_text(&text, buf_span(&out)),
			    "NOERROR | www.a.test 60 CNAME cdn.edge.www.a.test"
			    " | cdn.edge.www.a.test 60 CNAME edge.www.a.test"
			    " | edge.www.a.test 60 A 192.0.2.7 ! a.test 60 SOA"
			    " + cdn.edge.www.a.test 60 MX 000504656467650377777701610474657374"
			    "00 + edge.www.a.test 60 A 192.0.2.8");
	assert_int_equal(msg_answer_read(&back, buf_span(&out), ttl_at), RES_OK);
	assert_true(back.edns.present);
	assert_int_equal(back.soa_negative_ttl, 60);
	assert_false(msg_order(&b, &back)); /* b is free to be overwritten: it is in order now */
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

/* A pointer into the middle of a label of the question may lead to a name that runs on into records, which move. */
static void
names_in_the_middle_of_labels_are_written_out(void **state)
{
	/* 0x0e is the third byte of the question's label: there a name of 11 bytes begins, which ends in the first record */
	static const char wire[] = "0000 8180 0001 0002 0000 0000 04 'a' 0b 'xy' 00 0001 0001"
				   " 03 'www' 00 0001 0001 0000003c 0004 c0000207"
				   " c00c 0005 0001 0000003c 0002 c00e";
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);
	struct msg_answer a, back;

	(void)state;
	assert_int_equal(msg_answer_read(&a, wire_make(&b, wire), ttl_at), RES_OK);
	assert_true(msg_order(&out, &a));
	assert_int_equal(msg_answer_read(&back, buf_span(&out), ttl_at), RES_OK);
	assert_int_equal(back.an, 2);
	assert_string_equal(wire_text(&text, buf_span(&out)),
			    "NOERROR | a\\011xy 60 CNAME xy\\000\\000\\001\\000\\001\\003www | www 60 A 192.0.2.7");
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

/* An answer that would grow too long, or has too many records, keeps its order. */
static void
answers_beyond_the_bounds_keep_their_order(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_answer a;

	(void)state;
	for (unsigned n = 1000; n < 1040; n += 24) { /* 1,000 and 1,024 records after the alias make 1,001 and 1,025 */
		buf_clear(&b);
		wire_make(&b, "0000 8180 0001 0000 0000 0000 (www.a.test) 0001 0001");
		for (unsigned i = 0; i < n; i++)
			wire_make(&b, "c012 0001 0001 0000003c 0004 c0000207");
		wire_make(&b, "c00c 0005 0001 0000003c 0002 c012");
		be16_write(b.p + 6, (uint16_t)(n + 1));
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		assert_int_equal(msg_order(&out, &a), n + 1 <= 1024);
	}
	buf_clear(&b); /* 600 names of some 200 bytes, all but one of them pointers to the first */
	wire_make(&b, "0000 8180 0001 0259 0000 0000 (www.a.test) 0001 0001");
	for (unsigned i = 0; i < 600; i++) {
		if (i == 0)
			wire_make(&b, "3f '000000000011111111112222222222333333333344444444445555555555666'"
				      "3f '000000000011111111112222222222333333333344444444445555555555666'"
				      "3f '000000000011111111112222222222333333333344444444445555555555666' c012");
		else
			wire_make(&b, "c01c");
		wire_make(&b, "0001 0001 0000003c 0004 c0000207");
	}
	wire_make(&b, "c00c 0005 0001 0000003c 0002 c01c");
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	assert_false(msg_order(&out, &a));
	buf_free(&out);
	buf_free(&b);
}

/* U08: a name is compared with more of each DNAME than of other records. More than 16 DNAMEs are left after the chain. */
static void
more_than_16_dnames_are_left_after_the_chain(void **state)
{
	struct buf b = buf_max(MSG_MAX), out = buf_max(MSG_MAX), text = buf_max(MSG_MAX);
	struct msg_answer a;

	(void)state;
	for (unsigned n = 16; n <= 17; n++) {
		const char *first = n == 16 ? "NOERROR | a.test 60 DNAME " : "NOERROR" SHOWN_WWW " | cdn.b.test 60 A ";

		buf_clear(&b);
		wire_make(&b, "0000 8180 0001 0000 0000 0000 (www.a.test) 0001 0001" CDN_A WWW_CDN);
		for (unsigned i = 1; i < n; i++)
			wire_make(&b, "(other.test) 0027" REST " 0008 (b.test)");
		wire_make(&b, DNAME);
		be16_write(b.p + 6, (uint16_t)(2 + n));
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		assert_true(msg_order(&out, &a));
		if (strncmp(wire_text(&text, buf_span(&out)), first, strlen(first)) != 0)
			fail_msg("%u: %s", n, wire_text(&text, buf_span(&out)));
	}
	buf_free(&text);
	buf_free(&out);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(aliases_come_first),
	    cmocka_unit_test(compressed_names_are_written_out),
	    cmocka_unit_test(names_in_the_middle_of_labels_are_written_out),
	    cmocka_unit_test(answers_beyond_the_bounds_keep_their_order),
	    cmocka_unit_test(more_than_16_dnames_are_left_after_the_chain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
