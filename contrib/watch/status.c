#include "contrib/watch/status.h"

#include "base/clock.h"
#include "base/replace.h"
#include "base/text.h"

#include <jansson.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MODE 0644 /* findings are of public logs */

/* One log as both files show it. */
struct row {
	struct watch_progress p;
	uint64_t lag_entries;
	int64_t lag_ms; /* how far the last entry that was read is behind the head; 0: everything was read */
};

static void
row_fill(struct row *row, const struct watch_reader *reader, size_t i)
{
	watch_reader_progress(reader, i, &row->p);
	row->lag_entries = row->p.head_size > row->p.position ? row->p.head_size - row->p.position : 0;
	row->lag_ms = 0;
	if (row->lag_entries > 0 && row->p.entry_ms > 0 && row->p.head_ms > row->p.entry_ms)
		row->lag_ms = row->p.head_ms - row->p.entry_ms;
}

static size_t
count_of(const struct watch_reader *reader)
{
	return reader == NULL ? 0 : watch_reader_count(reader);
}

/* ---- JSON */

static json_t *
status_time_json(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms == 0 ? json_null() : json_string(time_text_ms(ms, text));
}

static json_t *
row_json(const struct row *row)
{
	const struct watch_progress *p = &row->p;
	struct buf id = buf_max(64);
	json_t *out;

	base64_write(&id, span_of(p->log->ctlog->id, 32));
	out = json_pack("{s:s,s:s,s:s,s:I,s:I,s:I,s:o,s:I,s:I,s:s?}", "log", p->log->ctlog->description,
			"log_id", buf_cstr(&id), "kind", p->log->ctlog->tiled ? "static-ct" : "rfc6962",
			"position", (json_int_t)p->position, "verified", (json_int_t)p->verified, "tree_size",
			(json_int_t)p->head_size, "head", status_time_json(p->head_ms), "lag_entries",
			(json_int_t)row->lag_entries, "lag_s", (json_int_t)(row->lag_ms / 1000), "trouble",
			p->trouble);
	buf_free(&id);
	return out;
}

static json_t *
logs_json(const struct watch_reader *reader)
{
	json_t *list = json_array();

	for (size_t i = 0; i < count_of(reader); i++) {
		struct row row;

		row_fill(&row, reader, i);
		(void)json_array_append_new(list, row_json(&row));
	}
	return list;
}

static json_t *
left_out_json(const struct watch_reader *reader)
{
	json_t *list = json_array();
	const struct ctlog *log;

	for (size_t i = 0; reader != NULL && (log = watch_reader_left_out(reader, i)) != NULL; i++)
		(void)json_array_append_new(list, json_string(log->description));
	return list;
}

static json_t *
findings_json(const struct watch_totals *t)
{
	json_t *out = json_object();

	for (unsigned k = 0; k < FINDING_KINDS; k++)
		(void)json_object_set_new(out, finding_kind_text((enum finding_kind)k),
					  json_integer((json_int_t)t->finding[k]));
	return out;
}

static json_t *
latest_json(const struct watch_findings *w)
{
	struct buf text = buf_max(STATUS_FILE_MAX);
	json_t *out = NULL;

	if (watch_findings_latest(w, &text) == RES_OK)
		out = json_loadb((const char *)text.p, text.n, 0, NULL);
	buf_free(&text);
	return out != NULL ? out : json_array();
}

static const char *
block_text(enum watch_block block)
{
	switch (block) {
	case WATCH_BLOCK_REPORT:
		return "report";
	case WATCH_BLOCK_PROPOSE:
		return "propose";
	case WATCH_BLOCK_ENFORCE:
		return "enforce";
	}
	return "?";
}

static void
status_put(struct buf *out, const struct watch_status *s, const struct watch_plan *plan,
	   const struct watch_findings *w, const struct watch_reader *reader)
{
	const struct watch_totals *t = watch_findings_totals(w);
	const struct settings *settings = plan->snapshot->settings;
	json_t *o = json_pack(
	    "{s:o,s:i,s:o,s:I,s:s,s:I,s:I,s:f,s:o,s:o,s:o,s:I,s:I,s:I,s:I,s:o}", "at",
	    status_time_json(clock_wall_ms()), "pid", (int)getpid(), "started",
	    status_time_json(s->started_ms), "poll_ms", (json_int_t)settings->watch_poll_ms, "block",
	    block_text(settings->watch_block), "items", (json_int_t)watch_list_count(plan->list), "entries",
	    (json_int_t)s->last_entries, "entries_per_second", s->rate, "logs", logs_json(reader), "left_out",
	    left_out_json(reader), "findings", findings_json(t), "again", (json_int_t)t->again, "failed",
	    (json_int_t)t->failed, "not_blocked", (json_int_t)t->not_blocked, "unrecorded",
	    (json_int_t)t->unrecorded, "latest", latest_json(w));
	char *text = o != NULL ? json_dumps(o, JSON_COMPACT | JSON_REAL_PRECISION(6)) : NULL;

	json_decref(o);
	if (text == NULL)
		out->bad = true;
	else
		buf_format(out, "%s\n", text);
	free(text);
}

/* ---- Prometheus (exposition formats, text) */

/* A label's value: backslash, quote and line break escaped; other odd bytes replaced. */
static void
label_put(struct buf *out, const char *s)
{
	for (; *s != '\0'; s++) {
		if (*s == '\\' || *s == '"')
			buf_u8(out, '\\');
		buf_u8(out, (unsigned char)*s < 0x20 ? '?' : (uint8_t)*s);
	}
}

static double
position_of(const struct row *row)
{
	return (double)row->p.position;
}

static double
verified_of(const struct row *row)
{
	return (double)row->p.verified;
}

static double
tree_size_of(const struct row *row)
{
	return (double)row->p.head_size;
}

static double
head_time_of(const struct row *row)
{
	return (double)row->p.head_ms / 1000;
}

static double
lag_entries_of(const struct row *row)
{
	return (double)row->lag_entries;
}

static double
lag_seconds_of(const struct row *row)
{
	return (double)row->lag_ms / 1000;
}

static double
entries_of(const struct row *row)
{
	return (double)row->p.entries;
}

static double
failures_of(const struct row *row)
{
	return (double)row->p.failures;
}

static double
misbehaviours_of(const struct row *row)
{
	return (double)row->p.misbehaviours;
}

static double
up_of(const struct row *row)
{
	return row->p.trouble == NULL ? 1 : 0;
}

static const struct family {
	const char *name, *type, *help;
	double (*value)(const struct row *);
} families[] = {
    {"ctstub_watch_log_position", "gauge", "Entries of the log that were read or skipped.", position_of},
    {"ctstub_watch_log_verified", "gauge", "Entries whose root matches a signed tree head.", verified_of},
    {"ctstub_watch_log_tree_size", "gauge", "Entries of the newest verified tree head.", tree_size_of},
    {"ctstub_watch_log_head_timestamp_seconds", "gauge", "Timestamp of the newest verified tree head.",
     head_time_of},
    {"ctstub_watch_log_lag_entries", "gauge", "Entries of the newest tree head not read yet.",
     lag_entries_of},
    {"ctstub_watch_log_lag_seconds", "gauge", "Time from the last entry read to the newest tree head.",
     lag_seconds_of},
    {"ctstub_watch_log_entries_total", "counter", "Entries read by this process.", entries_of},
    {"ctstub_watch_log_failures_total", "counter", "Requests that failed.", failures_of},
    {"ctstub_watch_log_misbehaviours_total", "counter", "Misbehaviour of the log.", misbehaviours_of},
    {"ctstub_watch_log_up", "gauge", "1 while the log is read.", up_of},
};

static void
head_put(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_format(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void
family_put(struct buf *out, const struct family *f, const struct watch_reader *reader)
{
	head_put(out, f->name, f->type, f->help);
	for (size_t i = 0; i < count_of(reader); i++) {
		struct row row;

		row_fill(&row, reader, i);
		buf_format(out, "%s{log=\"", f->name);
		label_put(out, row.p.log->ctlog->description);
		buf_text(out, "\",operator=\"");
		label_put(out, row.p.log->ctlog->operator_name);
		buf_format(out, "\"} %.15g\n", f->value(&row));
	}
}

static void
metrics_put(struct buf *out, const struct watch_status *s, const struct watch_plan *plan,
	    const struct watch_findings *w, const struct watch_reader *reader)
{
	const struct watch_totals *t = watch_findings_totals(w);

	head_put(out, "ctstub_watch_findings_total", "counter", "Findings by kind.");
	for (unsigned k = 0; k < FINDING_KINDS; k++)
		buf_format(out, "ctstub_watch_findings_total{kind=\"%s\"} %llu\n",
			   finding_kind_text((enum finding_kind)k), (unsigned long long)t->finding[k]);
	head_put(out, "ctstub_watch_again_total", "counter", "Certificates seen again.");
	buf_format(out, "ctstub_watch_again_total %llu\n", (unsigned long long)t->again);
	head_put(out, "ctstub_watch_exec_failures_total", "counter",
		 "Programs that failed or took too long.");
	buf_format(out, "ctstub_watch_exec_failures_total %llu\n", (unsigned long long)t->failed);
	head_put(out, "ctstub_watch_not_blocked_total", "counter",
		 "Rogue certificates that are not blocked, because no CA is proven to have issued them.");
	buf_format(out, "ctstub_watch_not_blocked_total %llu\n", (unsigned long long)t->not_blocked);
	head_put(out, "ctstub_watch_unrecorded_total", "counter",
		 "Findings for which the record had no space.");
	buf_format(out, "ctstub_watch_unrecorded_total %llu\n", (unsigned long long)t->unrecorded);
	head_put(out, "ctstub_watch_entries_per_second", "gauge",
		 "Entries read per second, over the last interval.");
	buf_format(out, "ctstub_watch_entries_per_second %.6g\n", s->rate);
	head_put(out, "ctstub_watch_items", "gauge", "Watched addresses, prefixes and names.");
	buf_format(out, "ctstub_watch_items %zu\n", watch_list_count(plan->list));
	head_put(out, "ctstub_watch_timestamp_seconds", "gauge", "Time of these figures.");
	buf_format(out, "ctstub_watch_timestamp_seconds %.15g\n", (double)clock_wall_ms() / 1000);
	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		family_put(out, &families[i], reader);
}

/* ---- both */

static uint64_t
findings_count(const struct watch_findings *w)
{
	const struct watch_totals *t = watch_findings_totals(w);
	uint64_t n = 0;

	for (unsigned k = 0; k < FINDING_KINDS; k++)
		n += t->finding[k];
	return n;
}

static void
rate_take(struct watch_status *s, const struct watch_reader *reader)
{
	int64_t now = clock_boot_ms();
	uint64_t entries = 0;

	for (size_t i = 0; i < count_of(reader); i++) {
		struct watch_progress p;

		watch_reader_progress(reader, i, &p);
		entries += p.entries;
	}
	s->rate = s->last_ms != 0 && now > s->last_ms && entries >= s->last_entries
		      ? (double)(entries - s->last_entries) * 1000 / (double)(now - s->last_ms)
		      : 0;
	s->last_ms = now;
	s->last_entries = entries;
}

static bool
content_put(int folder, const char *file, struct buf *content)
{
	bool ok = buf_ok(content);

	if (!ok)
		errno = ENOMEM;
	ok = ok && file_show_at(folder, file, buf_span(content), FILE_MODE);
	buf_free(content);
	return ok;
}

bool
watch_status_write(struct watch_status *s, int folder, const struct watch_plan *plan,
		   const struct watch_findings *w, const struct watch_reader *reader)
{
	struct buf status = buf_max(STATUS_FILE_MAX), metrics = buf_max(STATUS_FILE_MAX);
	bool ok;

	rate_take(s, reader);
	s->findings = findings_count(w);
	status_put(&status, s, plan, w, reader);
	metrics_put(&metrics, s, plan, w, reader);
	ok = content_put(folder, STATUS_FILE, &status);
	return content_put(folder, METRICS_FILE, &metrics) && ok;
}

bool
watch_status_is_due(const struct watch_status *s, const struct watch_findings *w)
{
	return s->last_ms == 0 || clock_boot_ms() - s->last_ms >= STATUS_EVERY_MS ||
	       findings_count(w) != s->findings;
}
