#include "verify/ct/ctlogs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/verify/ct/ctlog_keys.h"

/* A header in Mozilla's form, written for this test: expiry, logs, operators, and other text between them. */
#define EXPIRY "static const PRTime kCTExpirationTime = INT64_C(1797797183000000);\n"
#define TYPES                                                                                                     \
	"namespace mozilla::ct {\nenum class CTLogState {\n  Admissible,  // a comment\n  Retired,\n};\n"           \
	"struct CTLogInfo {\n  const char* name;\n  size_t keyLength;\n};\n"
#define LOG(name, state, format, time, operator_at, key, length)                                                  \
	"    {\"" name "\", CTLogState::" state ", CTLogFormat::" format ",\n     " time ",  // a date\n     "           \
	operator_at ",  // operated by\n     " key ",\n     " length "},\n"
#define LOG_A LOG("It's a log", "Admissible", "RFC6962", "1727734767000", "1", A_ESCAPED, "91")
#define LOGS(logs) "const CTLogInfo kCTLogList[] = {\n" logs "};\n"
#define OPERATORS(more) "const CTLogOperatorInfo kCTLogOperatorList[] = {\n    {\"Google\", 0},\n    {\"Let's Encrypt\", 1},\n" more "};\n"
#define HEAD "/* licence */\n#ifndef CTKnownLogs_h\n#define CTKnownLogs_h\n\n#include \"CTLog.h\"\n#include <stddef.h>\n\n"
#define TAIL "}  // namespace\n\n#endif  // CTKnownLogs_h\n"
#define DEBUG_LOG "#ifdef DEBUG\n" LOG("Test", "Admissible", "Tiled", "1727734767000", "2", "\"\\x30\"", "1") "#endif  // DEBUG\n"
#define HEADER(logs, operators) HEAD EXPIRY TYPES LOGS(logs) OPERATORS(operators) TAIL

static void
header_is_read(void **state)
{
	static const char text[] = HEADER(LOG_A DEBUG_LOG, "#ifdef DEBUG\n    {\"Test Org\", 2},\n#endif  // DEBUG\n");
	struct ctlogs *list = NULL;
	const struct ctlog *log;
	char *why = NULL;

	(void)state;
	if (ctlogs_from_any(&list, span_str(text), &why) != RES_OK)
		fail_msg("not read: %s", why);
	assert_int_equal(ctlogs_count(list), 1); /* the log for tests is left out */
	assert_int_equal(ctlogs_date_ms(list), 1791749183000);
	log = ctlogs_at(list, 0);
	assert_string_equal(log->description, "It's a log");
	assert_string_equal(log->operator_name, "Let's Encrypt");
	assert_int_equal(log->state, CTLOG_USABLE);
	assert_int_equal(log->state_ms, 1727734767000);
	assert_false(log->tiled);
	assert_false(log->never_counts);
	assert_int_equal(log->interval_end_ms, 0);
	assert_int_equal(log->key.n, 91);
	ctlogs_free(list);
}

static void
escapes_and_leading_space_are_read(void **state)
{
	static const char text[] = " \t\r\n" HEADER(LOG("A \\\"log\\\" of C:\\\\ it\\'s", "Retired", "Tiled", "5", "0", A_ESCAPED, "91"), "");
	struct ctlogs *list = NULL;
	char *why = NULL;

	(void)state;
	if (ctlogs_from_any(&list, span_str(text), &why) != RES_OK)
		fail_msg("not read: %s", why);
	assert_string_equal(ctlogs_at(list, 0)->description, "A \"log\" of C:\\ it's");
	ctlogs_free(list);
}

static void
retired_and_tiled_logs_are_recognised(void **state)
{
	static const char text[] = HEADER(LOG("A", "Retired", "Tiled", "5", "0", A_ESCAPED, "91"), "");
	struct ctlogs *list = NULL;
	char *why = NULL;

	(void)state;
	assert_int_equal(ctlogs_from_mozilla_header(&list, span_str(text), &why), RES_OK);
	assert_int_equal(ctlogs_at(list, 0)->state, CTLOG_RETIRED);
	assert_int_equal(ctlogs_at(list, 0)->state_ms, 5);
	assert_true(ctlogs_at(list, 0)->tiled);
	ctlogs_free(list);
}

static const struct {
	const char *what;
	const char *text;
	const char *says;
} bad[] = {
    {"nothing", "", "empty"},
    {"a ZIP archive", "PK\x03\x04\x14", "a ZIP archive; unpack"},
    {"a file of gzip", "\x1f\x8b\x08", "compressed with gzip; decompress"},
    {"a cut ZIP archive", "PK\x03", "neither v3 JSON nor"},
    {"another file", "<html>\n<body>Not found</body></html>", "neither v3 JSON nor"},
    {"no expiry", HEAD TYPES LOGS(LOG_A) OPERATORS("") TAIL, "kCTExpirationTime"},
    {"no logs", HEAD EXPIRY TYPES OPERATORS("") TAIL, "kCTLogList"},
    {"no operators", HEAD EXPIRY TYPES LOGS(LOG_A) TAIL, "kCTLogOperatorList"},
    {"an empty list of logs", HEADER("", ""), "no log"},
    {"only logs for tests", HEADER(DEBUG_LOG, ""), "no log"},
    {"two expiries", HEAD EXPIRY EXPIRY TYPES LOGS(LOG_A) OPERATORS("") TAIL, "a second expiry"},
    {"two lists", HEAD EXPIRY TYPES LOGS(LOG_A) LOGS(LOG_A) OPERATORS("") TAIL, "a second array"},
    {"the same log twice", HEADER(LOG_A LOG_A, ""), "same key"},
    {"an expiry in 1970", HEAD "kCTExpirationTime = INT64_C(1000);\n" LOGS(LOG_A) OPERATORS(""), "an expiry in 1970"},
    {"an expiry of another form", HEAD "kCTExpirationTime = 1797797183000000;\n" LOGS(LOG_A) OPERATORS(""), "expected INT64_C"},
    {"an unknown state", HEADER(LOG("A", "Splendid", "Tiled", "5", "0", A_ESCAPED, "91"), ""), "an unknown state"},
    {"an unknown format", HEADER(LOG("A", "Retired", "Paper", "5", "0", A_ESCAPED, "91"), ""), "an unknown format"},
    {"no format (the older form)", HEADER("{\"A\", CTLogState::Retired, 5, 0, " A_ESCAPED ", 91},", ""), "expected CTLogFormat"},
    {"an eighth member", HEADER("{\"A\", CTLogState::Retired, CTLogFormat::Tiled, 5, 0, " A_ESCAPED ", 91, true},", ""), "expected }"},
    {"an operator beyond the list", HEADER(LOG("A", "Retired", "Tiled", "5", "2", A_ESCAPED, "91"), ""), "operator 2 is not in the list"},
    {"operators out of place", HEADER(LOG_A, "{\"Third\", 3},\n"), "not its position"},
    {"a length other than the key's", HEADER(LOG("A", "Retired", "Tiled", "5", "0", A_ESCAPED, "90"), ""), "another length"},
    {"an invalid key", HEADER(LOG("A", "Retired", "Tiled", "5", "0", "\"\\x30\\x00\"", "2"), ""), "SubjectPublicKeyInfo"},
    {"an unknown escape", HEADER(LOG("A", "Retired", "Tiled", "5", "0", "\"\\n\"", "1"), ""), "an unknown escape"},
    {"an escape of three digits", HEADER(LOG("A", "Retired", "Tiled", "5", "0", "\"\\x300\"", "1"), ""), "an unknown escape"},
    {"an unterminated string between the parts", HEAD EXPIRY "kMore = \"more", "an unterminated string"},
    {"nothing but space", " \t\r\n", "empty"},
    {"an unterminated string", HEADER(LOG("A", "Retired", "Tiled", "5", "0", "\"\\x30", "1"), ""), "an unterminated string"},
    {"a name with a control character", HEADER(LOG("A\\x1b", "Retired", "Tiled", "5", "0", A_ESCAPED, "91"), ""), "the name of a log"},
    {"a time in hex", HEADER(LOG("A", "Retired", "Tiled", "0x5", "0", A_ESCAPED, "91"), ""), "a number"},
    {"a time in octal", HEADER(LOG("A", "Retired", "Tiled", "05", "0", A_ESCAPED, "91"), ""), "a number"},
    {"a negative time", HEADER(LOG("A", "Retired", "Tiled", "-5", "0", A_ESCAPED, "91"), ""), "expected a number"},
    {"no time", HEADER(LOG("A", "Retired", "Tiled", "0", "0", A_ESCAPED, "91"), ""), "without a time"},
    {"an unknown condition", HEADER("#ifdef NIGHTLY\n" LOG_A "#endif\n", ""), "an unknown preprocessor line"},
    {"an else", HEADER("#ifdef DEBUG\n#else\n" LOG_A "#endif\n", ""), "without a plain #endif"},
    {"a debug part without end", HEAD EXPIRY "#ifdef DEBUG\n", "without a plain #endif"},
    {"DEBUG_MORE is not DEBUG", HEADER("#ifdef DEBUG_MORE\n" LOG_A "#endif\n", ""), "an unknown preprocessor line"},
    {"an unterminated comment", HEAD EXPIRY TYPES LOGS(LOG_A) OPERATORS("") "/* ", "an unterminated comment"},
    {"cut inside a log", HEAD EXPIRY TYPES "const CTLogInfo kCTLogList[] = {\n{\"A\", CTLogState::", "an unknown state"},
    {"cut after a log", HEAD EXPIRY TYPES "const CTLogInfo kCTLogList[] = {\n" LOG_A, "expected {"},
};

static void
bad_headers_are_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		struct ctlogs *list = NULL;
		char *why = NULL;
		enum res res = ctlogs_from_any(&list, span_str(bad[i].text), &why);

		if (res != RES_MALFORMED || list != NULL || why == NULL || strstr(why, bad[i].says) == NULL)
			fail_msg("%s: %s: %s", bad[i].what, res_text(res), why);
		free(why);
	}
}

static void
no_cut_header_is_read(void **state)
{
	static const char text[] = HEADER(LOG_A, "");
	size_t needed = strlen(text) - strlen(TAIL) - 1;

	(void)state;
	for (size_t n = 0; n < needed; n++) {
		struct ctlogs *list = NULL;
		char *why = NULL;

		if (ctlogs_from_any(&list, span_of(text, n), &why) == RES_OK)
			fail_msg("read with %zu bytes", n);
		free(why);
	}
}

static void
size_is_bounded(void **state)
{
	char *text = malloc(CTLOGS_FILE_MAX + 1), *why = NULL;
	struct ctlogs *list = NULL;

	(void)state;
	assert_non_null(text);
	memset(text, '(', CTLOGS_FILE_MAX + 1);
	assert_int_equal(ctlogs_from_mozilla_header(&list, span_of(text, CTLOGS_FILE_MAX + 1), &why), RES_LIMIT);
	free(why);
	assert_int_equal(ctlogs_from_mozilla_header(&list, span_of(text, CTLOGS_FILE_MAX), &why), RES_MALFORMED);
	free(why);
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(header_is_read),
	    cmocka_unit_test(escapes_and_leading_space_are_read),
	    cmocka_unit_test(retired_and_tiled_logs_are_recognised),
	    cmocka_unit_test(bad_headers_are_refused),
	    cmocka_unit_test(no_cut_header_is_read),
	    cmocka_unit_test(size_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
