/* The monitoring API of a static-ct log: checkpoint, tiles, issuers (C2SP static-ct-api, tlog-tiles). */
#include "config.h"

#include "contrib/lab/logs/logs_inside.h"

#include "base/text.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#define BOMB_SIZE   (1u << 30)
#define BOMB_PIECE  (1u << 20)
#define TILE_HEIGHT 8

/* C2SP signed-note and static-ct-api: a note whose signature is that of an RFC 6962 tree head. */
static void
checkpoint_write(struct lab_log *log, const struct toy_head *head, struct buf *out)
{
	const char *origin = log->wrong[MISBEHAVE_WRONG_ORIGIN] ? "elsewhere.lab.test/log" : log->origin;
	struct buf name = buf_max(1024), blob = buf_max(2048);
	uint8_t hash[32];

	buf_format(out, "%s\n%" PRIu64 "\n", origin, head->size);
	base64_write(out, span_of(head->root.b, sizeof head->root.b));
	buf_text(out, "\n\n\u2014 ");
	buf_format(out, "%s ", origin);
	buf_format(&name, "%s\n", origin);
	buf_u8(&name, 0x05);
	buf_put(&name, span_of(log->key->spki_sha256, 32));
	lab_sha256(hash, buf_span(&name));
	buf_put(&blob, span_of(hash, 4));
	buf_u64(&blob, head->timestamp_ms);
	buf_put(&blob, buf_span(&head->signature));
	base64_write(out, buf_span(&blob));
	buf_text(out, "\n");
	buf_free(&name);
	buf_free(&blob);
}

static void
checkpoint(struct lab_log *log, struct logs_reply *reply)
{
	struct toy_head head;

	if (lab_log_head(log, &head) == RES_OK)
		checkpoint_write(log, &head, &reply->body);
	else
		reply_say(reply, 500, "no head");
	reply->type = "text/plain; charset=utf-8";
	buf_free(&head.signature);
}

/* "x001/x234/067", "067.p/12": number and width. */
static bool
tile_read(struct span path, uint64_t *number, uint64_t *width)
{
	uint64_t part;

	*number = 0;
	*width = LEVEL_TILE;
	for (size_t i = 0; i < 6; i++) {
		bool more = path_take(&path, "x");

		if (path.n < 3 || !path_number(span_slice(path, 0, 3), &part))
			return false;
		*number = *number * 1000 + part;
		path = span_slice(path, 3, path.n);
		if (!more)
			return path.n == 0 || (path_take(&path, ".p/") && path_number(path, width) &&
					       *width > 0 && *width < LEVEL_TILE);
		if (!path_take(&path, "/"))
			return false;
	}
	return false;
}

static void
hash_tile(struct lab_log *log, uint64_t level, uint64_t number, uint64_t width, struct logs_reply *reply)
{
	struct toyview view = lab_log_view(log);
	unsigned at = (unsigned)level * TILE_HEIGHT;
	uint64_t there = at < TREE_LEVELS ? lab_log_merge(log) >> at : 0;
	struct tree_hash hash;

	if (number * LEVEL_TILE + width > there) {
		reply_say(reply, 404, "no such tile");
		return;
	}
	reply->type = "application/octet-stream";
	if (log->wrong[MISBEHAVE_SHRINKING_TILE] && width < LEVEL_TILE)
		width -= width > 1;
	for (uint64_t i = 0; i < width; i++)
		if (toyview_node(&view, at, number * LEVEL_TILE + i, &hash) == RES_OK)
			buf_put(&reply->body, span_of(hash.b, sizeof hash.b));
	if (log->wrong[MISBEHAVE_BAD_PROOF] && reply->body.n > 0)
		reply->body.p[0] ^= 1;
}

static void
data_write(struct lab_log *log, uint64_t from, uint64_t n, struct buf *out)
{
	for (uint64_t i = from; i < from + n; i++) {
		size_t start = out->n;

		if (log->wrong[MISBEHAVE_MISSING_ENTRY] && i == log->victim)
			continue;
		toytree_leaf(log->tree, i, out);
		if (!buf_ok(out))
			return;
		/* A TileLeaf begins after version and type of the MerkleTreeLeaf. */
		memmove(out->p + start, out->p + start + 2, out->n - start - 2);
		out->n -= 2;
		if (log->wrong[MISBEHAVE_ALTERED_ENTRY] && i == log->victim && out->n - start > 12)
			out->p[out->n - 12] ^= 1;
		toytree_tile_rest(log->tree, i, out);
	}
}

/* RFC 1952. */
static void
gzip_write(struct buf *out, struct span plain, int level)
{
	const int window = 15 + 16; /* 16: as gzip */
	const size_t step = 65536;
	z_stream z = {0};
	int code = deflateInit2(&z, level, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY);

	out->bad = out->bad || code != Z_OK;
	z.next_in = (Bytef *)(uintptr_t)plain.p;
	z.avail_in = (uInt)plain.n;
	while (code == Z_OK && !out->bad) {
		uint8_t *room = buf_room(out, step);

		if (room == NULL)
			break;
		z.next_out = room;
		z.avail_out = (uInt)step;
		code = deflate(&z, Z_FINISH);
		buf_added(out, step - z.avail_out);
	}
	out->bad = out->bad || code != Z_STREAM_END;
	deflateEnd(&z);
}

/* RFC 1951: blocks of `zeros`, which end at a byte and refer to nothing before them. */
static void
zeros_deflate(struct buf *out, const uint8_t zeros[BOMB_PIECE])
{
	const int window = -15; /* without the header of a format */
	z_stream z = {.next_in = (Bytef *)(uintptr_t)zeros, .avail_in = BOMB_PIECE};
	bool ok = deflateInit2(&z, 9, Z_DEFLATED, window, 9, Z_DEFAULT_STRATEGY) == Z_OK;
	uint8_t *room = buf_room(out, BOMB_PIECE);

	if (ok && room != NULL) {
		z.next_out = room;
		z.avail_out = BOMB_PIECE;
		ok = deflate(&z, Z_FULL_FLUSH) == Z_OK && z.avail_in == 0 && z.avail_out > 0;
		buf_added(out, BOMB_PIECE - z.avail_out);
	}
	out->bad = out->bad || !ok;
	deflateEnd(&z);
}

/* Kept until the process ends. */
static struct buf bomb;
static pthread_once_t bomb_once = PTHREAD_ONCE_INIT;

/* One piece is compressed, and repeated: a GiB at once would take seconds. */
static void
bomb_make(void)
{
	static uint8_t zeros[BOMB_PIECE]; /* in no file */
	static const uint8_t header[10] = {0x1f, 0x8b,
					   Z_DEFLATED, [9] = 255}; /* RFC 1952, 2.3; 255: system unknown */
	static const uint8_t last[2] = {3, 0};                     /* RFC 1951: the last block, empty */
	struct buf piece = buf_max(BOMB_PIECE);
	uLong of_piece = crc32(0, zeros, BOMB_PIECE), crc = 0;

	bomb = buf_max(LOGS_REPLY_MAX);
	zeros_deflate(&piece, zeros);
	buf_put(&bomb, span_of(header, sizeof header));
	for (uint32_t n = 0; n < BOMB_SIZE; n += BOMB_PIECE) {
		buf_put(&bomb, buf_span(&piece));
		crc = crc32_combine(crc, of_piece, BOMB_PIECE);
	}
	buf_put(&bomb, span_of(last, sizeof last));
	for (unsigned bit = 0; bit < 32; bit += 8)
		buf_u8(&bomb, (uint8_t)(crc >> bit));
	for (unsigned bit = 0; bit < 32; bit += 8)
		buf_u8(&bomb, (uint8_t)(BOMB_SIZE >> bit));
	bomb.bad = bomb.bad || !buf_ok(&piece);
	buf_free(&piece);
}

static void
data_reply(struct lab_log *log, uint64_t from, uint64_t n, bool gzip, struct logs_reply *reply)
{
	struct buf plain = buf_max(LOGS_REPLY_MAX);

	reply->type = "application/octet-stream";
	if (log->wrong[MISBEHAVE_GZIP_BOMB]) {
		reply->gzip = true;
		(void)pthread_once(&bomb_once, bomb_make);
		buf_put(&reply->body, buf_span(&bomb));
		reply->body.bad = reply->body.bad || !buf_ok(&bomb);
	} else if (gzip && log->options->gzip_level > 0) {
		reply->gzip = true;
		data_write(log, from, n, &plain);
		gzip_write(&reply->body, buf_span(&plain), log->options->gzip_level);
		reply->body.bad = reply->body.bad || !buf_ok(&plain);
	} else {
		data_write(log, from, n, &reply->body);
	}
	buf_free(&plain);
}

/* Without the lock where all is filler: this is what benches read. */
static void
data_tile(struct lab_log *log, uint64_t number, uint64_t width, bool gzip, struct logs_reply *reply)
{
	uint64_t from = number * LEVEL_TILE;
	bool filler;

	pthread_mutex_lock(&log->lock);
	if (number > TREE_SIZE_MAX / LEVEL_TILE - 1 || from + width > lab_log_merge(log)) {
		reply_say(reply, 404, "no such tile");
		pthread_mutex_unlock(&log->lock);
		return;
	}
	if (log->wrong[MISBEHAVE_SHRINKING_TILE] && width < LEVEL_TILE)
		width -= width > 1;
	filler = toytree_is_filler(log->tree, from + width - 1);
	if (filler)
		pthread_mutex_unlock(&log->lock);
	data_reply(log, from, width, gzip, reply);
	if (!filler)
		pthread_mutex_unlock(&log->lock);
}

static void
issuer(struct lab_log *log, struct span hex, struct logs_reply *reply)
{
	uint8_t fingerprint[32];
	struct span der = {NULL, 0};

	if (hex_read(fingerprint, sizeof fingerprint, hex) == RES_OK)
		der = toytree_issuer(log->tree, fingerprint);
	if (der.n == 0)
		reply_say(reply, 404, "no such issuer");
	reply->type = "application/pkix-cert";
	buf_put(&reply->body, der);
}

bool
log_api_tiles(struct lab_log *log, struct span path, bool gzip, struct logs_reply *reply)
{
	uint64_t level, number, width;
	size_t n = 0;

	if (path_take(&path, "tile/data/")) {
		if (tile_read(path, &number, &width))
			data_tile(log, number, width, gzip, reply);
		else
			reply_say(reply, 404, "no such tile");
		return true;
	}
	pthread_mutex_lock(&log->lock);
	if (span_equal(path, span_str("checkpoint"))) {
		checkpoint(log, reply);
	} else if (path_take(&path, "issuer/")) {
		issuer(log, path, reply);
	} else if (path_take(&path, "tile/")) {
		while (n < path.n && path.p[n] != '/')
			n++;
		if (path_number(span_slice(path, 0, n), &level) && level < 8 &&
		    tile_read(span_slice(path, n + 1, path.n), &number, &width) &&
		    number < TREE_SIZE_MAX / LEVEL_TILE)
			hash_tile(log, level, number, width, reply);
		else
			reply_say(reply, 404, "no such tile");
	} else {
		reply_say(reply, 404, "not found");
	}
	pthread_mutex_unlock(&log->lock);
	return true;
}
