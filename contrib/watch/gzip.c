#include "contrib/watch/gzip.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define GZIP_ONLY (15 + 16) /* window of 32 KiB, and a gzip header, not zlib's */

struct gunzip {
	z_stream z;
};

struct gunzip *
gunzip_new(void)
{
	struct gunzip *g = calloc(1, sizeof *g);

	if (g != NULL && inflateInit2(&g->z, GZIP_ONLY) != Z_OK) {
		free(g);
		return NULL;
	}
	return g;
}

void
gunzip_free(struct gunzip *g)
{
	if (g == NULL)
		return;
	(void)inflateEnd(&g->z);
	free(g);
}

/* Room for what comes next: what the body claims (its last four bytes, RFC 1952, 2.3.1) when that is believable. */
static size_t
first_room(const struct buf *out, struct span body)
{
	size_t claimed = body.n < 18
			     ? 0
			     : (size_t)body.p[body.n - 4] | (size_t)body.p[body.n - 3] << 8 |
				   (size_t)body.p[body.n - 2] << 16 | (size_t)body.p[body.n - 1] << 24;
	size_t believed =
	    body.n * 8; /* certificates compress to a third, and to a fifth with their precertificates */

	if (claimed > 0 && claimed < believed)
		believed = claimed;
	return believed < out->max ? believed : out->max;
}

static enum res
inflate_more(struct gunzip *g, struct buf *out, size_t want)
{
	uint8_t spare, *room = &spare; /* at the limit: is the member at its end? */
	int rc;

	if (out->n == out->max)
		want = 1;
	else if (want > out->max - out->n)
		want = out->max - out->n;
	if (out->n < out->max)
		room = buf_room(out, want);
	if (room == NULL)
		return RES_NOMEM;
	g->z.next_out = room;
	g->z.avail_out = (unsigned)want;
	rc = inflate(&g->z, Z_NO_FLUSH);
	if (room == &spare && g->z.avail_out == 0)
		return RES_LIMIT;
	if (room != &spare)
		buf_added(out, want - g->z.avail_out);
	if (rc == Z_STREAM_END)
		return g->z.avail_in == 0 ? RES_OK : RES_MALFORMED;
	if (rc == Z_MEM_ERROR)
		return RES_NOMEM;
	/* room is left: the input is at its end, or broken */
	return rc == Z_OK && g->z.avail_out == 0 ? RES_NOT_FOUND : RES_MALFORMED;
}

enum res
gunzip_read(struct gunzip *g, struct buf *out, struct span body)
{
	enum res r = RES_NOT_FOUND;

	buf_clear(out);
	if (body.n > UINT32_MAX || inflateReset(&g->z) != Z_OK)
		return RES_MALFORMED;
	g->z.next_in = (uint8_t *)(uintptr_t)body.p;
	g->z.avail_in = (unsigned)body.n;
	for (size_t want = first_room(out, body); r == RES_NOT_FOUND; want = out->n)
		r = inflate_more(g, out, want > 64 ? want : 64);
	return r;
}
