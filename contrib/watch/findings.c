#include "config.h"

#include "contrib/watch/findings.h"

#include "base/clock.h"
#include "base/log.h"
#include "contrib/watch/evidence.h"
#include "contrib/watch/findings_act.h"
#include "contrib/watch/findings_again.h"
#include "contrib/watch/findings_report.h"
#include "contrib/watch/judgement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- what waits */

static struct waiting *
free_place(struct watch_findings *w)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f == NULL)
			return &w->waiting[i];
	return NULL;
}

static size_t
places_of(const struct watch_findings *w, const uint8_t log_id[32])
{
	size_t n = 0;

	for (size_t i = 0; i < WAITING_MAX; i++)
		n += w->waiting[i].f != NULL && memcmp(w->waiting[i].f->log_id, log_id, 32) == 0;
	return n;
}

/* A log that floods us with findings must not keep those of another log from being acted on: the newest finding of the
 * log with the most places loses its place, unless f is of that log itself. One whose actions fail, say because the disk
 * is full, loses it before any other. */
static struct waiting *
place_to_lose(struct watch_findings *w, const struct watch_finding *f)
{
	size_t most = places_of(w, f->log_id) + 1;
	struct waiting *place = NULL;

	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].resting)
			return &w->waiting[i];
	for (size_t i = 0; i < WAITING_MAX; i++) {
		size_t n = places_of(w, w->waiting[i].f->log_id);

		if (n > most || (n == most && place != NULL && w->waiting[i].since_ms >= place->since_ms)) {
			most = n;
			place = &w->waiting[i];
		}
	}
	return place;
}

static struct waiting *
place_make(struct watch_findings *w, const struct watch_finding *f)
{
	struct waiting *place = place_to_lose(w, f);

	if (place != NULL) {
		w->backlog = true;
		log_event(LOG_WARN, "too-many-findings", LOG_STR("log", place->f->log),
			  LOG_INT("index", place->f->index));
		finding_free(place->f);
	}
	return place;
}

/* f is taken: it waits for its chain or for what is to be done about it. */
static void
finding_wait(struct watch_findings *w, struct watch_finding *f, const struct watch_log *log)
{
	struct waiting *place = free_place(w);

	if (place == NULL)
		place = place_make(w, f);
	if (place == NULL) { /* what is recorded is done when places are free */
		w->backlog = true;
		log_event(LOG_WARN, "too-many-findings", LOG_STR("log", f->log), LOG_INT("index", f->index));
		finding_free(f);
		return;
	}
	*place = (struct waiting){.w = w, .f = f, .log = log, .since_ms = clock_boot_ms()};
}

/* ---- entries */

/* A new certificate. f is taken. */
static enum res
finding_begin(struct watch_findings *w, struct watch_finding *f, const struct watch_log *log)
{
	enum finding_judged judgement = finding_judge(f, w->plan, NULL);
	bool waits = judgement == JUDGEMENT_NEEDS_CHAIN && w->reader != NULL;
	enum res res = waits ? record_finding(w->record, f, RECORD_PENDING, true) : finding_report(w, f);

	if (waits && res == RES_LIMIT)
		res = finding_report(w, f);
	if (res == RES_OK && f->kind != FINDING_EXPECTED)
		finding_wait(w, f, log);
	else
		finding_free(f);
	return res;
}

/*
 * A rogue certificate that another log has too. That log may prove what the first one did not, or give a chain that shows
 * that the certificate is expected: a made-up entry must not decide by coming first.
 */
static enum res
finding_met_again(struct watch_findings *w, const struct watch_entry *e, struct record_entry *known)
{
	bool open = known->kind == FINDING_ROGUE && (known->marks & RECORD_WITHDRAWN) == 0;
	struct watch_finding *f;
	enum res res;

	w->totals.again++;
	if (!open || w->reader == NULL || !record_source_add(known, e->log->ctlog->id))
		return RES_OK;
	f = finding_new(w->plan, e, &w->match, clock_wall_ms());
	if (f == NULL)
		return RES_NOMEM;
	(void)finding_judge(f, w->plan, NULL);
	res = record_finding(w->record, f, RECORD_AGAIN, true);
	if (res != RES_OK && res != RES_LIMIT)
		finding_free(f);
	else
		finding_wait(w, f, e->log);
	return res == RES_LIMIT ? RES_OK : res;
}

bool
watch_entry_seen(struct watch_findings *w, const struct watch_entry *e)
{
	bool met = watch_list_match(w->plan->list, &w->match, e->certificate, e->precertificate);
	struct record_entry *known = NULL;
	uint8_t id[FINDING_ID_SIZE];
	struct watch_finding *f;
	enum res res;

	if (!met && !e->unreadable)
		return true;
	res = finding_id(id, finding_bytes(e, &w->match));
	if (res == RES_OK)
		known = record_find(w->record, id);
	if (known != NULL) {
		res = finding_met_again(w, e, known);
	} else if (res == RES_OK) {
		f = finding_new(w->plan, e, &w->match, clock_wall_ms());
		res = f == NULL ? RES_NOMEM : finding_begin(w, f, e->log);
	}
	if (res != RES_OK)
		finding_unrecorded_log(w, e->log->ctlog->description, LOG_INT("index", e->index), res);
	return res == RES_OK;
}

enum res
watch_findings_sync(struct watch_findings *w)
{
	bool lost = w->lost;

	w->lost = false;
	return lost ? RES_IO : RES_OK;
}

/* ---- logs */

/* How many findings about this log there were in this run. */
static unsigned *
misbehaved_of(struct watch_findings *w, const uint8_t id[32])
{
	for (size_t i = 0; i < w->n_logs; i++)
		if (memcmp(w->logs[i].id, id, 32) == 0)
			return &w->logs[i].n;
	if (w->n_logs == LOGS_MAX)
		return &w->logs[LOGS_MAX - 1].n;
	memcpy(w->logs[w->n_logs].id, id, 32);
	return &w->logs[w->n_logs++].n;
}

bool
watch_log_misbehaved(struct watch_findings *w, const struct watch_misbehaviour *m)
{
	struct watch_finding *f = finding_of_log(m, clock_wall_ms());
	unsigned *n = misbehaved_of(w, m->log->ctlog->id);
	enum res res;

	if (f != NULL && (record_find(w->record, f->id) != NULL || *n >= FINDINGS_MISBEHAVED_MAX)) {
		w->totals.again++;
		finding_free(f);
		return true;
	}
	res = f == NULL ? RES_NOMEM : finding_report(w, f);
	if (res != RES_OK) {
		finding_unrecorded_log(w, m->log->ctlog->description, LOG_STR("problem", m->kind), res);
		w->lost = true;
		finding_free(f);
		return false;
	}
	(*n)++;
	if (evidence_has_room(w, f))
		finding_evidence_log(w, f, EVIDENCE_FOLDER, evidence_write_log(w->folder, f, m) ? 0 : errno);
	finding_wait(w, f, m->log);
	return true;
}

/* ---- its life */

/* One finding of the record that waits for what was left undone. */
static void
finding_resume(struct watch_findings *w, const struct record_entry *e)
{
	struct watch_finding *f = NULL;

	if (record_load(w->record, e, &f) != RES_OK)
		return;
	if (f->kind == FINDING_ROGUE)
		(void)finding_judge(f, w->plan, NULL);
	finding_wait(w, f, NULL);
}

static bool
is_undone(const struct watch_findings *w, const struct record_entry *e)
{
	return e->line >= 0 &&
	       ((e->marks & RECORD_REPORTED) == 0 || (e->kind != FINDING_EXPECTED && !act_is_done(w, e)));
}

static void
latest_resume(struct watch_findings *w, const struct record_entry *e)
{
	struct watch_finding *f = NULL;

	if ((e->marks & RECORD_REPORTED) == 0 || e->kind == FINDING_EXPECTED ||
	    record_load(w->record, e, &f) != RES_OK)
		return;
	finding_latest_add(w, f);
	finding_free(f);
}

static size_t
places_free(const struct watch_findings *w)
{
	size_t n = 0;

	for (size_t i = 0; i < WAITING_MAX; i++)
		n += w->waiting[i].f == NULL;
	return n;
}

static bool
is_waiting(const struct watch_findings *w, const struct record_entry *e)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL && memcmp(w->waiting[i].f->id, e->id, sizeof e->id) == 0)
			return true;
	return false;
}

static bool
backlog_has_room(const struct watch_findings *w)
{
	return places_free(w) >= WAITING_MAX / 2;
}

/* Recorded findings without a place get one when half of the places are free. */
static void
backlog_step(struct watch_findings *w)
{
	size_t room = places_free(w);

	if (!w->backlog || !backlog_has_room(w))
		return;
	w->backlog = false;
	for (size_t i = 0; i < record_count(w->record); i++) {
		const struct record_entry *e = record_at(w->record, i);

		if (!is_undone(w, e) || is_waiting(w, e))
			continue;
		if (room == 0) {
			w->backlog = true;
			return;
		}
		finding_resume(w, e);
		room--;
	}
}

static void
findings_resume(struct watch_findings *w)
{
	for (size_t i = 0; i < record_count(w->record); i++) {
		const struct record_entry *e = record_at(w->record, i);

		act_reconsider(w, e);
		if ((e->marks & RECORD_REPORTED) != 0)
			w->totals.finding[e->kind]++;
		act_unblock(w, e);
		latest_resume(w, e);
		if (is_undone(w, e))
			finding_resume(w, e);
	}
}

enum res
watch_findings_open(struct watch_findings **out, const struct watch_plan *plan, int folder,
		    struct launcher *launcher, char **why)
{
	static const struct record_limits limits = {FINDINGS_MAX,       FINDINGS_LOG_MAX,
						    FINDINGS_ROGUE_MAX, FINDINGS_ROGUE_LOG_MAX,
						    FINDINGS_BYTES_MAX, FINDINGS_LOG_BYTES_MAX};
	struct watch_findings *w = calloc(1, sizeof *w);
	enum res res;

	if (w == NULL)
		return RES_NOMEM;
	w->plan = plan;
	w->folder = folder;
	w->launcher = launcher;
	w->again_ms = INT64_MAX;
	for (size_t i = 0; i < FINDINGS_LATEST_MAX; i++)
		w->latest[i] = buf_max(FINDING_LINE_MAX);
	res = record_open(&w->record, folder, &limits, why);
	if (res != RES_OK) {
		watch_findings_close(w);
		return res;
	}
	findings_resume(w);
	*out = w;
	return RES_OK;
}

void
watch_findings_attach(struct watch_findings *w, struct watch_reader *reader, watch_log_find_fn *find)
{
	w->reader = reader;
	w->log_find = find;
	for (size_t i = 0; i < WAITING_MAX; i++)
		w->waiting[i].asked = false;
}

void
watch_findings_close(struct watch_findings *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < WAITING_MAX; i++)
		finding_free(w->waiting[i].f);
	for (size_t i = 0; i < FINDINGS_LATEST_MAX; i++)
		buf_free(&w->latest[i]);
	record_close(w->record);
	free(w);
}

void
watch_findings_step(struct watch_findings *w)
{
	backlog_step(w);
	act_step(w);
}

bool
watch_findings_busy(const struct watch_findings *w)
{
	return act_busy(w) || (w->backlog && backlog_has_room(w));
}

int64_t
watch_findings_again(const struct watch_findings *w)
{
	return findings_again_ms(w);
}

const struct watch_totals *
watch_findings_totals(const struct watch_findings *w)
{
	return &w->totals;
}

enum res
watch_findings_latest(const struct watch_findings *w, struct buf *out)
{
	size_t n = w->n_latest < FINDINGS_LATEST_MAX ? w->n_latest : FINDINGS_LATEST_MAX;

	buf_text(out, "[");
	for (size_t i = 0; i < n; i++) {
		buf_text(out, i == 0 ? "" : ",");
		buf_put(out, buf_span(&w->latest[(w->n_latest - 1 - i) % FINDINGS_LATEST_MAX]));
	}
	buf_text(out, "]");
	return buf_ok(out) ? RES_OK : RES_LIMIT;
}
