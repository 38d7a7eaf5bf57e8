/* The question that is sent in clear text, and which records of an answer are used. */
#include "contrib/portal/question.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

#define NAME  "(probe.test)"
#define Q     NAME "0001 0001 "
#define OK    "1234 8180 0001 "
#define A(ip) "c00c 0001 0001 0000012c 0004 " ip " "

static const struct {
	const char *what, *wire;
	enum question_verdict verdict;
	enum portal_outcome outcome;
	size_t n;
	const char *first; /* address, in hex */
	uint32_t ttl;
} answers[] = {
    {"an address", OK "0001 0000 0000" Q A("c0000201"), QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000201", 5},
    {"a private address: login pages have them", OK "0001 0000 0000" Q A("0a000001"), QUESTION_ANSWERED,
     PORTAL_ADDRESSES, 1, "0a000001", 5},
    {"a shorter time to live stays", OK "0001 0000 0000" Q "c00c 0001 0001 00000002 0004 c0000201",
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000201", 2},
    {"a time to live with the top bit is 0", OK "0001 0000 0000" Q "c00c 0001 0001 80000002 0004 c0000201",
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000201", 0},
    {"two addresses", OK "0002 0000 0000" Q A("c0000201") A("c0000202"), QUESTION_ANSWERED, PORTAL_ADDRESSES, 2,
     "c0000201", 5},
    {"nine addresses: eight count",
     OK "0009 0000 0000" Q A("c0000201") A("c0000202") A("c0000203") A("c0000204") A("c0000205") A("c0000206")
	 A("c0000207") A("c0000208") A("c0000209"),
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 8, "c0000201", 5},
    {"the name in capitals", "1234 8180 0001 0001 0000 0000 (PROBE.test) 0001 0001 " A("c0000201"), QUESTION_ANSWERED,
     PORTAL_ADDRESSES, 1, "c0000201", 5},
    {"truncated: the records that are there count", "1234 8380 0001 0001 0000 0000" Q A("c0000201"), QUESTION_ANSWERED,
     PORTAL_ADDRESSES, 1, "c0000201", 5},
    {"an alias and the address of its target",
     OK "0002 0000 0000" Q "c00c 0005 0001 00000003 0008 (b.test) (b.test) 0001 0001 00000004 0004 c0000207",
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000207", 3},
    {"the same in the other order",
     OK "0002 0000 0000" Q "(b.test) 0001 0001 00000004 0004 c0000207 c00c 0005 0001 00000003 0008 (b.test)",
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000207", 3},
    {"the alias of a name in capitals",
     OK "0002 0000 0000" Q "c00c 0005 0001 00000003 0008 (B.test) (b.TEST) 0001 0001 00000004 0004 c0000207",
     QUESTION_ANSWERED, PORTAL_ADDRESSES, 1, "c0000207", 3},
    {"an alias of itself", OK "0001 0000 0000" Q "c00c 0005 0001 00000003 0002 c00c", QUESTION_ANSWERED,
     PORTAL_NOTHING, 0, NULL, 3},
    {"two aliases in a circle",
     OK "0002 0000 0000" Q "c00c 0005 0001 00000005 0008 (b.test) (b.test) 0005 0001 00000005 0002 c00c",
     QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"an address of another name", OK "0001 0000 0000" Q "(evil.test) 0001 0001 0000012c 0004 c0000201",
     QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"an address of a name below", OK "0001 0000 0000" Q "0161 c00c 0001 0001 0000012c 0004 c0000201",
     QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"an address in the additional section", OK "0000 0000 0001" Q A("c0000201"), QUESTION_ANSWERED, PORTAL_NOTHING,
     0, NULL, 5},
    {"an address of class CH", OK "0001 0000 0000" Q "c00c 0001 0003 0000012c 0004 c0000201", QUESTION_ANSWERED,
     PORTAL_NOTHING, 0, NULL, 5},
    {"an IPv6 address for an IPv4 question",
     OK "0001 0000 0000" Q "c00c 001c 0001 0000012c 0010 20010db8000000000000000000000001", QUESTION_ANSWERED,
     PORTAL_NOTHING, 0, NULL, 5},
    {"loopback", OK "0001 0000 0000" Q A("7f000001"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"another address of loopback", OK "0001 0000 0000" Q A("7f010203"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"0.0.0.0", OK "0001 0000 0000" Q A("00000000"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"a group", OK "0001 0000 0000" Q A("e0000001"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"broadcast", OK "0001 0000 0000" Q A("ffffffff"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"the metadata service of a cloud", OK "0001 0000 0000" Q A("a9fea9fe"), QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL,
     5},
    {"loopback and a good one", OK "0002 0000 0000" Q A("7f000001") A("c0000201"), QUESTION_ANSWERED, PORTAL_ADDRESSES, 1,
     "c0000201", 5},
    {"no record", OK "0000 0000 0000" Q, QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"NXDOMAIN", "1234 8183 0001 0000 0000 0000" Q, QUESTION_ANSWERED, PORTAL_NOTHING, 0, NULL, 5},
    {"NXDOMAIN with an address all the same", "1234 8183 0001 0001 0000 0000" Q A("c0000201"), QUESTION_ANSWERED,
     PORTAL_NOTHING, 0, NULL, 5},
    {"SERVFAIL", "1234 8182 0001 0000 0000 0000" Q, QUESTION_REFUSED, PORTAL_FAILED, 0, NULL, 0},
    {"REFUSED with an address", "1234 8185 0001 0001 0000 0000" Q A("c0000201"), QUESTION_REFUSED, PORTAL_FAILED, 0,
     NULL, 0},
    {"another id", "1235 8180 0001 0001 0000 0000" Q A("c0000201"), QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"another name", OK "0001 0000 0000 (other.test) 0001 0001 " A("c0000201"), QUESTION_IGNORED, PORTAL_FAILED, 0, NULL,
     0},
    {"another type", OK "0001 0000 0000" NAME "001c 0001 " A("c0000201"), QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"another class", OK "0001 0000 0000" NAME "0001 0003 " A("c0000201"), QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"a name above", OK "0001 0000 0000 (test) 0001 0001 " A("c0000201"), QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"the question itself, sent back", "1234 0100 0001 0000 0000 0000" Q, QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"no question", "1234 8180 0000 0001 0000 0000 (probe.test) 0001 0001 0000012c 0004 c0000201", QUESTION_IGNORED,
     PORTAL_FAILED, 0, NULL, 0},
    {"nothing", "", QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"a header alone", "1234 8180 0001 0000 0000 0000", QUESTION_IGNORED, PORTAL_FAILED, 0, NULL, 0},
    {"one record more than the header counts", OK "0001 0000 0000" Q A("c0000201") A("c0000202"), QUESTION_IGNORED, PORTAL_FAILED,
     0, NULL, 0},
    {"an address of three bytes", OK "0001 0000 0000" Q "c00c 0001 0001 0000012c 0003 c00002", QUESTION_IGNORED,
     PORTAL_FAILED, 0, NULL, 0},
    {"an owner that points to itself", OK "0001 0000 0000" Q "c01c 0001 0001 0000012c 0004 c0000201", QUESTION_IGNORED,
     PORTAL_FAILED, 0, NULL, 0},
    {"an alias that points to itself", OK "0001 0000 0000" Q "c00c 0005 0001 0000012c 0002 c028", QUESTION_IGNORED,
     PORTAL_FAILED, 0, NULL, 0},
};

static struct span
question_of(struct buf *b, uint16_t type)
{
	struct buf name = buf_max(MSG_NAME_MAX);

	question_compose(b, 0x1234, type, wire_make(&name, NAME));
	buf_free(&name);
	return buf_span(b);
}

static void
only_addresses_of_the_name_count(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct buf wire = buf_max(4096), question = buf_max(QUESTION_MAX), want = buf_max(16);
		struct portal_message m;
		enum question_verdict verdict =
		    question_judge(&m, wire_make(&wire, answers[i].wire), question_of(&question, TYPE_A));

		if (verdict != answers[i].verdict || m.outcome != answers[i].outcome || m.n != answers[i].n ||
		    m.ttl != answers[i].ttl || m.kind != PORTAL_ANSWER || m.type != TYPE_A)
			fail_msg("%s: verdict %d, outcome %d, %zu addresses, ttl %u", answers[i].what, verdict,
			    m.outcome, m.n, m.ttl);
		if (answers[i].first != NULL)
			assert_memory_equal(m.ip[0], wire_make(&want, answers[i].first).p, 4);
		buf_free(&wire);
		buf_free(&question);
		buf_free(&want);
	}
}

static const struct {
	const char *what, *ip;
	size_t n;
} six[] = {
    {"an address", "20010db8000000000000000000000001", 1},
    {"loopback", "00000000000000000000000000000001", 0},
    {"unspecified", "00000000000000000000000000000000", 0},
    {"an IPv4-mapped address", "00000000000000000000ffff7f000001", 0},
    {"of a link", "fe800000000000000000000000000001", 0},
    {"a group", "ff020000000000000000000000000001", 0},
    {"a unique local address", "fd000000000000000000000000000001", 1},
};

static void
ipv6_addresses_that_serve_nobody_are_dropped(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof six / sizeof *six; i++) {
		struct buf text = buf_max(1024), wire = buf_max(4096), question = buf_max(QUESTION_MAX);
		struct portal_message m;

		buf_format(&text, OK "0001 0000 0000" NAME "001c 0001 c00c 001c 0001 0000012c 0010 %s", six[i].ip);
		assert_int_equal(question_judge(&m, wire_make(&wire, buf_cstr(&text)), question_of(&question, TYPE_AAAA)),
		    QUESTION_ANSWERED);
		if (m.n != six[i].n)
			fail_msg("%s: %zu", six[i].what, m.n);
		buf_free(&text);
		buf_free(&wire);
		buf_free(&question);
	}
}

/* A chain of n aliases, and an address at its end. */
static size_t
addresses_behind(unsigned aliases)
{
	struct buf text = buf_max(8192), wire = buf_max(4096), question = buf_max(QUESTION_MAX);
	struct portal_message m;

	buf_format(&text, "1234 8180 0001 %04x 0000 0000" Q, aliases + 1);
	for (unsigned i = 0; i < aliases; i++) {
		if (i == 0)
			buf_text(&text, "c00c");
		else
			buf_format(&text, "(n%x.test)", i);
		buf_format(&text, " 0005 0001 0000012c 0009 (n%x.test) ", i + 1);
	}
	if (aliases == 0)
		buf_text(&text, "c00c");
	else
		buf_format(&text, "(n%x.test)", aliases);
	buf_text(&text, " 0001 0001 0000012c 0004 c0000201");
	assert_int_equal(question_judge(&m, wire_make(&wire, buf_cstr(&text)), question_of(&question, TYPE_A)), QUESTION_ANSWERED);
	buf_free(&text);
	buf_free(&wire);
	buf_free(&question);
	return m.n;
}

static void
chains_of_aliases_have_a_maximum(void **state)
{
	(void)state;
	assert_int_equal(addresses_behind(0), 1);
	assert_int_equal(addresses_behind(1), 1);
	assert_int_equal(addresses_behind(ALIASES_MAX), 1);
	assert_int_equal(addresses_behind(ALIASES_MAX + 1), 0);
}

static void
a_long_answer_is_ignored(void **state)
{
	struct buf wire = buf_max(65536), question = buf_max(QUESTION_MAX);
	struct portal_message m;

	(void)state;
	(void)wire_make(&wire, OK "0060 0000 0000" Q);
	for (unsigned i = 0; i < 0x60; i++)
		(void)wire_make(&wire, A("c0000201"));
	assert_true(wire.n > ANSWER_UDP_MAX);
	assert_int_equal(question_judge(&m, buf_span(&wire), question_of(&question, TYPE_A)), QUESTION_IGNORED);
	buf_free(&wire);
	buf_free(&question);
}

static void
the_question_has_no_other_data(void **state)
{
	struct buf question = buf_max(QUESTION_MAX), want = buf_max(QUESTION_MAX);

	(void)state;
	(void)wire_make(&want, "1234 0100 0001 0000 0000 0000" Q);
	assert_true(span_equal(question_of(&question, TYPE_A), buf_span(&want)));
	buf_free(&question);
	buf_free(&want);
}

/* ---- the protocol between the daemon and the helper */

static const struct {
	const char *what, *wire;
	enum res res;
} messages[] = {
    {"a window of an hour", "'O' 00000e10", RES_OK},
    {"a longer window", "'O' 00000e11", RES_MALFORMED},
    {"a window of nothing", "'O' 00000000", RES_MALFORMED},
    {"a window with an extra byte", "'O' 00000001 00", RES_MALFORMED},
    {"a question", "'Q' 00000007 0001 03 016100", RES_OK},
    {"a question for an IPv6 address", "'Q' 00000007 001c 03 016100", RES_OK},
    {"a question for text", "'Q' 00000007 0010 03 016100", RES_MALFORMED},
    {"a question for anything", "'Q' 00000007 00ff 03 016100", RES_MALFORMED},
    {"a name in capitals", "'Q' 00000007 0001 03 014100", RES_MALFORMED},
    {"a name without its root", "'Q' 00000007 0001 02 0161", RES_MALFORMED},
    {"a name with a byte after its root", "'Q' 00000007 0001 04 016100 61", RES_MALFORMED},
    {"a name with a pointer", "'Q' 00000007 0001 02 c00c", RES_MALFORMED},
    {"a label that ends outside", "'Q' 00000007 0001 03 056100", RES_MALFORMED},
    {"no name", "'Q' 00000007 0001 00", RES_MALFORMED},
    {"an answer", "'A' 00000007 0001 00 00000005 01 c0000201", RES_OK},
    {"an answer of nothing", "'A' 00000007 0001 01 00000005 00", RES_OK},
    {"an answer of addresses without one", "'A' 00000007 0001 00 00000005 00", RES_MALFORMED},
    {"a failure with an address", "'A' 00000007 0001 02 00000005 01 c0000201", RES_MALFORMED},
    {"an invalid outcome", "'A' 00000007 0001 03 00000005 00", RES_MALFORMED},
    {"an answer that lives long", "'A' 00000007 0001 00 00000006 01 c0000201", RES_MALFORMED},
    {"an IPv6 answer with an IPv4 address", "'A' 00000007 001c 00 00000005 01 c0000201", RES_MALFORMED},
    {"an answer of loopback", "'A' 00000007 0001 00 00000005 01 7f000001", RES_MALFORMED},
    {"an answer of a good address and loopback", "'A' 00000007 0001 00 00000005 02 c0000201 7f000035", RES_MALFORMED},
    {"an answer of the unspecified address", "'A' 00000007 0001 00 00000005 01 00000000", RES_MALFORMED},
    {"an answer of a link-local address", "'A' 00000007 0001 00 00000005 01 a9fe0101", RES_MALFORMED},
    {"an answer of loopback over IPv6", "'A' 00000007 001c 00 00000005 01 00000000000000000000000000000001", RES_MALFORMED},
    {"an answer of mapped loopback", "'A' 00000007 001c 00 00000005 01 00000000000000000000ffff7f000001", RES_MALFORMED},
    {"nine addresses", "'A' 00000007 0001 00 00000005 09 01010101 01010101 01010101 01010101 01010101 01010101 01010101 "
                       "01010101 01010101", RES_MALFORMED},
    {"another kind", "'X' 00000007", RES_MALFORMED},
    {"nothing", "", RES_MALFORMED},
};

static void
messages_are_read_strictly(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof messages / sizeof *messages; i++) {
		struct buf wire = buf_max(1024), again = buf_max(1024);
		struct portal_message m;
		enum res res = portal_message_read(&m, wire_make(&wire, messages[i].wire));

		if (res != messages[i].res)
			fail_msg("%s: %s", messages[i].what, res_text(res));
		if (res == RES_OK) {
			portal_message_write(&again, &m);
			assert_true(span_equal(buf_span(&again), buf_span(&wire)));
		}
		buf_free(&wire);
		buf_free(&again);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(only_addresses_of_the_name_count),
	    cmocka_unit_test(ipv6_addresses_that_serve_nobody_are_dropped),
	    cmocka_unit_test(chains_of_aliases_have_a_maximum),
	    cmocka_unit_test(a_long_answer_is_ignored),
	    cmocka_unit_test(the_question_has_no_other_data),
	    cmocka_unit_test(messages_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
