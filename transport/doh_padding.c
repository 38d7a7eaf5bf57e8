#include "transport/doh_padding.h"

#define POST_BLOCK  16  /* POSTs differ in their content-length, 1 to 5 bytes */
#define GET_BLOCK   64  /* questions of 128 bytes give 256, of 256 bytes 448 */
#define FIELD_BYTES 3   /* index and length of a field, each at most so long here (RFC 7541, 6.2) */
#define PAD_MAX     256 /* including the byte with the length (RFC 9113, 6.1) */

static size_t
doh_round_up(size_t n, size_t block)
{
	return (n + block - 1) / block * block;
}

/*
 * An upper bound of the fields' size that does not look at letters: every value is at most as long as it is without the
 * Huffman code, which nghttp2 uses only where it is shorter.
 */
static size_t
doh_fields_bytes_max(const nghttp2_headers *headers)
{
	size_t bytes = 0;

	for (size_t i = 0; i < headers->nvlen; i++)
		bytes += FIELD_BYTES + headers->nva[i].valuelen;
	return bytes;
}

/* A GET's path is the only field that must not be indexed. */
static int
doh_carries_question(const nghttp2_headers *headers)
{
	for (size_t i = 0; i < headers->nvlen; i++)
		if (headers->nva[i].flags & NGHTTP2_NV_FLAG_NO_INDEX)
			return 1;
	return 0;
}

ssize_t
doh_on_select_padding(nghttp2_session *session, const nghttp2_frame *frame, size_t max, void *arg)
{
	size_t n = frame->hd.length, wanted;

	(void)session;
	(void)arg;
	if (frame->hd.type != NGHTTP2_HEADERS)
		return (ssize_t)n;
	if (doh_carries_question(&frame->headers))
		wanted = doh_round_up(doh_fields_bytes_max(&frame->headers) + 1, GET_BLOCK);
	else
		wanted = doh_round_up(n + 1, POST_BLOCK);
	if (wanted > n + PAD_MAX)
		wanted = n + PAD_MAX;
	if (wanted > max)
		wanted = max;
	return wanted < n ? (ssize_t)n : (ssize_t)wanted;
}
