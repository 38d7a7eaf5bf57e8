/*
 * doh_request.h - a DNS message as an HTTP/2 request (RFC 8484, 4.1), over POST or GET.
 */
#ifndef TRANSPORT_DOH_REQUEST_H
#define TRANSPORT_DOH_REQUEST_H

#include "transport/doh_stream.h"

#include <nghttp2/nghttp2.h>

/* What the requests of one connection have in common. */
struct doh_target {
	struct buf authority, path;
	enum tp_method method;
};

enum res doh_target_open(struct doh_target *, const struct tp_target *); /* RES_NOMEM; close it then, too */
void doh_target_close(struct doh_target *);

/* Submits the stream's request, and gives the stream its id. */
enum res doh_request_submit(nghttp2_session *, const struct doh_target *, struct doh_stream *);

#endif
