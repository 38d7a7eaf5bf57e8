#include "contrib/watch/proof.h"

#include "base/text.h"
#include "contrib/watch/source.h"
#include "verify/json.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_MAX  ((size_t)64 * 1024) /* 64 hashes as JSON are 3 KB */
#define VALUES_MAX  256
#define NESTING_MAX 4

struct tile {
	unsigned level, width;
	uint64_t index;
	bool asked, whole, here; /* whole: the full tile was asked for in place of the partial one */
	struct proof_job *job;
	struct fetch_body body;
};

struct proof_job {
	struct fetcher *fetcher;
	struct tree_hasher *hasher;
	struct proof_request request;
	proof_fn *fn;
	void *arg;
	struct tree_proof proof;
	struct tile tile[PROOF_TILES_MAX];
	size_t n_tiles;
	unsigned waiting;
	bool missing;
};

static void
job_free(struct proof_job *job)
{
	for (size_t i = 0; i < job->n_tiles; i++) {
		fetcher_drop(job->fetcher, &job->tile[i]);
		fetch_body_free(job->fetcher, &job->tile[i].body);
	}
	fetcher_drop(job->fetcher, job);
	free(job);
}

void
proof_drop(struct proof_job *job)
{
	if (job != NULL)
		job_free(job);
}

/* Reports the result and ends the job. */
static void
job_end(struct proof_job *job, enum res res, const char *why, const struct fetch_answer *answer)
{
	struct proof_result result = {res, why, &job->proof, answer};
	proof_fn *fn = job->fn;
	void *arg = job->arg;

	fn(arg, &result);
	job_free(job);
}

/* ---- RFC 6962 */

static enum res
hashes_read(struct tree_proof *out, const json_t *list)
{
	const json_t *item;
	size_t i;

	out->n = 0;
	if (!json_is_array(list) || json_array_size(list) > TREE_PROOF_MAX)
		return RES_MALFORMED;
	json_array_foreach (list, i, item) {
		struct buf hash = buf_max(TREE_HASH_SIZE);
		struct span text;
		enum res r = json_text(&text, item) ? base64_read(&hash, text) : RES_MALFORMED;

		if (r == RES_OK && hash.n == TREE_HASH_SIZE)
			memcpy(out->hash[out->n++].b, hash.p, TREE_HASH_SIZE);
		else if (r != RES_NOMEM)
			r = RES_MALFORMED;
		buf_free(&hash);
		if (r != RES_OK)
			return r;
	}
	return RES_OK;
}

static enum res
proof_read(struct proof_job *job, struct span body)
{
	static const struct json_bounds bounds = {ANSWER_MAX, NESTING_MAX, VALUES_MAX};
	const json_t *index;
	json_t *root;
	enum res r = json_read(&root, body, &bounds, NULL);

	if (r != RES_OK)
		return r;
	index = json_object_get(root, "leaf_index");
	if (job->request.inclusion &&
	    (!json_is_integer(index) || (uint64_t)json_integer_value(index) != job->request.first))
		r = RES_MALFORMED;
	else
		r = hashes_read(&job->proof,
				json_object_get(root, job->request.inclusion ? "audit_path" : "consistency"));
	json_decref(root);
	return r;
}

static void
proof_on_json(void *arg, const struct fetch_answer *answer)
{
	struct proof_job *job = arg;
	const char *why = answer->why != NULL ? answer->why : "the log does not give the proof";
	enum res r = RES_IO;

	if (answer->result == FETCH_ANSWER && answer->status == 200)
		r = answer->gzip ? RES_MALFORMED : proof_read(job, buf_span(&answer->body->bytes));
	if (r == RES_LIMIT) /* larger or deeper than any proof */
		r = RES_MALFORMED;
	if (r == RES_MALFORMED)
		why = "the answer is not a proof";
	job_end(job, r, r == RES_NOMEM ? "no memory" : why, answer);
}

static enum res
json_start(struct proof_job *job)
{
	struct fetch_request request = {.expected = 4096, .limit = ANSWER_MAX};
	struct buf url = buf_max(FETCHER_URL_MAX);
	enum res r;

	if (job->request.inclusion)
		source_inclusion_url(&url, job->request.log, &job->request.leaf, job->request.second);
	else
		source_consistency_url(&url, job->request.log, job->request.first, job->request.second);
	request.url = buf_cstr(&url);
	r = request.url == NULL ? RES_NOMEM : fetcher_get(job->fetcher, &request, proof_on_json, job);
	buf_free(&url);
	return r;
}

/* ---- tiles */

static struct tile *
tile_find(struct proof_job *job, unsigned level, uint64_t index)
{
	struct tile *tile;

	for (size_t i = 0; i < job->n_tiles; i++)
		if (job->tile[i].level == level && job->tile[i].index == index)
			return &job->tile[i];
	if (job->n_tiles == PROOF_TILES_MAX)
		return NULL;
	tile = &job->tile[job->n_tiles++];
	*tile = (struct tile){.level = level, .index = index, .job = job};
	tile->width = source_tile_width(level, index, job->request.second);
	return tile;
}

/* A complete subtree out of the tiles that are here. One that is not is noted, and its place taken by zeros. */
static enum res
node_on_asked(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	struct proof_job *job = arg;
	unsigned within = level % 8;
	uint64_t first = index << within;
	struct tile *tile = tile_find(job, level / 8, first / TILE_WIDTH);
	struct tree_range range = {0};
	struct tree_hash hash;

	if (tile == NULL)
		return RES_LIMIT;
	if (!tile->here) {
		job->missing = true;
		memset(out, 0, sizeof *out);
		return RES_OK;
	}
	for (uint64_t i = first % TILE_WIDTH; i < first % TILE_WIDTH + ((uint64_t)1 << within); i++) {
		if (i >= tile->width)
			return RES_MALFORMED;
		memcpy(hash.b, tile->body.bytes.p + i * TREE_HASH_SIZE, TREE_HASH_SIZE);
		(void)tree_range_append(job->hasher, &range, &hash);
	}
	tree_range_root(job->hasher, out, &range);
	return RES_OK;
}

static enum res
tiles_prove(struct proof_job *job)
{
	const struct proof_request *w = &job->request;

	job->missing = false;
	return w->inclusion
		   ? tree_inclusion_prove(job->hasher, &job->proof, w->first, w->second, node_on_asked, job)
		   : tree_consistency_prove(job->hasher, &job->proof, w->first, w->second, node_on_asked,
					    job);
}

static enum res tiles_fetch(struct proof_job *job);

/* The tiles that are here may show that others are needed: none does, but nothing here depends on it. */
static void
tiles_step(struct proof_job *job, const struct fetch_answer *answer)
{
	enum res r = tiles_prove(job);

	if (r == RES_OK && job->missing)
		r = tiles_fetch(job);
	else if (r == RES_OK) {
		job_end(job, RES_OK, NULL, answer);
		return;
	}
	if (r != RES_OK)
		job_end(job, r == RES_MALFORMED ? r : RES_IO, "a proof cannot be made of the tiles", answer);
}

static enum res tile_fetch(struct tile *tile);

static void
proof_on_tile(void *arg, const struct fetch_answer *answer)
{
	struct tile *tile = arg;
	struct proof_job *job = tile->job;
	bool good = answer->result == FETCH_ANSWER && answer->status == 200;

	/* "logs MAY omit any partial tiles" once the full one is there */
	if (answer->result == FETCH_ANSWER && answer->status == 404 && tile->width < TILE_WIDTH &&
	    !tile->whole) {
		tile->whole = true;
		if (tile_fetch(tile) == RES_OK)
			return;
	}
	if (!good) {
		job_end(job, RES_IO, answer->why != NULL ? answer->why : "a tile is not there", answer);
		return;
	}
	if (answer->gzip ||
	    answer->body->bytes.n != (size_t)(tile->whole ? TILE_WIDTH : tile->width) * TREE_HASH_SIZE) {
		job_end(job, RES_MALFORMED, "a tile has another width than its tree says", answer);
		return;
	}
	fetch_body_take(&tile->body, answer->body);
	tile->here = true;
	if (--job->waiting == 0)
		tiles_step(job, answer);
}

static enum res
tile_fetch(struct tile *tile)
{
	struct buf url = buf_max(FETCHER_URL_MAX);
	const size_t bytes = (size_t)TILE_WIDTH * TREE_HASH_SIZE;
	struct fetch_request request = {.expected = bytes, .limit = bytes};
	enum res r;

	source_tile_url(&url, tile->job->request.log, tile->level, tile->index,
			tile->whole ? TILE_WIDTH : tile->width);
	request.url = buf_cstr(&url);
	r = request.url == NULL ? RES_NOMEM : fetcher_get(tile->job->fetcher, &request, proof_on_tile, tile);
	buf_free(&url);
	return r;
}

static enum res
tiles_fetch(struct proof_job *job)
{
	enum res r = RES_OK;

	for (size_t i = 0; r == RES_OK && i < job->n_tiles; i++) {
		if (job->tile[i].asked)
			continue;
		job->tile[i].asked = true;
		r = tile_fetch(&job->tile[i]);
		job->waiting += r == RES_OK;
	}
	return r;
}

static enum res
tiles_start(struct proof_job *job)
{
	enum res r = tiles_prove(job);

	if (r != RES_OK)
		return r;
	return job->n_tiles > 0 ? tiles_fetch(job) : RES_LIMIT; /* a proof without nodes is not asked for */
}

enum res
proof_start(struct proof_job **out, struct fetcher *fetcher, struct tree_hasher *hasher,
	    const struct proof_request *request, proof_fn *fn, void *arg)
{
	struct proof_job *job = calloc(1, sizeof *job);
	enum res r;

	if (job == NULL)
		return RES_NOMEM;
	job->fetcher = fetcher;
	job->hasher = hasher;
	job->request = *request;
	job->fn = fn;
	job->arg = arg;
	r = request->log->ctlog->tiled ? tiles_start(job) : json_start(job);
	if (r != RES_OK) {
		job_free(job);
		return r;
	}
	*out = job;
	return RES_OK;
}
