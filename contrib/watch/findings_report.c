#include "contrib/watch/findings_report.h"

#include "base/log.h"
#include "base/path.h"
#include "base/text.h"
#include "config/load.h"
#include "contrib/watch/evidence.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Lines about whether evidence is written: a full disk may have room for that of every other finding. */
#define EVIDENCE_LOG_BURST 20
#define EVIDENCE_LOG_MS    60000

/* A name in state-dir/watch as a path. Returns path. */
static const char *
path_of(const struct watch_findings *w, const char *name, char path[PATH_NAME_MAX])
{
	(void)snprintf(path, PATH_NAME_MAX, "%s/" WATCH_FOLDER "/%s", w->plan->snapshot->settings->state_dir,
		       name);
	return path;
}

void
finding_latest_add(struct watch_findings *w, const struct watch_finding *f)
{
	struct buf *place = &w->latest[w->n_latest % FINDINGS_LATEST_MAX];

	buf_clear(place);
	if (finding_write(place, f, "finding", false) == RES_OK)
		w->n_latest++;
}

static void
totals_count(struct watch_findings *w, const struct watch_finding *f)
{
	w->totals.finding[f->kind]++;
	if (f->kind != FINDING_EXPECTED)
		finding_latest_add(w, f);
}

static enum log_level
level_of(enum finding_kind kind)
{
	return kind == FINDING_EXPECTED ? LOG_NOTICE : kind == FINDING_ROGUE ? LOG_ERROR : LOG_WARN;
}

static void
finding_log(const struct watch_finding *f)
{
	char id[2 * FINDING_ID_SIZE + 1], time[TIME_TEXT_MAX];

	if (f->kind == FINDING_LOG_MISBEHAVED)
		log_event(LOG_ERROR, "log-misbehaved", LOG_STR("problem", f->problem), LOG_STR("log", f->log),
			  LOG_STR("id", finding_id_text(f, id)), LOG_STR("because", f->because));
	else
		log_event(level_of(f->kind), finding_kind_text(f->kind),
			  LOG_STR("item", f->n_item > 0 ? f->item[0] : NULL),
			  LOG_STR("upstream", f->n_item > 0 ? f->upstream[0] : NULL),
			  LOG_STR("because", f->because), LOG_STR("shown", f->shown),
			  LOG_STR("issuer", f->issuer), LOG_STR("serial", f->serial), LOG_STR("log", f->log),
			  LOG_INT("index", f->index), LOG_STR("logged", time_text_ms(f->logged_ms, time)),
			  LOG_STR("id", finding_id_text(f, id)));
}

enum res
finding_report(struct watch_findings *w, struct watch_finding *f)
{
	enum res res = record_finding(w->record, f, RECORD_REPORTED, f->kind != FINDING_EXPECTED);

	if (res == RES_LIMIT && w->totals.unrecorded++ == 0)
		log_event(LOG_ERROR, "record-full", LOG_STR("log", f->log),
			  LOG_INT("findings", record_count(w->record)));
	if (res != RES_OK && res != RES_LIMIT)
		return res;
	totals_count(w, f);
	finding_log(f);
	return RES_OK;
}

void
finding_unrecorded_log(const struct watch_findings *w, const char *log, struct log_field which, enum res res)
{
	const char *error = res == RES_IO ? strerror(errno) : res_text(res);
	char path[PATH_NAME_MAX];

	log_event(LOG_ERROR, "finding-not-recorded", LOG_STR("log", log), which, LOG_STR("error", error),
		  LOG_STR("path", path_of(w, RECORD_FILE, path)));
}

void
finding_evidence_log(struct watch_findings *w, const struct watch_finding *f, const char *name, int error)
{
	unsigned unwritten = w->evidence.unwritten;
	bool same = error == 0 ? unwritten == 0 : unwritten > 0 && error == w->evidence.error;
	char path[PATH_NAME_MAX];
	uint32_t left_out;

	w->evidence.unwritten = error == 0 ? 0 : unwritten + 1;
	w->evidence.error = error;
	if (same || !log_limit_ok(&w->evidence.log, EVIDENCE_LOG_BURST, EVIDENCE_LOG_MS, &left_out))
		return;
	if (error == 0)
		log_event(LOG_NOTICE, "evidence-written-again", LOG_INT("missing", unwritten));
	else
		log_event(LOG_WARN, "evidence-not-written", LOG_STR("log", f->log),
			  LOG_STR("error", strerror(error)), LOG_STR("path", path_of(w, name, path)));
}
