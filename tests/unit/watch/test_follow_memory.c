/* A log is not blamed for a lack of memory: each allocation fails in turn while an answer is read, several times in a row. The
 * fetcher is scripted. */
#include "base/clock.h"
#include "base/text.h"
#include "contrib/watch/follow.h"
#include "contrib/watch/proof.h"
#include "tests/unit/failing_alloc.h"
#include "tests/unit/verify/ct/signing_log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* ---- a fetcher with one request, and findings that only count */

static struct {
	unsigned n;
	fetch_fn *fn;
	void *arg;
} request;

enum res
fetcher_get(struct fetcher *f, const struct fetch_request *r, fetch_fn *fn, void *arg)
{
	(void)f;
	(void)r;
	request.n++;
	request.fn = fn;
	request.arg = arg;
	return RES_OK;
}

void
fetcher_drop(struct fetcher *f, const void *arg)
{
	(void)f;
	(void)arg;
}

static unsigned blamed;

bool __wrap_watch_log_misbehaved(struct watch_findings *, const struct watch_misbehaviour *);
bool __wrap_watch_entry_seen(struct watch_findings *, const struct watch_entry *);

bool
__wrap_watch_log_misbehaved(struct watch_findings *w, const struct watch_misbehaviour *what)
{
	(void)w;
	(void)what;
	blamed++;
	return true;
}

bool
__wrap_watch_entry_seen(struct watch_findings *w, const struct watch_entry *e)
{
	(void)w;
	(void)e;
	return true;
}

static int64_t now_ms;

static int64_t
scripted(void)
{
	return now_ms;
}

/* ---- a log with five entries, all the same */

#define LEAVES 5
#define LEAF   "AAAAAAAAAAAAAQAAAAABMAAA" /* RFC 6962, 3.4: a certificate of one byte */

static struct ctlog ctlog = {.description = "Plain", .state = CTLOG_READONLY};
static const struct watch_log watched = {&ctlog, "https://127.0.0.1/p/", "02"};
static struct tree_hasher *hasher;
static struct tree_hash leaf;

static enum res
tree_on_node(void *arg, unsigned level, uint64_t index, struct tree_hash *out)
{
	struct tree_range range = {0};

	(void)arg;
	(void)index;
	for (unsigned i = 0; i < 1u << level; i++)
		assert_int_equal(tree_range_append(hasher, &range, &leaf), RES_OK);
	tree_range_root(hasher, out, &range);
	return RES_OK;
}

static struct head
head_of(uint64_t size)
{
	struct head head = {.size = size, .timestamp_ms = size};
	struct tree_range range = {0};

	for (uint64_t i = 0; i < size; i++)
		assert_int_equal(tree_range_append(hasher, &range, &leaf), RES_OK);
	tree_range_root(hasher, &head.root, &range);
	signing_log_sign(&head);
	return head;
}

static void
head_put(struct buf *out)
{
	const struct head head = head_of(LEAVES);

	head_write_sth(out, &head);
}

static void
proof_put(struct buf *out)
{
	struct tree_proof proof;

	assert_int_equal(tree_consistency_prove(hasher, &proof, 3, LEAVES, tree_on_node, NULL), RES_OK);
	buf_text(out, "{\"consistency\":[");
	for (size_t i = 0; i < proof.n; i++) {
		buf_text(out, i == 0 ? "\"" : ",\"");
		base64_write(out, span_of(proof.hash[i].b, TREE_HASH_SIZE));
		buf_text(out, "\"");
	}
	buf_text(out, "]}");
}

static void
entries_put(struct buf *out)
{
	buf_text(out, "{\"entries\":[");
	for (int i = 0; i < LEAVES; i++)
		buf_format(out, "%s{\"leaf_input\":\"" LEAF "\",\"extra_data\":\"AAAA\"}", i == 0 ? "" : ",");
	buf_text(out, "]}");
}

/* As a log that writes its members in another order: jansson reads it. */
static void
entries_put_late(struct buf *out)
{
	buf_text(out, "{\"entries\":[");
	for (int i = 0; i < LEAVES; i++)
		buf_format(out, "%s{\"extra_data\":\"AAAA\",\"leaf_input\":\"" LEAF "\"}", i == 0 ? "" : ",");
	buf_text(out, "]}");
}

/* ---- what the watcher asks for */

static struct watch_reader reader;
static struct follow follow;

static void
answer_with(void (*put)(struct buf *), size_t fail_at, size_t *needed)
{
	struct fetch_body body = {.bytes = buf_max(65536)};
	struct fetch_answer answer = {.result = FETCH_ANSWER, .status = 200, .body = &body};

	put(&body.bytes);
	if (request.n != 1)
		fail_msg("%u requests instead of one (%s)", request.n, follow.trouble);
	request.n = 0;
	failing_alloc_begin(fail_at);
	request.fn(request.arg, &answer);
	*needed = failing_alloc_end();
	buf_free(&body.bytes);
}

static void
knows(uint64_t size)
{
	follow.state.head = head_of(size);
	follow.has_head = true;
}

static void head_begin(void) {}
static void head_ask(void) { heads_step(&follow, now_ms); }
static bool head_is_taken(void) { return follow.has_head; }

static void growth_begin(void) { knows(3); }
static bool growth_is_taken(void) { return follow.state.head.size == LEAVES; }

static void
growth_ask(void)
{
	size_t ignored;

	heads_step(&follow, now_ms);
	answer_with(head_put, 0, &ignored);
}

static void
start_begin(void)
{
	knows(LEAVES);
	reader.settings.from_kind = READER_FROM_INDEX;
	reader.settings.from = 3;
}

static void start_ask(void) { start_step(&follow, now_ms); }
static bool start_is_taken(void) { return follow.started; }

static void
search_begins(void)
{
	knows(LEAVES);
	follow.searching = true;
	follow.high = 1000;
	reader.settings.from_kind = READER_FROM_TIME;
}

static bool search_is_taken(void) { return follow.high == 500; }

static void
entries_begin(void)
{
	knows(LEAVES);
	follow.started = true;
}

static void entries_ask(void) { entries_step(&follow, now_ms); }
static bool entries_are_taken(void) { return follow.state.checked.size == LEAVES; }

static const struct {
	const char *what;
	void (*begin)(void);
	void (*ask)(void);
	void (*put)(struct buf *);
	bool (*is_taken)(void);
} answers[] = {
    {"a signed head", head_begin, head_ask, head_put, head_is_taken},
    {"the proof that a tree grew", growth_begin, growth_ask, proof_put, growth_is_taken},
    {"the proof of where to begin", start_begin, start_ask, proof_put, start_is_taken},
    {"an entry while a time is searched for", search_begins, start_ask, entries_put, search_is_taken},
    {"entries", entries_begin, entries_ask, entries_put, entries_are_taken},
    {"entries that jansson reads", entries_begin, entries_ask, entries_put_late, entries_are_taken},
};

static void
scene_open(size_t at)
{
	memset(&follow, 0, sizeof follow);
	reader = (struct watch_reader){.hasher = hasher, .follow = &follow, .n_follow = 1, .settings = {.poll_ms = 1000}};
	follow.reader = &reader;
	follow.log = watched;
	follow.entry_bytes = 1024;
	pace_open(&follow.pace);
	blamed = request.n = 0;
	answers[at].begin();
}

static void
scene_close(void)
{
	proof_drop(follow.proof);
	batch_free(&reader.batch);
	buf_free(&reader.unpacked);
}

/* Asks, and answers. Returns the allocations that this took. */
static size_t
round_play(size_t at, size_t fail_at)
{
	size_t needed;

	now_ms += (int64_t)24 * 60 * 60 * 1000;
	answers[at].ask();
	answer_with(answers[at].put, fail_at, &needed);
	return needed;
}

static void
a_log_is_not_blamed_for_a_lack_of_memory(void **state)
{
	static const struct clock_source source = {scripted, scripted, scripted};

	(void)state;
	clock_use(&source);
	for (size_t at = 0; at < sizeof answers / sizeof answers[0]; at++) {
		unsigned failed = 0;
		size_t needed;

		scene_open(at);
		needed = round_play(at, 0);
		if (!answers[at].is_taken() || blamed > 0 || needed == 0)
			fail_msg("%s: not taken with memory (%s)", answers[at].what, follow.trouble);
		scene_close();
		for (size_t i = 1; i <= needed; i++) {
			scene_open(at);
			for (unsigned n = 0; n < 2 * FOLLOW_GIVE_UP_ENTRIES && !answers[at].is_taken(); n++) {
				(void)round_play(at, i);
				failed += !answers[at].is_taken();
			}
			if (blamed > 0)
				fail_msg("%s: blamed without allocation %zu of %zu: %s", answers[at].what, i, needed, follow.trouble);
			if (!answers[at].is_taken())
				(void)round_play(at, 0);
			if (!answers[at].is_taken() || blamed > 0 || follow.trouble[0] != '\0')
				fail_msg("%s: not taken after allocation %zu of %zu: %s", answers[at].what, i, needed, follow.trouble);
			scene_close();
		}
		if (failed == 0)
			fail_msg("%s: no allocation matters", answers[at].what);
	}
}

static int
log_open(void **state)
{
	struct buf bytes = buf_max(64);

	(void)state;
	hasher = tree_hasher_new();
	assert_non_null(hasher);
	assert_int_equal(base64_read(&bytes, span_str(LEAF)), RES_OK);
	tree_leaf_hash(hasher, &leaf, span_of(NULL, 0), buf_span(&bytes));
	buf_free(&bytes);
	assert_true(signing_log_open(&ctlog));
	return 0;
}

static int
log_close(void **state)
{
	(void)state;
	tree_hasher_free(hasher);
	signing_log_close();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_log_is_not_blamed_for_a_lack_of_memory),
	};

	return cmocka_run_group_tests(tests, log_open, log_close);
}
