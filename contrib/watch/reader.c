#include "contrib/watch/reader.h"

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"
#include "contrib/watch/follow.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define IDLE_MS 60000

static bool
is_followed(const struct ctlog *log)
{
	switch (log->state) {
	case CTLOG_PENDING:
	case CTLOG_QUALIFIED:
	case CTLOG_USABLE:
	case CTLOG_READONLY:
		return !log->never_counts;
	case CTLOG_RETIRED:
	case CTLOG_REJECTED:
		break;
	}
	return false;
}

static enum res
follow_open(struct watch_reader *reader, struct follow *f, const struct ctlog *log, char **why)
{
	enum res r;

	f->reader = reader;
	f->log.ctlog = log;
	f->log.url = log->url;
	(void)hex_write(f->log.id_hex, span_of(log->id, 32));
	pace_open(&f->pace);
	f->entry_bytes = 6144;
	f->saved_ms = INT64_MIN / 2;
	r = state_load(&f->state, reader->settings.state_folder, &f->log, why);
	f->started = f->has_head = r == RES_OK && f->state.head.n_signature > 0;
	return r == RES_NOT_FOUND ? RES_OK : r;
}

static enum res
follows_open(struct watch_reader *reader, char **why)
{
	const struct ctlogs *logs = reader->settings.logs;
	size_t n = ctlogs_count(logs);
	enum res r = RES_OK;

	reader->follow = calloc(n + 1, sizeof *reader->follow);
	reader->left_out = calloc(n + 1, sizeof *reader->left_out);
	if (reader->follow == NULL || reader->left_out == NULL)
		return RES_NOMEM;
	for (size_t i = 0; r == RES_OK && i < n; i++) {
		const struct ctlog *log = ctlogs_at(logs, i);

		if (!is_followed(log))
			continue;
		if (log->url == NULL)
			reader->left_out[reader->n_left_out++] = log;
		else
			r = follow_open(reader, &reader->follow[reader->n_follow++], log, why);
	}
	return r;
}

enum res
watch_reader_open(struct watch_reader **out, const struct reader_settings *settings, char **why)
{
	struct watch_reader *reader = calloc(1, sizeof *reader);
	enum res r;

	if (reader == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	reader->settings = *settings;
	reader->unpacked = buf_max(FOLLOW_UNPACKED_MAX);
	reader->fetcher = fetcher_new(settings->servers);
	reader->hasher = tree_hasher_new();
	reader->gunzip = gunzip_new();
	r = reader->fetcher != NULL && reader->hasher != NULL && reader->gunzip != NULL
		? follows_open(reader, why)
		: RES_NOMEM;
	if (r != RES_OK) {
		watch_reader_close(reader);
		return r == RES_NOMEM ? why_say(why, r, "no memory") : r;
	}
	*out = reader;
	return RES_OK;
}

void
watch_reader_close(struct watch_reader *reader)
{
	if (reader == NULL)
		return;
	if (reader->fetcher != NULL)
		proven_close(reader);
	for (size_t i = 0; i < reader->n_follow; i++) {
		heads_close(&reader->follow[i]);
		entries_close(&reader->follow[i]);
		follow_save(&reader->follow[i], true);
	}
	fetcher_free(reader->fetcher);
	tree_hasher_free(reader->hasher);
	gunzip_free(reader->gunzip);
	batch_free(&reader->batch);
	buf_free(&reader->unpacked);
	free(reader->follow);
	free(reader->left_out);
	free(reader);
}

/* All that --once can do for this log is done. */
static bool
follow_is_done(const struct follow *f)
{
	if (f->failures >= FOLLOW_GIVE_UP || f->unrecorded >= FOLLOW_GIVE_UP ||
	    f->refusals >= FOLLOW_GIVE_UP_ENTRIES || f->setbacks > 0)
		return true;
	if (f->polled && !f->has_head)
		return true; /* what the log gave is not its head */
	return f->polled && f->started && !f->has_target && f->state.head.size <= f->state.range.size;
}

bool
watch_reader_done(const struct watch_reader *reader)
{
	for (size_t i = 0; i < reader->n_follow; i++)
		if (!follow_is_done(&reader->follow[i]))
			return false;
	for (size_t i = 0; i < WATCH_EVIDENCE_MAX; i++)
		if (reader->proven[i].used)
			return false;
	return true;
}

static void
follow_step(struct follow *f, int64_t now_ms)
{
	if (f->reader->settings.once && follow_is_done(f)) {
		follow_save(f, !f->unsaved);
		return;
	}
	heads_step(f, now_ms);
	start_step(f, now_ms);
	entries_step(f, now_ms);
	/* A log at rest has its state written at once, for those who read the status. A write that failed is not tried again with
	 * each answer. */
	follow_save(f, f->started && !f->has_target && !f->unsaved);
}

/* Answers that wait for an earlier one can fill the budget, so that the earlier one cannot be requested: nothing would be
 * under way, for ever. */
static void
room_make(struct watch_reader *reader)
{
	if (!reader->no_room || fetcher_under_way(reader->fetcher) > 0)
		return;
	for (size_t i = 0; i < reader->n_follow; i++)
		entries_give_way(&reader->follow[i]);
}

bool
watch_reader_run(struct watch_reader *reader, int64_t until_ms, int fd, bool *readable)
{
	const bool once = reader->settings.once, was_done = once && watch_reader_done(reader);
	int64_t now_ms = clock_boot_ms();

	reader->next_ms = now_ms + IDLE_MS;
	reader->no_room = false;
	follow_due(reader, until_ms);
	/* begins with a random log, so that none is always the last to get room */
	for (size_t i = 0, first = random_below((uint32_t)reader->n_follow + 1); i < reader->n_follow; i++)
		follow_step(&reader->follow[(first + i) % reader->n_follow], now_ms);
	proven_step(reader, now_ms);
	room_make(reader);
	*readable = false;
	/* The caller may have nothing to wait for. If it has, it calls again, and then this waits. */
	if (once && !was_done && watch_reader_done(reader))
		return true;
	return fetcher_wait(reader->fetcher, reader->next_ms - now_ms, fd, readable);
}

size_t
watch_reader_count(const struct watch_reader *reader)
{
	return reader->n_follow;
}

void
watch_reader_progress(const struct watch_reader *reader, size_t i, struct watch_progress *out)
{
	const struct follow *f = &reader->follow[i];

	*out = (struct watch_progress){.log = &f->log,
				       .started = f->started,
				       .position = f->state.range.size,
				       .verified = f->state.checked.size,
				       .head_size = f->has_head ? f->state.head.size : 0,
				       .head_ms = f->has_head ? (int64_t)f->state.head.timestamp_ms : 0,
				       .entry_ms = f->entry_ms,
				       .entries = f->entries,
				       .bytes = f->bytes,
				       .requests = f->requests,
				       .failures = f->total_failures,
				       .misbehaviours = f->misbehaviours,
				       .trouble = f->trouble[0] != '\0' ? f->trouble : NULL};
}

const struct ctlog *
watch_reader_left_out(const struct watch_reader *reader, size_t i)
{
	return i < reader->n_left_out ? reader->left_out[i] : NULL;
}

const struct watch_log *
watch_reader_find(const struct watch_reader *reader, const uint8_t id[32])
{
	for (size_t i = 0; i < reader->n_follow; i++)
		if (memcmp(reader->follow[i].log.ctlog->id, id, 32) == 0)
			return &reader->follow[i].log;
	return NULL;
}
