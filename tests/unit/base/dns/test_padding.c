#include "base/dns/padding.h"
#include "transport/transport.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define QUESTION "\1a\4test\0\0\1\0\1"   /* 12 bytes */
#define OPT      "\0\0\51\4\320\0\0\0\0" /* without RDLENGTH */

#define TEXT(s)  s, sizeof s - 1

static const struct {
	const char *says;
	const char *wire;
	size_t n;
	unsigned rdlen_at; /* 0: nothing is added */
	size_t padded, with_keepalive;
} rows[] = {
    {"an OPT record at the end is padded to the block", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\0"),
     33, 128, 128},
    {"existing options stay", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\10\0\10\0\4\0\1\0\0"),
     33, 128, 128},
    {"without OPT nothing is added", TEXT("\0\0\1\0\0\1\0\0\0\0\0\0" QUESTION), 0, 24, 24},
    {"an existing padding option is not doubled",
     TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\6\0\14\0\2\0\0"), 33, 41, 45},
    {"a keepalive option is not sent twice", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\4\0\13\0\0"),
     33, 128, 128},
    {"an OPT record before another is left alone",
     TEXT("\0\0\1\0\0\1\0\0\0\0\0\2" QUESTION OPT "\0\0"
	  "\0\0\20\0\1\0\0\0\0\0\0"),
     0, 46, 46},
    {"an OPT record in the answer section does not count", TEXT("\0\0\1\0\0\1\0\1\0\0\0\0" QUESTION OPT "\0\0"), 0,
     35, 35},
    {"an OPT record with an owner does not count", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION "\1a" OPT "\0\0"), 0,
     37, 37},
    {"an option longer than its record: left alone",
     TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\4\0\10\0\5"), 0, 39, 39},
    {"bytes after the last record: left alone", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1" QUESTION OPT "\0\0x"), 0, 36,
     36},
    {"a count too high: left alone", TEXT("\0\0\1\0\0\1\0\0\0\0\0\2" QUESTION OPT "\0\0"), 0, 35, 35},
    {"a truncated name: left alone", TEXT("\0\0\1\0\0\1\0\0\0\0\0\1\77abc"), 0, 16, 16},
    {"an obsolete label type: left alone",
     TEXT("\0\0\1\0\0\1\0\0\0\0\0\1\101"
	  "abcdefghijk"),
     0, 24, 24},
};

static void
padding_fits_the_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		uint8_t message[512];
		struct padding p = padding_find(span_of(rows[i].wire, rows[i].n));

		print_message("%s\n", rows[i].says);
		assert_int_equal(p.rdlen_at, rows[i].rdlen_at);
		memcpy(message, rows[i].wire, rows[i].n);
		assert_int_equal(padding_apply(&p, message, rows[i].n, sizeof message, true),
				 rows[i].with_keepalive);
		/* again, on the same bytes, as for another connection */
		assert_int_equal(padding_apply(&p, message, rows[i].n, sizeof message, false),
				 rows[i].padded);
		if (p.rdlen_at == 0)
			assert_memory_equal(message, rows[i].wire, rows[i].n);
		else
			assert_int_equal(be16_read(message + p.rdlen_at), rows[i].padded - p.rdlen_at - 2);
	}
}

static void
padding_is_zero_and_its_option_well_formed(void **state)
{
	uint8_t message[512];
	struct padding p = padding_find(span_of(rows[0].wire, rows[0].n));

	(void)state;
	memset(message, 0xff, sizeof message);
	memcpy(message, rows[0].wire, rows[0].n);
	assert_int_equal(padding_apply(&p, message, rows[0].n, sizeof message, true), 128);
	assert_memory_equal(message + 35, "\0\13\0\0\0\14\0\125", 8);
	for (size_t i = 43; i < 128; i++)
		assert_int_equal(message[i], 0);
	assert_int_equal(padding_find(span_of(message, 128)).padded, true);
	assert_int_equal(message[128], 0xff);
}

static void
padding_stays_within_its_buffer(void **state)
{
	uint8_t message[512];
	struct padding p = padding_find(span_of(rows[0].wire, rows[0].n));

	(void)state;
	for (size_t room = rows[0].n; room < 140; room++) {
		size_t n;

		memset(message, 0xff, sizeof message);
		memcpy(message, rows[0].wire, rows[0].n);
		n = padding_apply(&p, message, rows[0].n, room, true);
		assert_true(n <= room);
		assert_int_equal(message[room], 0xff);
		assert_int_equal(padding_find(span_of(message, n)).rdlen_at, 33);
	}
}

static void
keepalive_is_read_from_answers(void **state)
{
	static const struct {
		const char *says;
		const char *wire;
		size_t n;
		int64_t ms;
	} answers[] = {
	    {"10 s", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\6\0\13\0\2\0\144"), 10000},
	    {"U24: 0", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\6\0\13\0\2\0\0"), 0},
	    {"U24: the longest", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\6\0\13\0\2\377\377"),
	     6553500},
	    {"after another option",
	     TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\12\0\14\0\0\0\13\0\2\0\1"), 100},
	    {"U24: empty", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\4\0\13\0\0"), -1},
	    {"U24: three bytes", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\7\0\13\0\3\0\0\0"), -1},
	    {"no OPT", TEXT("\0\0\201\200\0\1\0\0\0\0\0\0" QUESTION), -1},
	    {"cut short", TEXT("\0\0\201\200\0\1\0\0\0\0\0\1" QUESTION OPT "\0\6\0\13\0\2\0"), -1},
	    {"a header alone", TEXT("\0\0\201\200\0\0\0\0\0\0\0\0"), -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof answers / sizeof *answers; i++) {
		print_message("%s\n", answers[i].says);
		assert_int_equal(padding_keepalive_ms(span_of(answers[i].wire, answers[i].n)), answers[i].ms);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(padding_fits_the_message),
	    cmocka_unit_test(padding_is_zero_and_its_option_well_formed),
	    cmocka_unit_test(padding_stays_within_its_buffer),
	    cmocka_unit_test(keepalive_is_read_from_answers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
