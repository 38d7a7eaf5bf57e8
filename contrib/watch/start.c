/*
 * Where a log begins that has no state yet: at its end, at an entry, or at a time, with the compact range up to there.
 */
#include "contrib/watch/follow.h"

/* Entries of one time are this close to each other; the search need not be finer. */
#define SEARCH_FINE 256

static bool
is_power_of_two(uint64_t n)
{
	return n != 0 && (n & (n - 1)) == 0;
}

/* The log answered, but where to begin cannot be told from that. It is asked again later, and reported in the end. */
static void
start_refused(struct follow *f, enum misbehaviour kind, const char *why, struct span bytes)
{
	follow_content_bad(f, why);
	if (++f->refusals >= FOLLOW_GIVE_UP_ENTRIES)
		(void)follow_misbehaved(f, kind, NULL, &f->state.head, span_slice(bytes, 0, 4096));
	follow_setback(f, f->refusals);
}

static void
start_well(struct follow *f, enum misbehaviour kind)
{
	f->refusals = 0;
	follow_well(f, kind);
	follow_content_good(f);
}

static void
started(struct follow *f, const struct tree_range *range)
{
	f->state.range = f->state.checked = *range;
	f->state.start = range->size;
	f->started = true;
	f->dirty = true;
}

static void
start_on_proof(void *arg, const struct proof_result *result)
{
	struct follow *f = arg;
	struct tree_range range;

	f->proof = NULL;
	f->start_under_way = false;
	if (result->answer != NULL && !follow_answered(f, result->answer))
		return;
	if (result->res == RES_NOMEM) {
		follow_unread(f);
		return;
	}
	if (result->res != RES_OK) {
		start_refused(f, MISBEHAVIOUR_HEAD_UNPROVEN, result->why,
			      result->answer != NULL ? buf_span(&result->answer->body->bytes)
						     : span_of(NULL, 0));
		return;
	}
	/* f->candidate is the head that the proof was asked for */
	if (tree_range_from_proof(f->reader->hasher, &range, f->start, f->candidate.size, &f->candidate.root,
				  result->proof) == RES_OK) {
		start_well(f, MISBEHAVIOUR_HEAD_UNPROVEN);
		started(f, &range);
		return;
	}
	(void)follow_misbehaved(f, MISBEHAVIOUR_HEAD_UNPROVEN, NULL, &f->candidate,
				buf_span(&result->answer->body->bytes));
	start_refused(f, MISBEHAVIOUR_HEAD_UNPROVEN, "the proof of where to begin does not hold",
		      span_of(NULL, 0));
}

/* The proof between two trees holds the range of the first, unless that is one complete subtree: then we begin one entry
 * earlier. */
static void
range_ask(struct follow *f, uint64_t start)
{
	struct proof_request request = {.log = &f->log, .second = f->state.head.size};

	if (start >= request.second && start > 0)
		start = request.second == 0 ? 0 : request.second - 1;
	while (is_power_of_two(start))
		start--;
	if (start == 0) {
		started(f, &(struct tree_range){.size = 0});
		return;
	}
	f->start = request.first = start;
	f->candidate = f->state.head;
	if (proof_start(&f->proof, f->reader->fetcher, f->reader->hasher, &request, start_on_proof, f) !=
	    RES_OK)
		return;
	f->start_under_way = true;
	f->requests++;
}

/* ---- the search for a time */

static void
search_on_answer(void *arg, const struct fetch_answer *answer)
{
	struct follow *f = arg;
	uint64_t middle = f->low + (f->high - f->low) / 2;
	uint64_t first = f->log.ctlog->tiled ? middle / TILE_WIDTH * TILE_WIDTH : middle;
	struct batch_entry entry;
	enum res r;

	f->start_under_way = false;
	if (!follow_answered(f, answer))
		return;
	r = reader_entry_find(f->reader, &f->log, buf_span(&answer->body->bytes), answer->gzip, first, middle,
			      &entry);
	if (r == RES_NOMEM) {
		follow_unread(f);
		return;
	}
	if (r != RES_OK || !entry.readable) {
		start_refused(f, MISBEHAVIOUR_ENTRIES_MALFORMED,
			      "an entry that cannot be read while a time is searched for",
			      buf_span(&answer->body->bytes));
		return;
	}
	start_well(f, MISBEHAVIOUR_ENTRIES_MALFORMED);
	/* an entry may join the tree this long after its time */
	if (entry.entry.timestamp_ms + ctlog_mmd_ms(f->log.ctlog) < f->reader->settings.from)
		f->low = middle;
	else
		f->high = middle;
}

static void
search_ask(struct follow *f)
{
	uint64_t middle = f->low + (f->high - f->low) / 2;
	struct fetch_request request = {
	    .expected = f->log.ctlog->tiled ? 1024 * 1024 : 16384, .limit = FETCHER_ANSWER_MAX, .gzip = true};
	struct buf url = buf_max(FETCHER_URL_MAX);

	source_entries_url(&url, &f->log, middle, middle + 1,
			   source_tile_width(0, middle / TILE_WIDTH, f->state.head.size));
	request.url = buf_cstr(&url);
	if (request.url != NULL && fetcher_get(f->reader->fetcher, &request, search_on_answer, f) == RES_OK) {
		f->start_under_way = true;
		f->requests++;
	}
	buf_free(&url);
}

static void
search_begin(struct follow *f)
{
	f->searching = true;
	f->low = 0;
	f->high = f->state.head.size;
}

void
start_step(struct follow *f, int64_t now_ms)
{
	const struct reader_settings *s = &f->reader->settings;
	int64_t at_ms;

	if (f->started || !f->has_head || f->start_under_way || f->head_under_way || f->proof != NULL)
		return;
	at_ms = f->pace.not_before_ms > f->again_ms ? f->pace.not_before_ms : f->again_ms;
	if (at_ms > now_ms) {
		follow_due(f->reader, at_ms);
		return;
	}
	if (s->from_kind == READER_FROM_TIME && !f->searching)
		search_begin(f);
	if (f->searching && f->high - f->low > SEARCH_FINE)
		search_ask(f);
	else
		range_ask(f, f->searching                        ? f->low
			     : s->from_kind == READER_FROM_INDEX ? s->from
								 : f->state.head.size);
	follow_due(f->reader, now_ms + (f->started ? 0 : FOLLOW_RECHECK_MS));
}
