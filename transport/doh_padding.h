/*
 * doh_padding.h - keeps the size of a request on the wire independent of the name in it.
 *
 * The DNS message in a request is padded to a block (padding.h), but HTTP/2 makes the size depend on its letters again.
 * Over GET the message is part of the path, and HPACK's Huffman code uses 5 to 8 bits for a letter (RFC 7541, 5.2).
 * Over POST its length is a field that is long the first time and short afterwards. So HEADERS frames are padded (RFC
 * 9113, 6.2) to a size that depends only on the length of the DNS message.
 */
#ifndef TRANSPORT_DOH_PADDING_H
#define TRANSPORT_DOH_PADDING_H

#include <stddef.h>
#include <sys/types.h>

#include <nghttp2/nghttp2.h>

/* nghttp2_select_padding_callback */
ssize_t doh_on_select_padding(nghttp2_session *, const nghttp2_frame *, size_t max, void *arg);

#endif
