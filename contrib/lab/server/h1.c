#include "contrib/lab/server/h1.h"
#include "base/text.h"

#include <string.h>

#define HEAD_MAX  8192
#define BODY_MAX  UINT16_MAX /* a DNS message */
#define DIGIT_MAX 5

/* Cuts the text before the separator off the front of rest. False: there is none. */
static bool
part_take(struct span *part, struct span *rest, const char *separator)
{
	const size_t n = strlen(separator);

	for (size_t i = 0; i + n <= rest->n; i++)
		if (memcmp(rest->p + i, separator, n) == 0) {
			*part = span_of(rest->p, i);
			*rest = span_slice(*rest, i + n, rest->n);
			return true;
		}
	return false;
}

static bool
length_read(size_t *length, struct span text)
{
	size_t n = 0;

	if (text.n == 0 || text.n > DIGIT_MAX)
		return false;
	for (size_t i = 0; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9')
			return false;
		n = n * 10 + (size_t)(text.p[i] - '0');
	}
	*length = n;
	return n <= BODY_MAX;
}

/* Reads one header line. */
static bool
h1_header_read(struct h1_request *request, size_t *length, struct span line)
{
	struct span name;

	if (!part_take(&name, &line, ":"))
		return false;
	while (line.n > 0 && (line.p[0] == ' ' || line.p[0] == '\t'))
		line = span_slice(line, 1, line.n);
	if (ascii_case_equal(name, span_str("content-type")))
		request->dns_type = span_equal(line, span_str("application/dns-message"));
	if (ascii_case_equal(name, span_str("content-length")))
		return length_read(length, line);
	return !ascii_case_equal(name, span_str("transfer-encoding"));
}

/* RFC 9112, 3: method, target, version. */
static bool
request_line_read(struct h1_request *request, struct span line)
{
	struct span method;

	if (!part_take(&method, &line, " ") || !part_take(&request->path, &line, " "))
		return false;
	request->post = span_equal(method, span_str("POST"));
	return span_equal(line, span_str("HTTP/1.1"));
}

enum h1_read
h1_request_read(struct h1_request *request, struct span bytes)
{
	struct span rest = bytes, head, line;
	size_t length = 0;

	*request = (struct h1_request){.post = false};
	if (!part_take(&head, &rest, "\r\n\r\n"))
		return bytes.n < HEAD_MAX ? H1_MORE : H1_BAD;
	head.n += 2; /* so that every line has its end */
	if (!part_take(&line, &head, "\r\n") || !request_line_read(request, line))
		return H1_BAD;
	while (part_take(&line, &head, "\r\n"))
		if (!h1_header_read(request, &length, line))
			return H1_BAD;
	if (rest.n < length)
		return H1_MORE;
	request->body = span_slice(rest, 0, length);
	request->n = (size_t)(rest.p - bytes.p) + length;
	return H1_DONE;
}
