/* What is left out of a reply that is too small for its answer: RFC 2181, 9. */
#include "base/dns/message.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include "tests/unit/base/dns/dnswire.h"

static uint16_t ttl_at[MSG_RRS_MAX];

/* An answer in letters, so that a row says what is in it: each letter is one record of some 16 to 40 bytes. */
static void
record_put(struct buf *b, char letter)
{
	static const struct {
		char letter;
		const char *wire;
	} records[] = {
	    {'a', " c00c 0001 0001 0000012c 0004 01020304"},                             /* 16: A */
	    {'c', " c00c 0005 0001 0000012c 0004 0177 c00c"},                            /* 16: CNAME w.a.test */
	    {'t', " c00c 0010 0001 0000012c 0040 3f"                                     /* 76: TXT */
		  "00000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000"},
	    {'g', " c00c 002e 0001 0000012c 0004 01020304"},                             /* 16: RRSIG */
	    {'s', " c00c 0006 0001 0000012c 0018 c00c c00c 00000001 00000001 00000001 "
		  "00000001 0000003c"},                                                  /* 36: SOA */
	    {'n', " c00c 0002 0001 0000012c 0004 016e c00c"},                            /* 16: NS */
	    {'N', " c00c 002f 0001 0000012c 0004 01020304"},                             /* 16: NSEC */
	    {'3', " c00c 0032 0001 0000012c 0004 01020304"},                             /* 16: NSEC3 */
	    {'x', " 0178 c00c 0001 0001 0000012c 0004 01020304"},                        /* 18: A of x.a.test */
	    {'X', " 0158 c00c 0001 0001 0000012c 0004 01020305"},                        /* 18: the same RRset */
	    {'y', " 0179 c00c 0001 0001 0000012c 0004 01020304"},                        /* 18: A of y.a.test */
	    {'o', WIRE_OPT},                                                             /* 11 */
	};

	for (size_t i = 0; i < sizeof records / sizeof *records; i++)
		if (records[i].letter == letter) {
			wire_make(b, records[i].wire);
			return;
		}
	fail_msg("no record is called %c", letter);
}

/* "aa/n/xy": answer, authority, additional. 24 bytes, and the records. */
static void
answer_make(struct buf *b, const char *letters, uint16_t rcode)
{
	uint16_t counts[3] = {0};
	unsigned section = 0;

	wire_make(b, "0000 8180 0001 0000 0000 0000 (a.test) 0001 0001");
	b->p[3] = (uint8_t)(b->p[3] | rcode);
	for (const char *c = letters; *c != '\0'; c++) {
		if (*c == '/') {
			section++;
			continue;
		}
		record_put(b, *c);
		counts[section]++;
	}
	for (unsigned i = 0; i < 3; i++)
		be16_write(b->p + 6 + 2 * i, counts[i]);
}

static const struct {
	const char *what;
	const char *letters;
	uint16_t rcode;
	size_t room;
	bool do_bit;
	const char *left; /* what the reply holds */
	bool tc;
} rows[] = {
    {"the last byte fits", "a//x", 0, 58, false, "a//x", false},
    {"additional records are left out without TC", "a//x", 0, 57, false, "a//", false},
    {"those that fit stay", "a//xyy", 0, 80, false, "a//x", false},
    {"the answer and the authority fit to the byte", "a/n/x", 0, 56, false, "a/n/", false},
    {"an RRset of the additional section goes as a whole", "a//xXy", 0, 75, false, "a//", false},
    {"... and stays as a whole; the case of its letters does not matter", "a//xXy", 0, 93, false, "a//xX", false},
    {"another name is another RRset", "a//xy", 0, 60, false, "a//x", false},
    {"then the authority goes, as a whole", "a/nn/x", 0, 60, false, "a//", false},
    {"the authority section is optional beside an answer, also for clients that validate", "a/ng/", 0, 60, true, "a//", false},
    {"clients that validate need the proof of a wildcard (RFC 4035, 3.1.3.3)", "a/Ng/", 0, 60, true, "a//", true},
    {"... also by NSEC3 (RFC 5155, 7.2.6)", "a/3g/", 0, 60, true, "a//", true},
    {"... other clients do not", "a/Ng/", 0, 60, false, "a//", false},
    {"the SOA of NODATA is needed (RFC 2308, 3)", "/s/x", 0, 60, false, "/s/", false},
    {"... and without it there is TC", "/s/x", 0, 59, false, "//", true},
    {"the SOA of NXDOMAIN", "/s/x", 3, 60, false, "/s/", false},
    {"... and without it there is TC, NXDOMAIN", "/s/", 3, 59, false, "//", true},
    {"an alias that ends in NODATA needs the SOA too", "c/s/", 0, 70, false, "c//", true},
    {"an alias to a name that does not exist needs the SOA too", "ca/s/", 3, 70, false, "ca//", true},
    {"the answer is cut at a record, with TC", "aaa//x", 0, 60, false, "aa//", true},
    {"... and not within a record", "at//", 0, 60, false, "a//", true},
    {"... and nothing after the first that does not fit", "ata//", 0, 60, false, "a//", true},
    {"an alias stays in front", "caa//", 0, 60, false, "ca//", true},
    {"a signature that does not fit is TC (RFC 4035, 3.1.1)", "ag//", 0, 50, true, "a//", true},
    {"no record fits", "a//", 0, 39, false, "//", true},
    {"an OPT in the middle ends what is kept", "a//xoy", 0, 60, false, "a//", false},
    {"an OPT in front of all others", "a//oxy", 0, 60, false, "a//", false},
    {"an OPT at the end", "a//xyo", 0, 60, false, "a//x", false},
};

/* The letters' records, as counts and bytes. */
static void
cuts_follow_the_order(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct buf b = buf_max(MSG_MAX), want = buf_max(MSG_MAX);
		struct msg_answer a;
		struct msg_cut cut;

		answer_make(&b, rows[i].letters, rows[i].rcode);
		answer_make(&want, rows[i].left, rows[i].rcode);
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		cut = msg_cut(&a, rows[i].room, rows[i].do_bit);
		if (cut.n != want.n || cut.an != be16_read(want.p + 6) || cut.ns != be16_read(want.p + 8) ||
		    cut.ar != be16_read(want.p + 10) || cut.truncated != rows[i].tc)
			fail_msg("%s: %zu bytes, %u %u %u%s", rows[i].what, cut.n, cut.an, cut.ns, cut.ar,
				 cut.truncated ? ", TC" : "");
		buf_free(&want);
		buf_free(&b);
	}
}

/* At every size up to that of the whole reply it is well formed, and has no fewer records than at the size before. */
static void
every_size_gives_a_message(void **state)
{
	static const char *const answers[] = {"caag/ng/xXyo", "/sNg/xXyo", "tta/3/oxy", "cca/s/"};
	static const char asked[] = "beef 0100 0001 0000 0000 0001 (A.tEsT) 0001 0001" WIRE_OPT_DO;

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		struct buf b = buf_max(MSG_MAX), client = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
		struct msg_question q;
		struct msg_answer a, back;
		static uint16_t back_at[MSG_RRS_MAX];
		unsigned last = 0, all;

		assert_int_equal(msg_question_read(&q, wire_make(&client, asked)), MSG_OK);
		answer_make(&b, answers[i], 0);
		assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
		all = (unsigned)a.an + a.ns + a.ar;
		for (size_t max = 40; max < b.n + 40; max++) {
			struct msg_finish f = {.question = &q, .max = max};
			unsigned records;

			buf_clear(&out);
			assert_int_equal(msg_reply_from_answer(&out, &f, &a, 1, 0, UINT32_MAX), RES_OK);
			assert_true(out.n <= max);
			assert_int_equal(msg_answer_read(&back, buf_span(&out), back_at), RES_OK);
			assert_true(back.edns.present);
			assert_int_equal(back.n_ttl, back.an + back.ns + back.ar);
			for (size_t k = 0; k < back.n_ttl; k++)
				assert_int_equal(be32_read(out.p + back_at[k]), back_at[k] == back.soa_ttl_at ? 59 : 299);
			records = (unsigned)back.an + back.ns + back.ar;
			assert_true(records >= last);
			assert_int_equal((back.flags & MSG_TC) != 0 && records == all, 0);
			last = records;
		}
		assert_int_equal(last, all);
		buf_free(&out);
		buf_free(&client);
		buf_free(&b);
	}
}

/* Additional records are left out before the EDE, and the EDE before records of the answer. */
static void
ede_is_left_out_after_additional_records_and_before_answers(void **state)
{
	struct buf b = buf_max(MSG_MAX), client = buf_max(MSG_MAX), out = buf_max(MSG_MAX);
	struct msg_ede ede = {3, span_str("stale data")};
	static uint16_t back_at[MSG_RRS_MAX];
	struct msg_question q;
	struct msg_answer a, back;
	struct msg_finish f = {.question = &q, .ede = &ede, .n_ede = 1};

	(void)state;
	assert_int_equal(
	    msg_question_read(&q, wire_make(&client, "beef 0100 0001 0000 0000 0001 (a.test) 0001 0001" WIRE_OPT)),
	    MSG_OK);
	answer_make(&b, "aa/n/xy", 0);
	assert_int_equal(msg_answer_read(&a, buf_span(&b), ttl_at), RES_OK);
	f.max = 24 + 32 + 11 + 16; /* the answer, our OPT and its EDE */
	assert_int_equal(msg_reply_from_answer(&out, &f, &a, 0, 0, UINT32_MAX), RES_OK);
	assert_int_equal(msg_answer_read(&back, buf_span(&out), back_at), RES_OK);
	assert_int_equal(back.n_ede, 1);
	assert_int_equal(back.an, 2);
	assert_int_equal(back.ns + back.ar, 0);
	assert_int_equal(back.flags & MSG_TC, 0);
	buf_clear(&out);
	f.max -= 16; /* without its EDE */
	assert_int_equal(msg_reply_from_answer(&out, &f, &a, 0, 0, UINT32_MAX), RES_OK);
	assert_int_equal(msg_answer_read(&back, buf_span(&out), back_at), RES_OK);
	assert_int_equal(back.n_ede, 0);
	assert_int_equal(back.an, 2);
	assert_int_equal(back.flags & MSG_TC, 0);
	buf_free(&out);
	buf_free(&client);
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(cuts_follow_the_order),
	    cmocka_unit_test(every_size_gives_a_message),
	    cmocka_unit_test(ede_is_left_out_after_additional_records_and_before_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
