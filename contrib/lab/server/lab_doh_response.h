/*
 * lab_doh_response.h - the status and headers of a DoH response (RFC 8484, 5), right or as the faults want.
 */
#ifndef CONTRIB_LAB_SERVER_LAB_DOH_RESPONSE_H
#define CONTRIB_LAB_SERVER_LAB_DOH_RESPONSE_H

#include "contrib/lab/server/lab_conn.h"

#include <nghttp2/nghttp2.h>

#define HEADERS_OUT_MAX 12 /* what all faults together add */

/* It points into itself and into the connection's faults: do not copy it, and do not keep it. */
struct lab_response {
	nghttp2_nv nv[HEADERS_OUT_MAX];
	size_t n;
	char status[FAULT_VALUE_MAX], length[24];
};

/* Every header; body: the length of the content. */
void lab_response_fill(struct lab_conn *, struct lab_response *, int status, size_t body);
/* Sends it as HTTP/1.1 (RFC 9112, 4), with the content. */
void lab_response_write_plain(struct lab_conn *, const struct lab_response *, struct span body);

#endif
