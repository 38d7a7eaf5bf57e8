#include "resolver/daemon/querylog/query_line.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define TEXT(s)                                                                                                        \
	{                                                                                                              \
		(const uint8_t *)(s), sizeof(s) - 1                                                                    \
	}

static const struct {
	const char *sentence;
	struct query_event event;
	const char *text, *json; /* after the time */
} rows[] = {
    {"an answer of an upstream, with the client's network",
	{.kind = QUERY_EVENT_REPLIED,
	    .source = TAP_UPSTREAM,
	    .took_us = 12345,
	    .client = {.family = ADDR_V4, .ip = {192, 0, 2}},
	    .client_bits = 24,
	    .server = {.family = ADDR_V4, .ip = {9, 9, 9, 9}, .port = 853},
	    .query_bytes = 44,
	    .reply_bytes = 60,
	    .section = TEXT("\3www\7example\0\0\1\0\1"),
	    .upstream = TEXT("quad 9")},
	" client=192.0.2.0/24 name=www.example type=A class=IN protocol=udp source=upstream upstream=\"quad 9\" addr=9.9.9.9 rcode=NOERROR "
	"ms=12.345 query_bytes=44 reply_bytes=60\n",
	",\"client\":\"192.0.2.0/24\",\"name\":\"www.example\",\"type\":\"A\",\"class\":\"IN\",\"protocol\":\"udp\",\"source\":\"upstream\","
	"\"upstream\":\"quad 9\",\"addr\":\"9.9.9.9\",\"rcode\":\"NOERROR\",\"ms\":12.345,\"query_bytes\":44,\"reply_bytes\":60}\n"},
    {"a question that could not be read, from a whole address",
	{.kind = QUERY_EVENT_REPLIED,
	    .protocol = QUERY_TCP,
	    .rcode = RCODE_FORMERR,
	    .took_us = 7,
	    .client = {.family = ADDR_V6, .ip = {0x20, 1, 0xd, 0xb8}, .port = 5353}},
	" client=[2001:db8::]:5353 name=- protocol=tcp source=none rcode=FORMERR ms=0.007 query_bytes=0 reply_bytes=0\n",
	",\"client\":\"[2001:db8::]:5353\",\"name\":\"-\",\"protocol\":\"tcp\",\"source\":\"none\",\"rcode\":\"FORMERR\",\"ms\":0.007,"
	"\"query_bytes\":0,\"reply_bytes\":0}\n"},
    {"a hostile reason of an upstream, a type and a class without a name",
	{.kind = QUERY_EVENT_REPLIED,
	    .source = TAP_CACHE,
	    .rcode = RCODE_SERVFAIL,
	    .has_ede = true,
	    .ede = 6,
	    .section = TEXT("\0\377\377\0\5"),
	    .reason = TEXT("x\"\n2026 name=y\x1b\xff")},
	" name=. type=TYPE65535 class=CLASS5 protocol=udp source=cache rcode=SERVFAIL ede=6 reason=\"x\\x22\\x0a2026 name=y\\x1b\\xff\" "
	"ms=0.000 query_bytes=0 reply_bytes=0\n",
	",\"name\":\".\",\"type\":\"TYPE65535\",\"class\":\"CLASS5\",\"protocol\":\"udp\",\"source\":\"cache\",\"rcode\":\"SERVFAIL\",\"ede\":6,"
	"\"reason\":\"x\\\"\\u000a2026 name=y\\u001b\\u00ff\",\"ms\":0.000,\"query_bytes\":0,\"reply_bytes\":0}\n"},
};

static void
a_line_has_the_known_fields_and_cannot_be_forged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct buf text = buf_max(QUERY_LINE_MAX), json = buf_max(QUERY_LINE_MAX);

		query_line_write(&text, &rows[i].event, false);
		query_line_write(&json, &rows[i].event, true);
		if (strcmp(buf_cstr(&text) + strlen("1970-01-01T00:00:00.000Z"), rows[i].text) != 0)
			fail_msg("%s: %s", rows[i].sentence, buf_cstr(&text));
		if (strcmp(buf_cstr(&json) + strlen("{\"time\":\"1970-01-01T00:00:00.000Z\""), rows[i].json) != 0)
			fail_msg("%s: %s", rows[i].sentence, buf_cstr(&json));
		buf_free(&text);
		buf_free(&json);
	}
}

/* With every field, the longest name and reason and a title of 255 bytes, all of them escaped, the line is one and complete. */
static void
the_longest_line_fits(void **state)
{
	uint8_t section[MSG_NAME_MAX + 4] = {0}, reason[MSG_EDE_TEXT_MAX], title[255];
	struct query_event e = {.kind = QUERY_EVENT_REPLIED,
				.protocol = QUERY_TCP,
				.source = TAP_UPSTREAM,
				.rcode = 4095,
				.at_us = INT64_C(1795262400000000),
				.took_us = INT64_MAX,
				.query_bytes = UINT32_MAX,
				.reply_bytes = UINT32_MAX,
				.has_ede = true,
				.ede = UINT16_MAX,
				.section = {section, sizeof section},
				.upstream = {title, sizeof title}};
	struct buf b = buf_max(QUERY_LINE_MAX);

	(void)state;
	assert_int_equal(addr_read(&e.client, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535", 0), RES_OK);
	e.server = e.client;
	memset(title, 0xff, sizeof title);
	memset(section, 0xff, sizeof section - 5);
	for (size_t i = 0; i + 64 < MSG_NAME_MAX; i += 64)
		section[i] = 63;
	section[192] = 61;
	memset(reason, 0xff, sizeof reason);
	e.reason = span_of(reason, sizeof reason);
	for (int json = 0; json < 2; json++) {
		buf_clear(&b);
		query_line_write(&b, &e, json != 0);
		assert_true(buf_ok(&b));
		assert_int_equal(b.p[b.n - 1], '\n');
		assert_null(memchr(b.p, '\n', b.n - 1));
		assert_non_null(strstr(buf_cstr(&b), json != 0 ? "\"reply_bytes\":4294967295}" : "reply_bytes=4294967295\n"));
		assert_true(b.n > 4 * (MSG_NAME_MAX - 5) + 4 * sizeof reason + 4 * sizeof title);
	}
	buf_free(&b);
}

static void
events_survive_the_way_to_the_writer(void **state)
{
	struct buf b = buf_max(1 << 16);
	struct query_event e;
	struct span batch;

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		assert_true(query_event_write(&b, &rows[i].event));
	batch = buf_span(&b);
	assert_int_equal(query_event_fit(batch, b.n), b.n);
	assert_true(query_event_fit(batch, b.n - 1) < b.n);
	assert_true(query_event_fit(batch, 1) > 0); /* at least one */
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		assert_true(query_event_take(&batch, &e));
		assert_int_equal(e.took_us, rows[i].event.took_us);
		assert_true(span_equal(e.section, rows[i].event.section));
		assert_true(span_equal(e.reason, rows[i].event.reason));
	}
	assert_int_equal(batch.n, 0);
	assert_false(query_event_take(&batch, &e));
	batch = span_of(b.p, b.n - 1);
	assert_true(query_event_take(&batch, &e) && query_event_take(&batch, &e));
	assert_false(query_event_take(&batch, &e)); /* cut */
	b.max = b.n + 10;
	assert_false(query_event_write(&b, &rows[0].event)); /* no room: as it was */
	assert_true(buf_ok(&b));
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_line_has_the_known_fields_and_cannot_be_forged),
	    cmocka_unit_test(the_longest_line_fits),
	    cmocka_unit_test(events_survive_the_way_to_the_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
