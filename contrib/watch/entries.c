/*
 * Entries: ranges are fetched concurrently and hashed in order, and the root at their end must be the signed one.
 */
#include "contrib/watch/follow.h"

#include <string.h>

/* Of an entry in an answer, until it is known: JSON with the chain, or a tile's leaf. */
#define ENTRY_BYTES_FIRST 6144
#define ENTRY_BYTES_MIN   256

static void
slot_clear(struct slot *slot)
{
	fetch_body_free(slot->follow->reader->fetcher, &slot->body);
	slot->here = false;
}

/* Slots stay where they are: a transfer knows its slot by its address. */
static struct slot *
slot_at(struct follow *f, size_t i)
{
	return &f->slot[(f->first_slot + i) % PACE_PARALLEL_MAX];
}

static size_t
slot_number(struct follow *f, const struct slot *slot)
{
	return ((size_t)(slot - f->slot) + PACE_PARALLEL_MAX - f->first_slot) % PACE_PARALLEL_MAX;
}

/* Drops the slots from number `from` on. Their entries are asked for again. */
static void
slots_drop(struct follow *f, size_t from)
{
	for (size_t i = from; i < f->n_slots; i++) {
		struct slot *slot = slot_at(f, i);

		if (slot->under_way) {
			fetcher_drop(f->reader->fetcher, slot);
			f->under_way--;
		}
		slot_clear(slot);
		slot->under_way = false;
	}
	if (f->n_slots > from)
		f->n_slots = from;
}

void
entries_close(struct follow *f)
{
	slots_drop(f, 0);
}

void
entries_give_way(struct follow *f)
{
	slots_drop(f, 1);
}

static void
slot_shift(struct follow *f)
{
	slot_clear(slot_at(f, 0));
	f->first_slot = (f->first_slot + 1) % PACE_PARALLEL_MAX;
	f->n_slots--;
}

/* ---- one entry */

/* False: it was, and that could not be recorded. */
static bool
merged_late_judge(struct follow *f, uint64_t index, uint64_t timestamp_ms)
{
	/* the head before did not have it, and was signed when it should have had */
	bool late = f->state.checked_ms != 0 && index >= f->state.checked.size &&
		    timestamp_ms + ctlog_mmd_ms(f->log.ctlog) < f->state.checked_ms;

	return !late || follow_misbehaved(f, MISBEHAVIOUR_MERGED_LATE, NULL, &f->target, span_of(NULL, 0));
}

static bool
entry_hand_over(struct follow *f, const struct batch_entry *e, uint64_t index)
{
	struct watch_entry entry = {.log = &f->log, .index = index, .unreadable = !e->readable};

	if (e->readable) {
		entry.timestamp_ms = e->entry.timestamp_ms;
		entry.precertificate = e->entry.precertificate;
		entry.certificate = e->entry.certificate;
		if (e->entry.precertificate)
			memcpy(entry.issuer_key_hash, e->entry.issuer_key_hash, 32);
		f->entry_ms = (int64_t)e->entry.timestamp_ms;
		if (!merged_late_judge(f, index, e->entry.timestamp_ms))
			return false;
	} else {
		entry.certificate = e->rest;
	}
	return watch_entry_seen(f->reader->settings.findings, &entry);
}

/* False: a finding in it could not be recorded, and the range ends before it. */
static bool
entry_take(struct follow *f, const struct batch_entry *e)
{
	struct tree_hash leaf;

	if (!entry_hand_over(f, e, f->state.range.size))
		return false;
	tree_leaf_hash(f->reader->hasher, &leaf, e->front, e->rest);
	(void)tree_range_append(f->reader->hasher, &f->state.range, &leaf);
	f->entries++;
	f->dirty = true;
	return true;
}

/* ---- one answer */

static void
root_judge(struct follow *f)
{
	struct tree_hash root;

	tree_range_root(f->reader->hasher, &root, &f->state.range);
	f->has_target = false;
	if (tree_hash_equal(&root, &f->target.root)) {
		f->state.checked = f->state.range;
		f->state.checked_ms = f->target.timestamp_ms;
		if (f->state.head.size == f->target.size && f->state.head.timestamp_ms > f->state.checked_ms)
			f->state.checked_ms = f->state.head.timestamp_ms;
		f->setbacks = 0;
		follow_well(f, MISBEHAVIOUR_ENTRIES_ALTERED);
		follow_content_good(f);
		return;
	}
	/* we cannot tell which entry it is: all since the last good root are read again */
	(void)follow_misbehaved(f, MISBEHAVIOUR_ENTRIES_ALTERED, NULL, &f->target,
				span_of(root.b, sizeof root.b));
	follow_content_bad(f, "the root of the entries is not the signed one");
	follow_setback(f, ++f->setbacks);
	f->state.range = f->state.checked;
}

static uint64_t
slot_first(const struct slot *slot)
{
	return slot->follow->log.ctlog->tiled ? slot->begin / TILE_WIDTH * TILE_WIDTH : slot->begin;
}

/* The entries of the first slot go into the range, as many as can be read. */
static enum res
slot_read(struct follow *f, const struct slot *slot, struct span body)
{
	struct batch *batch = &f->reader->batch;
	uint64_t index = slot_first(slot);
	struct batch_entry entry;
	enum res r;

	batch_open(batch, f->log.ctlog->tiled, body);
	while ((r = batch_next(batch, &entry, false)) == RES_OK && f->state.range.size < slot->end)
		if (index++ == f->state.range.size && !entry_take(f, &entry))
			return RES_IO;
	/* what a log gives beyond what was asked for is not looked at */
	return f->state.range.size == slot->end ? RES_OK : r;
}

/* The answer lacks entries that the log signed, or cannot be read. */
static void
slot_refused(struct follow *f, enum misbehaviour kind, const char *why, struct span body)
{
	follow_content_bad(f, why);
	if (++f->refusals >= FOLLOW_GIVE_UP_ENTRIES || kind == MISBEHAVIOUR_ANSWER_OVERSIZED)
		(void)follow_misbehaved(f, kind, NULL, &f->target, body);
	follow_setback(f, f->refusals);
	slots_drop(f, 1); /* their bytes are for others meanwhile */
}

static void
slot_unread(struct follow *f)
{
	follow_unread(f);
	slots_drop(f, 1);
}

/* The disk is full, say: it is not the log's fault, and the entry is read again. */
static void
slot_unrecorded(struct follow *f)
{
	follow_content_bad(f, "a finding cannot be recorded");
	follow_setback(f, ++f->unrecorded);
	slots_drop(f, 1);
}

static void
learn(struct follow *f, const struct slot *slot, uint64_t got, size_t bytes)
{
	size_t each = bytes / got + 1;

	/* the recent maximum, which decays */
	f->entry_bytes -= f->entry_bytes / 16;
	if (each + each / 4 > f->entry_bytes)
		f->entry_bytes = each + each / 4;
	if (f->entry_bytes < ENTRY_BYTES_MIN)
		f->entry_bytes = ENTRY_BYTES_MIN;
	if (!f->log.ctlog->tiled)
		pace_batch_learn(&f->pace, slot->end - slot->begin, got, bytes, FETCHER_ANSWER_MAX);
}

/* False: nothing more can be read now. */
static bool
slot_process(struct follow *f)
{
	struct slot *slot = slot_at(f, 0);
	uint64_t before = f->state.range.size;
	size_t bytes = slot->body.bytes.n;
	struct span body = buf_span(&slot->body.bytes);
	enum res r = reader_unpack(f->reader, &body, body, slot->gzip);

	if (r == RES_OK)
		r = slot_read(f, slot, body);
	f->bytes += bytes;
	if (f->state.range.size > before) {
		f->refusals = 0;
		learn(f, slot, f->state.range.size - before, bytes);
	}
	if (f->state.range.size == slot->end) {
		f->unrecorded = 0;
		follow_well(f, MISBEHAVIOUR_ENTRIES_WITHHELD);
		follow_well(f, MISBEHAVIOUR_ENTRIES_MALFORMED);
		follow_well(f, MISBEHAVIOUR_ANSWER_OVERSIZED);
		if (f->setbacks == 0)
			follow_content_good(f);
		slot_shift(f);
		return true;
	}
	slot->begin = f->state.range.size;
	if (r == RES_IO)
		slot_unrecorded(f);
	else if (r == RES_NOMEM)
		slot_unread(f);
	else if (r == RES_LIMIT)
		slot_refused(f, MISBEHAVIOUR_ANSWER_OVERSIZED, "an answer with entries is too large", body);
	else if (r != RES_NOT_FOUND)
		slot_refused(f, MISBEHAVIOUR_ENTRIES_MALFORMED, "an answer with entries cannot be read",
			     span_slice(body, 0, 4096));
	else if (f->state.range.size == before || f->log.ctlog->tiled)
		slot_refused(f, MISBEHAVIOUR_ENTRIES_WITHHELD, "an answer lacks entries",
			     span_slice(body, 0, 4096));
	slot_clear(slot); /* RFC 6962, 4.6: a log may give fewer; the rest is asked for */
	return false;
}

static void
slots_process(struct follow *f)
{
	while (f->n_slots > 0 && slot_at(f, 0)->here && slot_process(f))
		;
	if (f->has_target && f->state.range.size == f->target.size)
		root_judge(f);
}

/* ---- requests */

static size_t
slot_expected(const struct slot *slot)
{
	return (size_t)(slot->end - slot_first(slot)) * slot->follow->entry_bytes + 1024;
}

/* The answer is larger than one may be: fewer entries at a time, or the log is at fault. */
static void
slot_too_large(struct follow *f, struct slot *slot)
{
	if (f->log.ctlog->tiled || slot->end - slot->begin == 1) {
		slot_refused(f, MISBEHAVIOUR_ANSWER_OVERSIZED, "an answer with entries is too large",
			     span_of(NULL, 0));
		return;
	}
	pace_batch_shrink(&f->pace);
	slots_drop(f, slot_number(f, slot));
}

static void
slot_missing(struct follow *f, struct slot *slot, const struct fetch_answer *answer)
{
	unsigned width = source_tile_width(0, slot->begin / TILE_WIDTH, f->target.size);

	if (f->log.ctlog->tiled && width < TILE_WIDTH && !slot->whole) {
		slot->whole = true; /* "once a full tile is available, logs MAY omit partial tiles" */
		return;
	}
	slot->whole = false;
	slot_refused(f, MISBEHAVIOUR_ENTRIES_WITHHELD, "entries are missing", buf_span(&answer->body->bytes));
}

static void
slot_on_answer(void *arg, const struct fetch_answer *answer)
{
	struct slot *slot = arg;
	struct follow *f = slot->follow;

	slot->under_way = false;
	f->under_way--;
	switch (answer->result) {
	case FETCH_TOO_LARGE:
		slot_too_large(f, slot);
		return;
	case FETCH_NO_ROOM:
		/* asked again when this much is free */
		f->entry_bytes =
		    f->entry_bytes < FETCHER_ANSWER_MAX / 2 ? f->entry_bytes * 2 : FETCHER_ANSWER_MAX;
		return;
	case FETCH_ANSWER:
	case FETCH_TROUBLE:
	case FETCH_NOT_TRUSTED:
		break;
	}
	if (follow_answered(f, answer)) {
		fetch_body_take(&slot->body, answer->body);
		slot->gzip = answer->gzip;
		slot->here = true;
		slots_process(f);
	} else if (answer->result == FETCH_ANSWER &&
		   (answer->status == 404 || answer->status == 400 || answer->status == 410)) {
		slot_missing(f, slot, answer);
	} else if (slot == slot_at(f, 0)) {
		slots_drop(f, 1);
	}
}

static bool
slot_ask(struct slot *slot, int64_t now_ms)
{
	struct follow *f = slot->follow;
	unsigned width =
	    slot->whole ? TILE_WIDTH : source_tile_width(0, slot->begin / TILE_WIDTH, f->target.size);
	struct fetch_request request = {
	    .expected = slot_expected(slot), .limit = FETCHER_ANSWER_MAX, .gzip = true};
	struct buf url = buf_max(FETCHER_URL_MAX);
	bool ok;

	source_entries_url(&url, &f->log, slot->begin, slot->end, width);
	request.url = buf_cstr(&url);
	ok = request.url != NULL && fetcher_get(f->reader->fetcher, &request, slot_on_answer, slot) == RES_OK;
	buf_free(&url);
	if (!ok)
		return false;
	slot->under_way = true;
	f->under_way++;
	f->requests++;
	pace_started(&f->pace, now_ms);
	return true;
}

/* The next range after those that are asked for. False: none is left, or no slot is free. */
static bool
slot_add(struct follow *f)
{
	uint64_t begin = f->n_slots == 0 ? f->state.range.size : slot_at(f, f->n_slots - 1)->end;
	uint64_t end = f->log.ctlog->tiled ? (begin / TILE_WIDTH + 1) * TILE_WIDTH : begin + f->pace.batch;

	if (f->n_slots >= f->pace.parallel || begin >= f->target.size)
		return false;
	*slot_at(f, f->n_slots) =
	    (struct slot){.follow = f, .begin = begin, .end = end < f->target.size ? end : f->target.size};
	f->n_slots++;
	return true;
}

static void
target_choose(struct follow *f)
{
	if (f->has_target || !f->started || f->state.head.size <= f->state.range.size)
		return;
	f->target = f->state.head;
	f->has_target = true;
}

void
entries_step(struct follow *f, int64_t now_ms)
{
	int64_t at;
	size_t i = 0;

	target_choose(f);
	if (!f->has_target)
		return;
	if (f->again_ms > now_ms) {
		follow_due(f->reader, f->again_ms);
		return;
	}
	while (i < f->n_slots || slot_add(f)) {
		struct slot *slot = slot_at(f, i);

		if (slot->under_way || slot->here) {
			i++;
			continue;
		}
		if (!pace_may_start(&f->pace, now_ms, f->under_way, &at)) {
			if (at != INT64_MAX)
				follow_due(f->reader, at);
			break;
		}
		if (!slot_ask(slot, now_ms)) {
			f->reader->no_room = true;
			follow_due(f->reader, now_ms + 50); /* the budget is full: others end soon */
			break;
		}
		i++;
	}
}
