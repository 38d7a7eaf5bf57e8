/* Proofs fetched from logs of both kinds, and how often a log is asked for evidence; the fetcher is scripted. */
#include "base/clock.h"
#include "base/text.h"
#include "contrib/watch/follow.h"
#include "contrib/watch/proof.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- a fetcher that answers when the test says so */

#define REQUESTS_MAX 128

static struct request {
	char url[FETCHER_URL_MAX];
	fetch_fn *fn;
	void *arg;
} request[REQUESTS_MAX];
static size_t n_request, n_sent;

enum res
fetcher_get(struct fetcher *f, const struct fetch_request *r, fetch_fn *fn, void *arg)
{
	struct request *to = &request[n_request];

	(void)f;
	assert_true(n_request < REQUESTS_MAX);
	n_request++;
	n_sent++;
	(void)snprintf(to->url, sizeof to->url, "%s", r->url);
	to->fn = fn;
	to->arg = arg;
	return RES_OK;
}

void
fetcher_drop(struct fetcher *f, const void *arg)
{
	(void)f;
	for (size_t i = 0; i < n_request;)
		if (request[i].arg == arg)
			request[i] = request[--n_request];
		else
			i++;
}

/* The oldest request gets this answer and the bytes, which are freed. */
static void
request_answer(struct fetch_answer a, struct buf bytes)
{
	struct request r = request[0];
	struct fetch_body body = {.bytes = bytes};

	assert_true(n_request > 0);
	n_request--;
	memmove(&request[0], &request[1], n_request * sizeof request[0]);
	a.body = &body;
	r.fn(r.arg, &a);
	buf_free(&body.bytes);
}

/* ---- a tree */

#define LEAVES 70000 /* tiles of three levels */

static struct tree_hasher *hasher;
static struct tree_hash leaf[LEAVES];

static int
tree_open(void **state)
{
	(void)state;
	hasher = tree_hasher_new();
	assert_non_null(hasher);
	for (uint32_t i = 0; i < LEAVES; i++)
		tree_leaf_hash(hasher, &leaf[i], span_of(&i, sizeof i), span_of(NULL, 0));
	return 0;
}

static int
tree_close(void **state)
{
	(void)state;
	tree_hasher_free(hasher);
	return 0;
}

static struct tree_hash
root_of(size_t first, size_t n)
{
	struct tree_range range = {0};
	struct tree_hash root;

	for (size_t i = 0; i < n; i++)
		assert_int_equal(tree_range_append(hasher, &range, &leaf[first + i]), RES_OK);
	tree_range_root(hasher, &root, &range);
	return root;
}

static enum res
tree_on_node(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	(void)arg;
	*out = root_of(index << level, (size_t)1 << level);
	return RES_OK;
}

static struct ctlog toy_tiled = {.id = {1}, .description = "Tiles", .tiled = true}, toy_plain = {.id = {2}, .description = "Plain"};
static const struct watch_log tiled = {&toy_tiled, "https://127.0.0.1/t/", "01"}, plain = {&toy_plain, "https://127.0.0.1/p/", "02"};

/* ---- a proof */

static struct {
	unsigned times;
	enum res res;
	struct tree_proof proof;
} result;

static void
on_result(void *arg, const struct proof_result *r)
{
	(void)arg;
	result.times++;
	result.res = r->res;
	if (r->res == RES_OK)
		result.proof = *r->proof;
	else
		assert_non_null(r->why);
}

static bool
holds(const struct proof_request *r)
{
	struct tree_hash old = root_of(0, (size_t)(r->inclusion ? 1 : r->first)), new = root_of(0, (size_t)r->second);

	return (r->inclusion ? tree_inclusion_verify(hasher, &leaf[r->first], r->first, r->second, &result.proof, &new)
			     : tree_consistency_verify(hasher, r->first, &old, r->second, &new, &result.proof)) == RES_OK;
}

enum tile_fault {
	TILE_GOOD, TILE_ALTERED, TILE_SHORT, TILE_LONG, TILE_GONE, TILE_TROUBLE, TILE_PACKED, PARTIAL_GONE, PARTIAL_GONE_SHORT
};

/* Answers the oldest request as a log with so many leaves does. */
static void
tile_give(uint64_t size, enum tile_fault fault)
{
	struct fetch_answer answer = {.result = FETCH_ANSWER, .status = 404};
	struct buf bytes = buf_max(1 << 20), url = buf_max(FETCHER_URL_MAX);

	for (unsigned level = 0; level < 3 && bytes.n == 0; level++)
		for (uint64_t tile = 0; tile <= size >> (8 * level) / TILE_WIDTH && bytes.n == 0; tile++)
			for (int whole = 0; whole < 2 && bytes.n == 0; whole++) {
				unsigned width = source_tile_width(level, tile, size);

				if (width == 0 || (width < TILE_WIDTH && whole != (fault >= PARTIAL_GONE)))
					continue;
				buf_clear(&url);
				source_tile_url(&url, &tiled, level, tile, whole ? TILE_WIDTH : width);
				if (strcmp(buf_cstr(&url), request[0].url) != 0)
					continue;
				/* a full tile of a larger tree: the hashes beyond this tree do not matter */
				for (unsigned i = 0; i < (whole ? TILE_WIDTH : width); i++) {
					struct tree_hash h = i < width ? root_of((tile * TILE_WIDTH + i) << (8 * level), (size_t)1 << (8 * level)) : leaf[0];

					buf_put(&bytes, span_of(h.b, sizeof h.b));
				}
			}
	if (bytes.n > 0)
		answer.status = fault == TILE_GONE ? 404 : fault == TILE_TROUBLE ? 500 : 200;
	if (bytes.n > 0 && fault == TILE_ALTERED)
		for (size_t i = 0; i < bytes.n; i += TREE_HASH_SIZE)
			bytes.p[i] ^= 1;
	if (bytes.n > 0 && (fault == TILE_SHORT || fault == PARTIAL_GONE_SHORT))
		bytes.n -= TREE_HASH_SIZE;
	if (fault == TILE_LONG)
		buf_put(&bytes, span_of(leaf[0].b, TREE_HASH_SIZE));
	answer.gzip = fault == TILE_PACKED;
	buf_free(&url);
	request_answer(answer, bytes);
}

static void
proofs_are_made_of_tiles(void **state)
{
	static const struct {
		const char *what;
		bool inclusion;
		uint64_t first, second;
		enum tile_fault fault;
		enum res res;
		bool holds;
	} rows[] = {
	    {"an entry of one tile", true, 3, 200, TILE_GOOD, RES_OK, true},
	    {"an entry of three levels", true, 69999, LEAVES, TILE_GOOD, RES_OK, true},
	    {"the first of three levels", true, 0, LEAVES, TILE_GOOD, RES_OK, true},
	    {"a tree of full tiles", true, 300, 65536, TILE_GOOD, RES_OK, true},
	    {"a tree that grew in a tile", false, 3, 200, TILE_GOOD, RES_OK, true},
	    {"a tree that grew by levels", false, 255, LEAVES, TILE_GOOD, RES_OK, true},
	    {"a tree that grew from full tiles", false, 65536, LEAVES, TILE_GOOD, RES_OK, true},
	    {"the partial tiles are gone, and the full ones there", true, 69999, LEAVES, PARTIAL_GONE, RES_OK, true},
	    {"the same for a tree that grew", false, 300, 700, PARTIAL_GONE, RES_OK, true},
	    {"hashes are altered", true, 300, 700, TILE_ALTERED, RES_OK, false},
	    {"a tile is cut", true, 300, 700, TILE_SHORT, RES_MALFORMED, false},
	    {"a full tile in place of a partial one is cut", true, 699, 700, PARTIAL_GONE_SHORT, RES_MALFORMED, false},
	    {"a tile has one hash more", true, 300, 700, TILE_LONG, RES_MALFORMED, false},
	    {"a tile is packed", true, 300, 700, TILE_PACKED, RES_MALFORMED, false},
	    {"tiles are gone", true, 300, 700, TILE_GONE, RES_IO, false},
	    {"the log has a server error", false, 300, 700, TILE_TROUBLE, RES_IO, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct proof_request r = {&tiled, rows[i].inclusion, rows[i].first, rows[i].second, leaf[rows[i].first]};
		struct proof_job *job = NULL;

		result.times = 0;
		n_sent = 0;
		assert_int_equal(proof_start(&job, NULL, hasher, &r, on_result, NULL), RES_OK);
		while (n_request > 0)
			tile_give(rows[i].second, rows[i].fault);
		if (result.times != 1 || result.res != rows[i].res || (rows[i].res == RES_OK && holds(&r) != rows[i].holds) ||
		    n_sent > 2 * PROOF_TILES_MAX)
			fail_msg("%s: %u results, the last %d, %zu requests", rows[i].what, result.times, (int)result.res, n_sent);
	}
}

static void
a_proof_that_is_dropped_calls_nobody(void **state)
{
	struct proof_request r = {&tiled, true, 300, LEAVES, leaf[300]};
	struct proof_job *job = NULL;

	(void)state;
	result.times = 0;
	assert_int_equal(proof_start(&job, NULL, hasher, &r, on_result, NULL), RES_OK);
	assert_true(n_request > 1);
	tile_give(LEAVES, TILE_GOOD);
	proof_drop(job);
	assert_int_equal(n_request, 0);
	assert_int_equal(result.times, 0);
}

/* In JSON: @P the hashes of the right proof, @1 one hash, @X 65 hashes. */
static void
json_fill(struct buf *out, const char *text, const struct tree_proof *proof)
{
	for (; *text != '\0'; text++) {
		size_t n = *text != '@' ? 0 : text[1] == 'P' ? proof->n : text[1] == '1' ? 1 : TREE_PROOF_MAX + 1;

		if (*text != '@')
			buf_u8(out, (uint8_t)*text);
		for (size_t i = 0; i < n; i++) {
			buf_text(out, i == 0 ? "\"" : ",\"");
			base64_write(out, span_of(proof->hash[i % proof->n].b, TREE_HASH_SIZE));
			buf_text(out, "\"");
		}
		text += n > 0;
	}
}

static void
proofs_are_read_from_json(void **state)
{
	static const struct {
		const char *what;
		bool inclusion;
		struct fetch_answer answer;
		const char *body;
		enum res res;
		bool holds;
	} rows[] = {
#define OK200 {.result = FETCH_ANSWER, .status = 200}
	    {"an entry", true, OK200, "{\"leaf_index\":300,\"audit_path\":[@P]}", RES_OK, true},
	    {"a tree that grew", false, OK200, "{\"consistency\":[@P]}", RES_OK, true},
	    {"of another entry", true, OK200, "{\"leaf_index\":301,\"audit_path\":[@P]}", RES_MALFORMED, false},
	    {"of an entry with a negative index", true, OK200, "{\"leaf_index\":-300,\"audit_path\":[@P]}", RES_MALFORMED, false},
	    {"of no entry", true, OK200, "{\"audit_path\":[@P]}", RES_MALFORMED, false},
	    {"the index is a text", true, OK200, "{\"leaf_index\":\"300\",\"audit_path\":[@P]}", RES_MALFORMED, false},
	    {"another list", true, OK200, "{\"leaf_index\":300,\"consistency\":[@P]}", RES_MALFORMED, false},
	    {"hashes are missing", true, OK200, "{\"leaf_index\":300,\"audit_path\":[@1]}", RES_OK, false},
	    {"no hash", false, OK200, "{\"consistency\":[]}", RES_OK, false},
	    {"more hashes than any tree has", false, OK200, "{\"consistency\":[@X]}", RES_MALFORMED, false},
	    {"a hash is short", false, OK200, "{\"consistency\":[@1,\"AAAA\"]}", RES_MALFORMED, false},
	    {"a hash is not text", false, OK200, "{\"consistency\":[@1,7]}", RES_MALFORMED, false},
	    {"not a list", false, OK200, "{\"consistency\":{\"0\":@1}}", RES_MALFORMED, false},
	    {"not JSON", false, OK200, "<html>", RES_MALFORMED, false},
	    {"nothing", false, OK200, "", RES_MALFORMED, false},
	    {"nested without end", false, OK200, "{\"consistency\":[[[[[[[[]]]]]]]]}", RES_MALFORMED, false},
	    {"packed", false, {.result = FETCH_ANSWER, .status = 200, .gzip = true}, "{\"consistency\":[@P]}", RES_MALFORMED, false},
	    {"no such entry", true, {.result = FETCH_ANSWER, .status = 404}, "{}", RES_IO, false},
	    {"too many requests", false, {.result = FETCH_ANSWER, .status = 429}, "", RES_IO, false},
	    {"no answer", false, {.result = FETCH_TROUBLE, .why = "a time-out"}, "", RES_IO, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct proof_request r = {&plain, rows[i].inclusion, 300, 700, leaf[300]};
		struct fetch_answer answer = rows[i].answer;
		struct buf body = buf_max(65536);
		struct proof_job *job = NULL;
		struct tree_proof right;

		assert_int_equal(r.inclusion ? tree_inclusion_prove(hasher, &right, r.first, r.second, tree_on_node, NULL)
					     : tree_consistency_prove(hasher, &right, r.first, r.second, tree_on_node, NULL), RES_OK);
		json_fill(&body, rows[i].body, &right);
		result.times = 0;
		assert_int_equal(proof_start(&job, NULL, hasher, &r, on_result, NULL), RES_OK);
		request_answer(answer, body);
		if (result.times != 1 || n_request != 0 || result.res != rows[i].res ||
		    (rows[i].res == RES_OK && holds(&r) != rows[i].holds))
			fail_msg("%s: %u results, the last %d", rows[i].what, result.times, (int)result.res);
	}
}

/* ---- evidence */

static int64_t boot_ms;

static int64_t
scripted(void)
{
	return boot_ms;
}

static unsigned ended;

static void
on_evidence(void *arg, enum res res, const char *why, const struct watch_log *log, uint64_t index, const struct watch_evidence *e)
{
	(void)arg;
	(void)why;
	(void)log;
	(void)index;
	(void)e;
	ended += res == RES_IO;
}

/* Two logs of which the heads are known. */
static void
reader_fill(struct watch_reader *reader, struct follow follow[2], bool once)
{
	static const struct clock_source source = {scripted, scripted, scripted};

	clock_use(&source);
	boot_ms = 1000;
	memset(follow, 0, 2 * sizeof *follow);
	*reader = (struct watch_reader){.settings = {.once = once}, .hasher = hasher, .follow = follow, .n_follow = 2};
	for (size_t i = 0; i < 2; i++) {
		follow[i].reader = reader;
		follow[i].log = plain;
		follow[i].has_head = true;
		follow[i].state.head.size = 700;
	}
	ended = 0;
}

#define MINUTE ((int64_t)60 * 1000)
#define DAY    (24 * 60 * MINUTE)

static struct watch_reader reader;
static struct follow follows[2];

static void
evidence_is_not_asked_for_before_the_log_allows(void **state)
{
	static const struct {
		const char *what;
		long status;
		int64_t retry_after_ms;
		bool once;
		int64_t not_before_ms, by_ms; /* when it is asked for again; -1: never */
	} rows[] = {
	    {"429 without a time", 429, 0, false, PACE_BACKOFF_MS, 2 * PACE_BACKOFF_MS},
	    {"429 for an hour", 429, 60 * MINUTE, false, 60 * MINUTE, 60 * MINUTE},
	    {"503 for an hour", 503, 60 * MINUTE, false, 60 * MINUTE, 60 * MINUTE},
	    {"for a shorter time than after any failure", 429, 1, false, PACE_BACKOFF_MS, 2 * PACE_BACKOFF_MS},
	    {"for a year: as long as a day", 429, 365 * DAY, false, DAY, DAY},
	    {"--once waits for a minute", 429, MINUTE, true, MINUTE, MINUTE},
	    {"--once does not wait for an hour", 429, 60 * MINUTE, true, -1, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct fetch_answer answer = {.result = FETCH_ANSWER, .status = rows[i].status, .retry_after_ms = rows[i].retry_after_ms};
		bool early;

		reader_fill(&reader, follows, rows[i].once);
		assert_int_equal(watch_evidence_get(&reader, &follows[0].log, 300, on_evidence, NULL), RES_OK);
		proven_step(&reader, boot_ms);
		assert_int_equal(n_request, 1);
		request_answer(answer, buf_max(0));
		if (rows[i].by_ms >= 0)
			proven_step(&reader, boot_ms += rows[i].not_before_ms - 1);
		early = n_request > 0;
		proven_step(&reader, boot_ms += rows[i].by_ms >= 0 ? rows[i].by_ms - rows[i].not_before_ms + 1 : 2 * DAY);
		if (early || n_request != (rows[i].by_ms >= 0) || ended != (rows[i].by_ms < 0))
			fail_msg("%s: early %d, %zu requests, %u ended", rows[i].what, early, n_request, ended);
		proven_close(&reader);
		assert_int_equal(n_request, 0);
	}
}

/* A log with many findings that gives no evidence does not delay the evidence of another log. */
static void
a_log_takes_its_share_of_evidence(void **state)
{
	unsigned taken = 0;

	(void)state;
	reader_fill(&reader, follows, false);
	for (uint64_t i = 0; i < 2 * WATCH_EVIDENCE_MAX; i++)
		taken += watch_evidence_get(&reader, &follows[0].log, i, on_evidence, NULL) == RES_OK;
	assert_int_equal(taken, WATCH_EVIDENCE_LOG_MAX);
	assert_int_equal(watch_evidence_get(&reader, &follows[1].log, 7, on_evidence, NULL), RES_OK);
	proven_step(&reader, boot_ms);
	assert_int_equal(n_request, WATCH_EVIDENCE_LOG_MAX + 1);
	proven_close(&reader);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(proofs_are_made_of_tiles),
	    cmocka_unit_test(a_proof_that_is_dropped_calls_nobody),
	    cmocka_unit_test(proofs_are_read_from_json),
	    cmocka_unit_test(evidence_is_not_asked_for_before_the_log_allows),
	    cmocka_unit_test(a_log_takes_its_share_of_evidence),
	};

	return cmocka_run_group_tests(tests, tree_open, tree_close);
}
