#include "resolver/answer_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

static uint16_t ttl_at[MSG_RRS_MAX];

#define ASK       "(a.test) 0001 0001"
#define ADDRESS   " c00c 0001 0001 0000012c 0004 01020304"
#define ALIAS     " c00c 0005 0001 0000012c 0002 c00e"
#define SOA       " c00e 0006 0001 0000012c 0018 c00e c00e 00000001 00000001 00000001 00000001 0000003c"
#define REFERRAL  " 00 0002 0001 0000012c 0002 c00e"
#define RA_ONE    "0000 8180 0001 0001 0000 0000 " ASK
#define RA        "0000 8180 0001 0000 0000 0000 " ASK
#define NO_RA     "0000 8100 0001 0000 0000 0000 " ASK

static const struct {
	const char *what;
	const char *wire;
	enum answer_class class;
} rows[] = {
    {"an address", RA_ONE ADDRESS, ANSWER_DECISION},
    {"NODATA", "0000 8180 0001 0000 0001 0000 " ASK SOA, ANSWER_DECISION},
    {"NODATA without SOA (RFC 2308, 2.2, type 3)", RA, ANSWER_DECISION},
    {"NXDOMAIN", "0000 8183 0001 0000 0001 0000 " ASK SOA, ANSWER_DECISION},
    {"NXDOMAIN without RA: a blocked name", "0000 8103 0001 0000 0000 0000 " ASK, ANSWER_DECISION},
    {"YXDOMAIN; RFC 6672, 2.2", "0000 8186 0001 0000 0000 0000 " ASK, ANSWER_DECISION},
    {"RA clear, nothing", NO_RA, ANSWER_LAME},
    {"RA clear, an upward referral", "0000 8100 0001 0000 0001 0000 " ASK REFERRAL, ANSWER_LAME},
    {"RA clear, AA, an upward referral", "0000 8500 0001 0000 0001 0000 " ASK REFERRAL, ANSWER_LAME},
    {"RA clear, AA and nothing else", "0000 8500 0001 0000 0000 0000 " ASK, ANSWER_LAME},
    {"RA clear, glue alone", "0000 8100 0001 0000 0000 0001 " ASK ADDRESS, ANSWER_LAME},
    {"RA clear, an SOA without AA", "0000 8100 0001 0000 0001 0000 " ASK SOA, ANSWER_LAME},
    {"RA clear, the zone's own NODATA", "0000 8500 0001 0000 0001 0000 " ASK SOA, ANSWER_DECISION},
    {"RA clear, an address", "0000 8100 0001 0001 0000 0000 " ASK ADDRESS, ANSWER_DECISION},
    {"RA clear, an alias", "0000 8500 0001 0001 0000 0000 " ASK ALIAS, ANSWER_DECISION},
    {"SERVFAIL", "0000 8182 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
    {"REFUSED", "0000 8185 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
    {"REFUSED without RA", "0000 8105 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
    {"FORMERR", "0000 8181 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
    {"NOTIMP", "0000 8184 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
    {"NOTAUTH", "0000 8189 0001 0000 0000 0000 " ASK, ANSWER_FAILURE},
};

static void
answers_are_decisions_failures_or_lame(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = buf_max(MSG_MAX);
		struct msg_answer a;

		assert_int_equal(msg_answer_read(&a, wire_make(&b, rows[i].wire), ttl_at), RES_OK);
		if (answer_classify(&a) != rows[i].class)
			fail_msg("%s: %d", rows[i].what, answer_classify(&a));
		buf_free(&b);
	}
}

/* Every INFO-CODE beside SERVFAIL and REFUSED. */
static void
an_info_code_makes_a_decision(void **state)
{
	static const uint16_t deciding[] = {4, 5, 6, 7, 8, 9, 10, 11, 12, 15, 16, 17, 18, 25, 27, 28, 30};

	(void)state;
	for (uint16_t code = 0; code < 300; code++) {
		enum answer_class want = ANSWER_FAILURE;

		for (size_t i = 0; i < sizeof deciding / sizeof *deciding; i++)
			if (deciding[i] == code)
				want = ANSWER_DECISION;
		for (unsigned refused = 0; refused < 2; refused++) {
			struct buf b = buf_max(MSG_MAX);
			struct msg_answer a;

			wire_make(&b, refused ? "0000 8185 0001 0000 0000 0001 " : "0000 8182 0001 0000 0000 0001 ");
			wire_make(&b, ASK " 00 0029 04d0 00000000 0006 000f 0002");
			buf_u16(&b, code);
			assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
			if (answer_classify(&a) != want)
				fail_msg("INFO-CODE %u", code);
			assert_int_equal(answer_ede(&a)->code, code);
			buf_free(&b);
		}
	}
}

static const struct {
	const char *what;
	const char *options; /* with their length */
	enum answer_class class;
	int ede; /* the one that is kept; -1: none */
} several[] = {
    {"none", "0000", ANSWER_FAILURE, -1},
    {"a deciding code after one that does not decide", "000c 000f 0002 000d 000f 0002 0006", ANSWER_DECISION, 6},
    {"two codes that do not decide: the first is kept", "000c 000f 0002 0016 000f 0002 0017", ANSWER_FAILURE, 22},
    {"a deciding sixth code is found, and the first is kept",
     "0024 000f 0002 0000 000f 0002 000d 000f 0002 0016 000f 0002 0017 000f 0002 000e 000f 0002 000f",
     ANSWER_DECISION, 0},
    {"an option of one byte is ignored (RFC 8914, 2)", "0005 000f 0001 06", ANSWER_FAILURE, -1},
    {"another option with the same bytes", "0006 0003 0002 0006", ANSWER_FAILURE, -1},
    {"a text does not matter", "000a 000f 0006 000f 'text'", ANSWER_DECISION, 15},
    {"32 is not 0, and 38 is not 6", "000c 000f 0002 0020 000f 0002 0026", ANSWER_FAILURE, 32},
};

static void
several_info_codes_are_weighed(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof several / sizeof *several; i++) {
		struct buf b = buf_max(MSG_MAX);
		const struct msg_ede *kept;
		struct msg_answer a;

		wire_make(&b, "0000 8182 0001 0000 0000 0001 " ASK " 00 0029 04d0 00000000");
		wire_make(&b, several[i].options);
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		kept = answer_ede(&a);
		if (answer_classify(&a) != several[i].class || (kept == NULL ? -1 : kept->code) != several[i].ede)
			fail_msg("%s", several[i].what);
		buf_free(&b);
	}
}

/* BADVERS to BADCOOKIE concern the hop, and so does an INFO-CODE that comes with them. */
static void
codes_of_the_hop_decide_nothing(void **state)
{
	(void)state;
	for (uint16_t rcode = 11; rcode < 40; rcode++) {
		struct buf b = buf_max(MSG_MAX);
		struct msg_answer a;
		bool hop = rcode >= 16 && rcode <= 23;

		buf_u16(&b, 0);
		buf_u16(&b, (uint16_t)(0x8180 | (rcode & 15)));
		wire_make(&b, "0001 0000 0000 0001 " ASK " 00 0029 04d0");
		buf_u8(&b, (uint8_t)(rcode >> 4));
		wire_make(&b, "000000 0006 000f 0002 000f");
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		if (answer_classify(&a) != (hop ? ANSWER_FAILURE : ANSWER_DECISION))
			fail_msg("RCODE %u", rcode);
		buf_free(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(answers_are_decisions_failures_or_lame),
	    cmocka_unit_test(an_info_code_makes_a_decision),
	    cmocka_unit_test(several_info_codes_are_weighed),
	    cmocka_unit_test(codes_of_the_hop_decide_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
