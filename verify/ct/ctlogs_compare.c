/*
 * What a new list changes, and what it takes over from the one before.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (4 * 1024 * 1024) /* two full lists, a line a log */

static bool
operator_known(const struct ctlogs *list, const char *name)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->log[i].operator_name, name) == 0)
			return true;
	return false;
}

/* Counts each operator at its first log. */
static size_t
new_operators_count(struct buf *text, const struct ctlogs *before, const struct ctlogs *after)
{
	size_t count = 0;

	for (size_t i = 0; i < after->n; i++) {
		const char *name = after->log[i].operator_name;
		bool first = true;

		for (size_t j = 0; j < i && first; j++)
			first = strcmp(after->log[j].operator_name, name) != 0;
		if (first && !operator_known(before, name)) {
			buf_format(text, "+ operator %s\n", name);
			count++;
		}
	}
	return count;
}

static void
interval_text(struct buf *text, const struct ctlog *log)
{
	char from[TIME_TEXT_MAX], to[TIME_TEXT_MAX];

	if (log->interval_end_ms == 0)
		buf_text(text, "none");
	else
		buf_format(text, "%s to %s", time_text(log->interval_start_ms, from),
			   time_text(log->interval_end_ms, to));
}

static bool
operators_same(const struct ctlog *a, const struct ctlog *b)
{
	bool same = strcmp(a->operator_name, b->operator_name) == 0 && a->n_previous == b->n_previous;

	for (size_t i = 0; same && i < a->n_previous; i++)
		same = a->previous[i].end_ms == b->previous[i].end_ms &&
		       strcmp(a->previous[i].name, b->previous[i].name) == 0;
	return same;
}

/* One line with all that is different; false when nothing is. The name of a log differs between sources, and the time
 * since which it is current does not affect verdicts: neither counts as a change. */
static bool
log_compare(struct buf *text, const struct ctlog *a, const struct ctlog *b)
{
	char since[TIME_TEXT_MAX];
	size_t start = text->n, head;

	buf_format(text, "~ %s (%s):", b->description, b->operator_name);
	head = text->n;
	if (a->state != b->state || (a->state_ms != b->state_ms && b->state >= CTLOG_RETIRED))
		buf_format(text, " %s -> %s since %s,", ctlog_state_text(a->state),
			   ctlog_state_text(b->state),
			   b->state_ms == 0 ? "ever" : time_text(b->state_ms, since));
	if (!operators_same(a, b))
		buf_format(text, " operator %s -> %s,", a->operator_name, b->operator_name);
	if (a->tiled != b->tiled)
		buf_format(text, " %s -> %s,", a->tiled ? "static-ct" : "RFC 6962",
			   b->tiled ? "static-ct" : "RFC 6962");
	if (a->never_counts != b->never_counts)
		buf_text(text, b->never_counts ? " is for tests now," : " is for production now,");
	if (a->interval_start_ms != b->interval_start_ms || a->interval_end_ms != b->interval_end_ms) {
		buf_text(text, " interval ");
		interval_text(text, a);
		buf_text(text, " -> ");
		interval_text(text, b);
		buf_text(text, ",");
	}
	if (text->n == head || !buf_ok(text)) {
		text->n = start;
		return false;
	}
	text->p[text->n - 1] = '\n';
	return true;
}

enum res
ctlogs_compare(struct ctlogs_change *out, const struct ctlogs *before, const struct ctlogs *after)
{
	struct ctlogs_change change = {.before = before->n, .older = after->date_ms < before->date_ms};
	struct buf text = buf_max(TEXT_MAX);

	change.new_operators = new_operators_count(&text, before, after);
	for (size_t i = 0; i < after->n; i++) {
		const struct ctlog *log = &after->log[i], *old = ctlogs_find(before, log->id);

		if (old == NULL) {
			change.added++;
			buf_format(&text, "+ %s (%s)\n", log->description, log->operator_name);
		} else if (log_compare(&text, old, log)) {
			change.changed++;
		}
	}
	for (size_t i = 0; i < before->n; i++) {
		if (ctlogs_find(after, before->log[i].id) != NULL)
			continue;
		change.removed++;
		buf_format(&text, "- %s (%s)\n", before->log[i].description, before->log[i].operator_name);
	}
	change.large_loss = change.removed * 3 > before->n;
	change.text = buf_take_cstr(&text);
	buf_free(&text);
	if (change.text == NULL)
		return RES_NOMEM;
	*out = change;
	return RES_OK;
}

/* A log of another list with all its strings of our own. */
static enum res
url_copy(struct ctlogs *list, const char **out, const char *fresh, const char *known)
{
	const char *url = fresh != NULL ? fresh : known;

	*out = url != NULL ? ctlogs_keep(list, span_str(url)) : NULL;
	return url != NULL && *out == NULL ? RES_NOMEM : RES_OK;
}

static enum res
log_copy(struct ctlogs *list, const struct ctlog *from, const struct ctlog *known)
{
	struct ctlog log = *from;
	bool same_kind;

	log.description = ctlogs_keep(list, span_str(from->description));
	log.operator_name = ctlogs_keep_operator(list, span_str(from->operator_name));
	if (log.description == NULL || log.operator_name == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < log.n_previous; i++) {
		log.previous[i].name = ctlogs_keep_operator(list, span_str(from->previous[i].name));
		if (log.previous[i].name == NULL)
			return RES_NOMEM;
	}
	same_kind = known != NULL && known->tiled == log.tiled;
	if (url_copy(list, &log.url, log.url, same_kind ? known->url : NULL) != RES_OK ||
	    url_copy(list, &log.submission_url, log.submission_url,
		     same_kind ? known->submission_url : NULL) != RES_OK)
		return RES_NOMEM;
	if (known != NULL && log.interval_end_ms == 0) {
		log.interval_start_ms = known->interval_start_ms;
		log.interval_end_ms = known->interval_end_ms;
	}
	return ctlogs_add(list, &log, NULL);
}

enum res
ctlogs_keep_known(struct ctlogs **out, const struct ctlogs *fresh, const struct ctlogs *known)
{
	struct ctlogs *list;
	enum res res = ctlogs_new(&list);

	if (res != RES_OK)
		return res;
	list->date_ms = fresh->date_ms;
	list->source = ctlogs_keep(list, span_str(fresh->source));
	if (list->source == NULL)
		res = RES_NOMEM;
	for (size_t i = 0; res == RES_OK && i < fresh->n; i++)
		res = log_copy(list, &fresh->log[i], ctlogs_find(known, fresh->log[i].id));
	if (res == RES_OK)
		res = ctlogs_finish(list, NULL);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}
