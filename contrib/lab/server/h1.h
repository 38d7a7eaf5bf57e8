/*
 * h1.h - requests of HTTP/1.1 (RFC 9112), for clients of DNS over HTTPS that do not speak HTTP/2.
 *
 * Bytes in, a request out: nothing here knows connections. Bodies have a length; chunks are not understood.
 */
#ifndef CONTRIB_LAB_SERVER_H1_H
#define CONTRIB_LAB_SERVER_H1_H

#include "base/bytes.h"

#include <stdbool.h>

struct h1_request {
	bool post, dns_type;    /* the content type is right */
	struct span path, body; /* into the caller's bytes */
	size_t n;               /* bytes of the whole request */
};

enum h1_read { H1_MORE, H1_DONE, H1_BAD };

/* The first request in bytes. */
enum h1_read h1_request_read(struct h1_request *, struct span bytes);

#endif
