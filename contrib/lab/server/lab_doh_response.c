#include "config.h"

#include "contrib/lab/server/lab_doh_response.h"

#include <stdio.h>
#include <string.h>

static void
header(struct lab_response *r, const char *name, const char *value)
{
	if (r->n < HEADERS_OUT_MAX)
		r->nv[r->n++] = (nghttp2_nv){
		    (uint8_t *)(uintptr_t)name, (uint8_t *)(uintptr_t)value, strlen(name), strlen(value),
		    NGHTTP2_NV_FLAG_NO_COPY_NAME}; /* a constant; and copying would make it lower case */
}

static const char *
fault_value(const struct lab_conn *conn, enum fault fault)
{
	return conn->server->faults.value[fault];
}

static const char *
status_text(struct lab_conn *conn, int status, char text[FAULT_VALUE_MAX])
{
	if (lab_conn_fault(conn, FAULT_STATUS))
		return fault_value(conn, FAULT_STATUS);
	if (lab_conn_fault(conn, FAULT_RETRY_AFTER))
		return "429";
	if (lab_conn_fault(conn, FAULT_REDIRECT))
		return "301";
	if (lab_conn_fault(conn, FAULT_REDIRECT_HTTP))
		return "307";
	snprintf(text, FAULT_VALUE_MAX, "%d", status);
	return text;
}

void
lab_response_fill(struct lab_conn *conn, struct lab_response *r, int status, size_t body)
{
	const char *type =
	    lab_conn_fault(conn, FAULT_TYPE) ? fault_value(conn, FAULT_TYPE) : "application/dns-message";

	if (lab_conn_fault(conn, FAULT_LENGTH_SMALL))
		body /= 2;
	if (lab_conn_fault(conn, FAULT_LENGTH_LARGE))
		body *= 2;
	snprintf(r->length, sizeof r->length, "%zu", body);
	header(r, ":status", status_text(conn, status, r->status));
	if (lab_conn_fault(conn, FAULT_STATUS_TWICE))
		header(r, ":status", "204");
	if (type[0] != '\0')
		header(r, "content-type", type);
	if (!lab_conn_fault(conn, FAULT_BODY_ENDLESS))
		header(r, "content-length", r->length);
	header(r, "cache-control", "max-age=300");
	if (lab_conn_fault(conn, FAULT_RETRY_AFTER))
		header(r, "retry-after", fault_value(conn, FAULT_RETRY_AFTER));
	if (lab_conn_fault(conn, FAULT_AGE))
		header(r, "age", fault_value(conn, FAULT_AGE));
	if (lab_conn_fault(conn, FAULT_REDIRECT))
		header(r, "location", "https://192.0.2.80/dns-query");
	if (lab_conn_fault(conn, FAULT_REDIRECT_HTTP))
		header(r, "location", "http://192.0.2.80/dns-query");
	if (lab_conn_fault(conn, FAULT_GZIP))
		header(r, "content-encoding", "gzip");
	if (lab_conn_fault(conn, FAULT_UPPER_CASE))
		header(r, "X-Lab", "1");
	if (lab_conn_fault(conn, FAULT_COOKIES)) {
		header(r, "set-cookie", "lab=1; Secure");
		header(r, "alt-svc", "h3=\":443\"");
		header(r, "strict-transport-security", "max-age=31536000");
	}
}

/* In the usual capitals: some clients accept Content-Length only so. */
static void
plain_name_write(struct buf *out, const char *name)
{
	for (bool first = true; *name != '\0'; first = *name++ == '-')
		buf_u8(out, (uint8_t)(first && *name >= 'a' && *name <= 'z' ? *name - 'a' + 'A' : *name));
}

void
lab_response_write_plain(struct lab_conn *conn, const struct lab_response *r, struct span body)
{
	struct buf head = buf_max(4096);

	buf_format(&head, "HTTP/1.1 %s %s\r\n", r->status, strcmp(r->status, "200") == 0 ? "OK" : "Lab");
	for (size_t i = 0; i < r->n; i++)
		if (r->nv[i].name[0] != ':') {
			plain_name_write(&head, (const char *)r->nv[i].name);
			buf_format(&head, ": %s\r\n", (const char *)r->nv[i].value);
		}
	buf_text(&head, "\r\n");
	lab_conn_write(conn, buf_span(&head));
	lab_conn_write(conn, body);
	buf_free(&head);
}
