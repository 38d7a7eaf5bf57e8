#include "contrib/lab/server/h1.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

struct request_row {
	const char *sentence, *bytes;
	enum h1_read want;
	bool post, dns_type;
	const char *path, *body;
	size_t rest; /* bytes after the request */
};

#define HEAD "POST /dns-query HTTP/1.1\r\nHost: 1.1.1.1\r\n"
static const struct request_row requests[] = {
    {"a request of a DoH client",
     HEAD "Content-Type: application/dns-message\r\nContent-Length: 3\r\n\r\nabc", H1_DONE, true, true,
     "/dns-query", "abc", 0},
    {"names in any case, blanks or none",
     HEAD "CONTENT-TYPE:application/dns-message\r\ncontent-length:  1\r\n\r\nxy", H1_DONE, true, true,
     "/dns-query", "x", 1},
    {"another type", HEAD "Content-Type: text/plain\r\nContent-Length: 0\r\n\r\n", H1_DONE, true, false,
     "/dns-query", "", 0},
    {"a GET without headers", "GET /dns-query?dns=AAAA HTTP/1.1\r\n\r\nGET", H1_DONE, false, false,
     "/dns-query?dns=AAAA", "", 3},
    {"an incomplete head", HEAD, H1_MORE, false, false, NULL, NULL, 0},
    {"an incomplete body", HEAD "Content-Length: 4\r\n\r\nabc", H1_MORE, false, false, NULL, NULL,
     0},
    {"another version", "GET / HTTP/2.0\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"no version", "GET /\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"only an empty line", "\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"a header without a colon", HEAD "Content-Length\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"an invalid length", HEAD "Content-Length: 1x\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"a negative length", HEAD "Content-Length: -1\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"an empty length", HEAD "Content-Length:\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"a body larger than a DNS message", HEAD "Content-Length: 65536\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
    {"chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n", H1_BAD, false, false, NULL, NULL, 0},
};

static void
requests_of_http_1_are_read(void **state)
{
	struct h1_request request;
	char *large = calloc(1, 9000);

	(void)state;
	for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
		const struct request_row *row = &requests[i];
		struct span bytes = span_str(row->bytes);
		enum h1_read read = h1_request_read(&request, bytes);

		if (read != row->want)
			fail_msg("%s: %d, not %d", row->sentence, read, row->want);
		if (read != H1_DONE)
			continue;
		if (request.post != row->post || request.dns_type != row->dns_type ||
		    !span_equal(request.path, span_str(row->path)) ||
		    !span_equal(request.body, span_str(row->body)) || bytes.n - request.n != row->rest)
			fail_msg("%s", row->sentence);
	}
	assert_non_null(large);
	memset(large, 'x', 9000);
	assert_int_equal(h1_request_read(&request, span_of(large, 9000)), H1_BAD);
	free(large);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(requests_of_http_1_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
