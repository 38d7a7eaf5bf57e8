#include "contrib/watch/source.h"

#include "base/text.h"
#include "verify/why.h"

#include <string.h>

#define ULL(n) ((unsigned long long)(n))

void
source_head_url(struct buf *out, const struct watch_log *log)
{
	buf_format(out, "%s%s", log->url, log->ctlog->tiled ? "checkpoint" : "ct/v1/get-sth");
}

void
source_consistency_url(struct buf *out, const struct watch_log *log, uint64_t first, uint64_t second)
{
	buf_format(out, "%sct/v1/get-sth-consistency?first=%llu&second=%llu", log->url, ULL(first),
		   ULL(second));
}

/* base64 in a query: + / = are escaped. */
static void
query_base64(struct buf *out, struct span bytes)
{
	struct buf text = buf_max(64);

	base64_write(&text, bytes);
	for (size_t i = 0; i < text.n; i++) {
		if (strchr("+/=", text.p[i]) != NULL)
			buf_format(out, "%%%02X", text.p[i]);
		else
			buf_u8(out, text.p[i]);
	}
	buf_free(&text);
}

void
source_inclusion_url(struct buf *out, const struct watch_log *log, const struct tree_hash *leaf,
		     uint64_t size)
{
	buf_format(out, "%sct/v1/get-proof-by-hash?hash=", log->url);
	query_base64(out, span_of(leaf->b, TREE_HASH_SIZE));
	buf_format(out, "&tree_size=%llu", ULL(size));
}

/* 1234067 is x001/x234/067 (static-ct-api, Merkle Tree). */
static void
tile_index_put(struct buf *out, uint64_t tile, unsigned width)
{
	uint64_t unit = 1;

	while (tile / unit >= 1000)
		unit *= 1000;
	for (; unit > 1; unit /= 1000)
		buf_format(out, "x%03llu/", ULL(tile / unit % 1000));
	buf_format(out, "%03llu", ULL(tile % 1000));
	if (width < TILE_WIDTH)
		buf_format(out, ".p/%u", width);
}

void
source_tile_url(struct buf *out, const struct watch_log *log, unsigned level, uint64_t tile, unsigned width)
{
	buf_format(out, "%stile/%u/", log->url, level);
	tile_index_put(out, tile, width);
}

void
source_issuer_url(struct buf *out, const struct watch_log *log, const uint8_t fingerprint[32])
{
	char hex[65];

	buf_format(out, "%sissuer/%s", log->url, hex_write(hex, span_of(fingerprint, 32)));
}

void
source_entries_url(struct buf *out, const struct watch_log *log, uint64_t begin, uint64_t end, unsigned width)
{
	if (!log->ctlog->tiled) {
		buf_format(out, "%sct/v1/get-entries?start=%llu&end=%llu", log->url, ULL(begin),
			   ULL(end - 1));
		return;
	}
	buf_format(out, "%stile/data/", log->url);
	tile_index_put(out, begin / TILE_WIDTH, width);
}

unsigned
source_tile_width(unsigned level, uint64_t tile, uint64_t size)
{
	uint64_t nodes = 8 * level >= 64 ? 0 : size >> (8 * level), before = tile * TILE_WIDTH;

	if (nodes <= before)
		return 0;
	return nodes - before < TILE_WIDTH ? (unsigned)(nodes - before) : TILE_WIDTH;
}

/* The submission prefix without its scheme and last slash (static-ct-api, Checkpoints). */
static const char *
origin_of(struct buf *out, const char *submission_url)
{
	const char *name = submission_url == NULL ? NULL : strstr(submission_url, "://");
	size_t n = name == NULL ? 0 : strlen(name + 3);

	if (n == 0)
		return NULL;
	while (n > 0 && name[3 + n - 1] == '/')
		n--;
	buf_put(out, span_of(name + 3, n));
	return buf_cstr(out);
}

enum res
source_head_read(struct head *head, const struct watch_log *log, struct span body, char **why)
{
	struct buf origin = buf_max(HEAD_ORIGIN_MAX);
	const char *name;
	enum res r;

	if (!log->ctlog->tiled)
		return head_read_sth(head, body, why);
	name = origin_of(&origin, log->ctlog->submission_url);
	if (buf_ok(&origin))
		r = head_read_checkpoint(head, body, log->ctlog->id, name, why);
	else
		r = why_say(why, buf_res(&origin), "the log's submission_url is too long for an origin");
	buf_free(&origin);
	return r;
}

void
batch_open(struct batch *batch, bool tiled, struct span body)
{
	batch->tiled = tiled;
	batch->why = NULL;
	batch->tile = body;
	if (!tiled)
		entries_json_open(&batch->json, body);
}

static enum res
tile_next(struct batch *batch, struct batch_entry *out)
{
	static const uint8_t front[ENTRY_LEAF_FRONT];
	enum res r = entry_take_tile_leaf(&out->entry, &out->extra, &out->rest, &batch->tile);

	out->front = span_of(front, sizeof front);
	out->readable = true;
	if (r == RES_MALFORMED || r == RES_UNSUPPORTED) {
		batch->why = "a data tile that cannot be read";
		return RES_MALFORMED;
	}
	return r;
}

enum res
batch_next(struct batch *batch, struct batch_entry *out, bool extra_too)
{
	enum res r;

	if (batch->tiled)
		return tile_next(batch, out);
	r = entries_json_next(&batch->json, &out->rest, extra_too ? &out->extra_data : NULL);
	if (r != RES_OK) {
		batch->why = batch->json.why;
		return r;
	}
	out->front = span_of(NULL, 0);
	out->readable = entry_read_leaf(&out->entry, out->rest) == RES_OK;
	return RES_OK;
}

void
batch_free(struct batch *batch)
{
	entries_json_free(&batch->json);
}
