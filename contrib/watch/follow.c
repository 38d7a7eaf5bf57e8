#include "contrib/watch/follow.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"

#include <stdio.h>
#include <stdlib.h>

#define UNPACKED_KEPT ((size_t)2 * 1024 * 1024) /* of the buffer for unpacked answers, between two */

static const struct {
	const char *word, *text;
} misbehaviours[] = {
#define MISBEHAVIOUR(id, word, text) {word, text},
#include "contrib/watch/misbehaviour.def"
#undef MISBEHAVIOUR
};

bool
follow_misbehaved(struct follow *f, enum misbehaviour kind, const struct head *first,
		  const struct head *second, struct span bytes)
{
	const struct watch_misbehaviour what = {.log = &f->log,
						.kind = misbehaviours[kind].word,
						.text = misbehaviours[kind].text,
						.first = first,
						.second = second,
						.bytes = bytes};

	if (f->reported[kind])
		return true;
	f->reported[kind] = watch_log_misbehaved(f->reader->settings.findings, &what);
	f->misbehaviours += f->reported[kind];
	return f->reported[kind];
}

void
follow_well(struct follow *f, enum misbehaviour kind)
{
	f->reported[kind] = false;
}

static void
trouble_note(struct follow *f, const char *why)
{
	if (why == NULL)
		why = "no answer";
	if (f->trouble[0] == '\0')
		log_event(LOG_NOTICE, "log-trouble", LOG_STR("log", f->log.ctlog->description),
			  LOG_STR("why", why));
	(void)snprintf(f->trouble, sizeof f->trouble, "%s", why);
}

void
follow_failed(struct follow *f, const char *why)
{
	pace_failed(&f->pace, clock_boot_ms(), random_u32());
	f->failures++;
	f->total_failures++;
	trouble_note(f, why);
}

void
follow_content_bad(struct follow *f, const char *why)
{
	f->total_failures++;
	trouble_note(f, why);
	f->trouble_stays = true;
}

static void
trouble_end(struct follow *f)
{
	if (f->trouble[0] != '\0')
		log_event(LOG_NOTICE, "log-back", LOG_STR("log", f->log.ctlog->description));
	f->trouble[0] = '\0';
	f->trouble_stays = false;
}

void
follow_content_good(struct follow *f)
{
	if (f->trouble_stays && !f->head_refused)
		trouble_end(f);
}

static void
follow_good(struct follow *f)
{
	pace_succeeded(&f->pace);
	f->failures = 0;
	if (!f->trouble_stays)
		trouble_end(f);
}

bool
follow_answered(struct follow *f, const struct fetch_answer *answer)
{
	char why[64];

	if (answer->result == FETCH_ANSWER && answer->status == 200) {
		follow_good(f);
		return true;
	}
	if (answer->result != FETCH_ANSWER) {
		follow_failed(f, answer->why);
		return false;
	}
	(void)snprintf(why, sizeof why, "HTTP status %ld", answer->status);
	if (answer->status == 429 || (answer->status == 503 && answer->retry_after_ms > 0)) {
		pace_slowed(&f->pace, clock_boot_ms(), answer->retry_after_ms, random_u32());
		log_event(LOG_INFO, "log-slows-us", LOG_STR("log", f->log.ctlog->description),
			  LOG_INT("retry_after_ms", answer->retry_after_ms));
		return false;
	}
	follow_failed(f, why);
	return false;
}

void
follow_unread(struct follow *f)
{
	follow_content_bad(f, "no memory");
	follow_setback(f, ++f->refusals);
}

void
follow_setback(struct follow *f, unsigned times)
{
	int64_t wait_ms = PACE_BACKOFF_MS;

	while (times-- > 1 && wait_ms < PACE_BACKOFF_MAX_MS)
		wait_ms *= 2;
	f->again_ms = clock_boot_ms() + wait_ms / 2 + random_below((uint32_t)(wait_ms / 2 + 1));
}

void
follow_due(struct watch_reader *reader, int64_t at_ms)
{
	if (at_ms < reader->next_ms)
		reader->next_ms = at_ms;
}

void
follow_save(struct follow *f, bool now)
{
	int64_t at = clock_boot_ms();
	char *why = NULL;

	/* a state says where to go on: one without a start would say entry 0 */
	if (!f->dirty || !f->started)
		return;
	if (!now && at < f->saved_ms + FOLLOW_SAVE_MS) {
		follow_due(f->reader, f->saved_ms + FOLLOW_SAVE_MS);
		return;
	}
	f->saved_ms = at;
	/* what was found goes to disk first: a kill in between makes us read again, and lose nothing */
	if (watch_findings_sync(f->reader->settings.findings) != RES_OK)
		return;
	if (state_write(f->reader->settings.state_folder, &f->log, &f->state, &why) == RES_OK)
		f->dirty = f->unsaved = false;
	else if (!f->unsaved) { /* one line: a full disk stays full for a while */
		f->unsaved = true;
		log_event(LOG_ERROR, "state-not-written", LOG_STR("log", f->log.ctlog->description),
			  LOG_STR("why", why));
	}
	free(why);
}

/* ---- answers with entries */

enum res
reader_unpack(struct watch_reader *reader, struct span *out, struct span body, bool gzip)
{
	enum res r;

	*out = body;
	if (!gzip)
		return RES_OK;
	if (reader->unpacked.cap > UNPACKED_KEPT)
		buf_free(&reader->unpacked);
	r = gunzip_read(reader->gunzip, &reader->unpacked, body);
	*out = buf_span(&reader->unpacked);
	return r;
}

enum res
reader_entry_find(struct watch_reader *reader, const struct watch_log *log, struct span body, bool gzip,
		  uint64_t first, uint64_t index, struct batch_entry *out)
{
	enum res r = reader_unpack(reader, &body, body, gzip);

	if (r != RES_OK)
		return r;
	batch_open(&reader->batch, log->ctlog->tiled, body);
	do
		r = batch_next(&reader->batch, out, true);
	while (r == RES_OK && first++ < index);
	return r;
}
