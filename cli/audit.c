#include "cli/audit.h"

#include "base/text.h"
#include "cli/fetch.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AUDIT_ANSWER_MAX (64 * 1024) /* a proof has 64 hashes at most, a tile of hashes 8192 bytes */
#define AUDIT_URL_MAX    (FETCH_URL_MAX - 1)
#define AUDIT_WHY_MAX    2048
#define TILE_HEIGHT      8 /* C2SP tlog-tiles */
#define TILE_WIDTH       256
#define TILES_MAX        64 /* of one proof: two or three of each of eight levels */

struct tile {
	unsigned level;
	uint64_t number;
	size_t n; /* hashes */
	struct tree_hash hash[TILE_WIDTH];
};

struct audit {
	struct audit_result *result;
	const struct promise *promise;
	const struct vfy_policy *policy;
	int64_t now_ms;
	struct tree_hasher *hasher;
	struct tile *tile; /* fetched so far */
	size_t n_tiles;
};

const char *
audit_outcome_text(enum audit_outcome outcome)
{
	switch (outcome) {
	case AUDIT_INCLUDED:
		return "included";
	case AUDIT_NOT_YET:
		return "not-yet";
	case AUDIT_BROKEN:
		return "broken-promise";
	case AUDIT_NOT_ASKED:
		return "not-asked";
	case AUDIT_FAILED:
		return "failed";
	}
	return "";
}

static void audit_end(struct audit *, enum audit_outcome, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void
audit_end(struct audit *a, enum audit_outcome outcome, const char *format, ...)
{
	char why[AUDIT_WHY_MAX];
	va_list args;

	va_start(args, format);
	vsnprintf(why, sizeof why, format, args);
	va_end(args);
	a->result->outcome = outcome;
	free(a->result->why);
	a->result->why = strdup(why);
}

/* The entry is not where the log should have it. */
static void
audit_missing(struct audit *a, const char *what)
{
	char due[TIME_TEXT_MAX], head[TIME_TEXT_MAX];

	(void)time_text((int64_t)promise_due_ms(a->promise), due);
	(void)time_text((int64_t)a->result->head.timestamp_ms, head);
	switch (promise_missing(a->promise, a->result->head.timestamp_ms, a->now_ms)) {
	case PROMISE_NOT_YET:
		audit_end(a, AUDIT_NOT_YET, "%s; the log has time until %s", what, due);
		return;
	case PROMISE_UNSETTLED:
		audit_end(a, AUDIT_FAILED,
			  "%s in its tree of %s, and newer ones must have it from %s on: its head is old",
			  what, head, due);
		return;
	case PROMISE_BROKEN:
		audit_end(a, AUDIT_BROKEN, "%s, which was due by %s", what, due);
		return;
	}
}

/* The log's answer goes to the result. */
static enum fetch_outcome
log_ask(struct audit *a, const char *path)
{
	char url[AUDIT_URL_MAX];
	struct verdict v = {0};
	char *why = NULL;
	enum fetch_outcome outcome;

	buf_clear(&a->result->answer);
	snprintf(url, sizeof url, "%s%s", a->promise->log->url, path);
	outcome = fetch_url(&a->result->answer, &v, url, a->policy, a->now_ms, &why);
	if (outcome == FETCH_REFUSED)
		audit_end(a, AUDIT_FAILED, "%s: the server was refused: %s", url,
			  reason_code(verdict_reason(&v)));
	else if (outcome != FETCH_DONE)
		audit_end(a, AUDIT_FAILED, "%s", why != NULL ? why : url);
	verdict_clear(&v);
	free(why);
	return outcome;
}

static bool
head_get(struct audit *a)
{
	const struct ctlog *log = a->promise->log;
	struct audit_result *r = a->result;
	char *why = NULL;
	enum res res;

	if (log_ask(a, log->tiled ? "checkpoint" : "ct/v1/get-sth") != FETCH_DONE)
		return false;
	buf_put(&r->head_text, buf_span(&r->answer));
	res = log->tiled ? head_read_checkpoint(&r->head, buf_span(&r->answer), log->id, NULL, &why)
			 : head_read_sth(&r->head, buf_span(&r->answer), &why);
	if (res == RES_OK && (res = head_verify(&r->head, log)) != RES_OK)
		audit_end(a, AUDIT_FAILED, "the log's head does not verify with its key");
	else if (res != RES_OK)
		audit_end(a, AUDIT_FAILED, "the log's head cannot be read: %s",
			  why != NULL ? why : res_text(res));
	free(why);
	r->has_head = res == RES_OK;
	return r->has_head;
}

static void
proof_judge(struct audit *a, const struct tree_proof *proof, uint64_t index)
{
	const struct head *head = &a->result->head;
	struct tree_hash root = head->root;

	if (tree_inclusion_verify(a->hasher, &a->promise->leaf, index, head->size, proof, &root) != RES_OK) {
		audit_end(a, AUDIT_BROKEN, "the log's proof does not lead from the entry to its signed head");
		return;
	}
	a->result->outcome = AUDIT_INCLUDED;
	a->result->index = index;
	free(a->result->why);
	a->result->why = NULL;
}

/* ---- RFC 6962 */

static bool
proof_hash_read(struct tree_hash *out, const json_t *item)
{
	struct buf hash = buf_max(sizeof out->b);
	bool ok = json_is_string(item) && base64_read(&hash, span_str(json_string_value(item))) == RES_OK &&
		  hash.n == sizeof out->b;

	if (ok)
		memcpy(out->b, hash.p, sizeof out->b);
	buf_free(&hash);
	return ok;
}

/* RFC 6962, 4.5. */
static bool
proof_read(struct tree_proof *proof, uint64_t *index, struct span answer)
{
	json_t *root = json_loadb((const char *)answer.p, answer.n, 0, NULL), *item;
	const json_t *path = json_object_get(root, "audit_path"),
		     *number = json_object_get(root, "leaf_index");
	bool ok = json_is_array(path) && json_array_size(path) <= TREE_PROOF_MAX && json_is_integer(number) &&
		  json_integer_value(number) >= 0;
	size_t i;

	proof->n = 0;
	json_array_foreach (path, i, item) {
		if (!ok)
			break;
		ok = proof_hash_read(&proof->hash[proof->n++], item);
	}
	*index = ok ? (uint64_t)json_integer_value(number) : 0;
	json_decref(root);
	return ok;
}

static void
hash_query_write(struct buf *out, const struct tree_hash *hash)
{
	struct buf text = buf_max(64);

	base64_write(&text, span_of(hash->b, sizeof hash->b));
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '+' || text.p[i] == '/' || text.p[i] == '=')
			buf_format(out, "%%%02X", text.p[i]);
		else
			buf_u8(out, text.p[i]);
	buf_free(&text);
}

static void
audit_by_hash(struct audit *a)
{
	struct buf path = buf_max(512);
	struct tree_proof proof;
	uint64_t index;

	buf_text(&path, "ct/v1/get-proof-by-hash?hash=");
	hash_query_write(&path, &a->promise->leaf);
	buf_format(&path, "&tree_size=%llu", (unsigned long long)a->result->head.size);
	if (a->result->head.size == 0) {
		audit_missing(a, "the log is empty");
	} else {
		enum fetch_outcome outcome = log_ask(a, buf_cstr(&path));

		if (outcome == FETCH_NOT_THERE)
			audit_missing(a, "the log does not have the entry");
		else if (outcome == FETCH_DONE && proof_read(&proof, &index, buf_span(&a->result->answer)))
			proof_judge(a, &proof, index);
		else if (outcome == FETCH_DONE)
			audit_end(a, AUDIT_FAILED, "the log's proof cannot be read");
	}
	buf_free(&path);
}

/* ---- static-ct */

/* C2SP tlog-tiles: groups of three digits, all but the last with an x before it. */
static void
tile_path_write(struct buf *out, unsigned level, uint64_t number, size_t width)
{
	uint64_t group[7];
	size_t n = 0;

	do {
		group[n++] = number % 1000;
		number /= 1000;
	} while (number > 0 && n < sizeof group / sizeof group[0]);
	buf_format(out, "tile/%u/", level);
	while (n-- > 0)
		buf_format(out, n > 0 ? "x%03llu/" : "%03llu", (unsigned long long)group[n]);
	if (width < TILE_WIDTH)
		buf_format(out, ".p/%zu", width);
}

static enum res
tile_fetch(struct audit *a, struct tile *tile)
{
	uint64_t there = a->result->head.size >> (TILE_HEIGHT * tile->level),
		 first = tile->number * TILE_WIDTH;
	struct buf path = buf_max(256);
	enum fetch_outcome outcome;

	if (first >= there)
		return RES_LIMIT;
	tile->n = there - first < TILE_WIDTH ? (size_t)(there - first) : TILE_WIDTH;
	tile_path_write(&path, tile->level, tile->number, tile->n);
	outcome = log_ask(a, buf_cstr(&path));
	buf_free(&path);
	if (outcome == FETCH_NOT_THERE)
		audit_end(a, AUDIT_FAILED, "the log does not give a tile of the tree that it signed");
	if (outcome != FETCH_DONE)
		return RES_IO;
	if (a->result->answer.n != tile->n * sizeof tile->hash[0].b) {
		audit_end(a, AUDIT_FAILED, "a tile of the log has the wrong size");
		return RES_IO;
	}
	for (size_t i = 0; i < tile->n; i++)
		memcpy(tile->hash[i].b, a->result->answer.p + i * sizeof tile->hash[i].b,
		       sizeof tile->hash[i].b);
	return RES_OK;
}

static enum res
tile_get(struct audit *a, unsigned level, uint64_t number, const struct tile **out)
{
	struct tile *tile;
	enum res res;

	for (size_t i = 0; i < a->n_tiles; i++)
		if (a->tile[i].level == level && a->tile[i].number == number) {
			*out = &a->tile[i];
			return RES_OK;
		}
	if (a->n_tiles == TILES_MAX)
		return RES_LIMIT;
	tile = &a->tile[a->n_tiles];
	tile->level = level;
	tile->number = number;
	res = tile_fetch(a, tile);
	if (res == RES_OK)
		a->n_tiles++;
	*out = tile;
	return res;
}

/* A complete subtree out of the tile that holds it, or whose hashes lie below it. */
static enum res
audit_on_node(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	struct audit *a = arg;
	unsigned height = level % TILE_HEIGHT;
	uint64_t first = index << height;
	struct tree_hash hash[TILE_WIDTH];
	const struct tile *tile;
	enum res res = tile_get(a, level / TILE_HEIGHT, first / TILE_WIDTH, &tile);

	if (res != RES_OK)
		return res;
	if (first % TILE_WIDTH + ((size_t)1 << height) > tile->n)
		return RES_LIMIT;
	memcpy(hash, &tile->hash[first % TILE_WIDTH], sizeof hash[0] << height);
	for (size_t n = (size_t)1 << height; n > 1; n /= 2)
		for (size_t i = 0; i < n / 2; i++)
			tree_node_hash(a->hasher, &hash[i], &hash[2 * i], &hash[2 * i + 1]);
	*out = hash[0];
	return RES_OK;
}

static void
audit_by_index(struct audit *a)
{
	struct tree_proof proof;
	struct tree_hash leaf;
	uint64_t index = a->promise->leaf_index;
	enum res res;

	if (index >= a->result->head.size) {
		audit_missing(a, "the log's tree does not reach to the entry");
		return;
	}
	res = audit_on_node(a, 0, index, &leaf);
	if (res == RES_OK && !tree_hash_equal(&leaf, &a->promise->leaf)) {
		audit_end(a, AUDIT_BROKEN, "the log has another entry at the index of the SCT");
		return;
	}
	if (res == RES_OK)
		res = tree_inclusion_prove(a->hasher, &proof, index, a->result->head.size, audit_on_node, a);
	if (res == RES_OK)
		proof_judge(a, &proof, index);
	else if (a->result->why == NULL)
		audit_end(a, AUDIT_FAILED, "the log's tiles cannot be read: %s", res_text(res));
}

/* ---- */

/* Is there anything to ask a log? If not, the result says why. */
static bool
is_asked(struct audit *a)
{
	switch (a->promise->state) {
	case PROMISE_UNKNOWN_LOG:
		audit_end(a, AUDIT_NOT_ASKED, "the log is not in the list");
		return false;
	case PROMISE_BAD_SIGNATURE:
		audit_end(a, AUDIT_NOT_ASKED, "the signature is not the log's: the SCT promises nothing");
		return false;
	case PROMISE_NO_PLACE:
		audit_end(a, AUDIT_NOT_ASKED, "the SCT of a static-ct log has no index");
		return false;
	case PROMISE_SIGNED:
		break;
	}
	if (a->promise->log->url == NULL)
		audit_end(a, AUDIT_NOT_ASKED, "the list gives no URL of the log");
	return a->promise->log->url != NULL;
}

void
audit_promise(struct audit_result *result, const struct promise *promise, const struct vfy_policy *policy,
	      int64_t now_ms)
{
	struct audit a = {.result = result, .promise = promise, .policy = policy, .now_ms = now_ms};

	*result = (struct audit_result){.outcome = AUDIT_FAILED,
					.answer = buf_max(AUDIT_ANSWER_MAX),
					.head_text = buf_max(AUDIT_ANSWER_MAX)};
	a.hasher = tree_hasher_new();
	a.tile = calloc(TILES_MAX, sizeof *a.tile);
	if (a.hasher == NULL || a.tile == NULL)
		audit_end(&a, AUDIT_FAILED, "%s", res_text(RES_NOMEM));
	else if (is_asked(&a) && head_get(&a)) {
		if (promise->log->tiled)
			audit_by_index(&a);
		else
			audit_by_hash(&a);
	}
	free(a.tile);
	tree_hasher_free(a.hasher);
}

void
audit_result_clear(struct audit_result *result)
{
	free(result->why);
	buf_free(&result->answer);
	buf_free(&result->head_text);
	*result = (struct audit_result){.outcome = AUDIT_FAILED};
}
