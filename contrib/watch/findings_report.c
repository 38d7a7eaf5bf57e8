#include "contrib/watch/findings_report.h"

#include "base/log.h"
#include "base/text.h"

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
