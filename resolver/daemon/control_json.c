#include "config.h"

#include "resolver/daemon/control_json.h"

#include "base/clock.h"
#include "base/text.h"
#include "resolver/daemon/control_status.h"
#include "resolver/daemon/control_value.h"
#include "resolver/daemon/metrics.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name;
	enum control_verb verb;
	const char *member; /* the one that it may have beside "verb" */
	bool changes;
} verbs[] = {
    {"status", CONTROL_STATUS, NULL, false},       {"upstreams", CONTROL_UPSTREAMS, NULL, false},
    {"stats", CONTROL_STATS, "format", false},     {"flush", CONTROL_FLUSH, "name", true},
    {"reload", CONTROL_RELOAD, NULL, true},        {"log-level", CONTROL_LOG_LEVEL, "level", true},
    {"captive", CONTROL_CAPTIVE, "minutes", true},
};

bool
control_verb_changes(enum control_verb verb)
{
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
		if (verbs[i].verb == verb)
			return verbs[i].changes;
	return true;
}

/* The one member of the verb; value may be NULL. Gives what was expected, or NULL. */
static const char *
member_read(struct control_request *r, const json_t *value)
{
	const char *text = json_string_value(value);
	json_int_t minutes = json_integer_value(value);
	int level;

	switch (r->verb) {
	case CONTROL_STATUS:
	case CONTROL_UPSTREAMS:
	case CONTROL_RELOAD:
		break;
	case CONTROL_STATS:
		if (value != NULL &&
		    (text == NULL || (strcmp(text, "prometheus") != 0 && strcmp(text, "json") != 0)))
			return "\"format\": expected \"json\" or \"prometheus\"";
		r->prometheus = text != NULL && strcmp(text, "prometheus") == 0;
		break;
	case CONTROL_FLUSH:
		r->name_n = 1;
		if (value != NULL && (text == NULL || msg_name_read(r->name, &r->name_n, text) != RES_OK))
			return "\"name\": expected a domain name";
		break;
	case CONTROL_LOG_LEVEL:
		level = text == NULL ? -1 : log_level_read(text);
		if (level < 0)
			return "\"level\": expected error, warn, notice, info or debug";
		r->level = (enum log_level)level;
		break;
	case CONTROL_CAPTIVE:
		if (!json_is_integer(value) || minutes < 0 || minutes > CONTROL_CAPTIVE_MAX_MIN)
			return "\"minutes\": expected a number from 0 to 60";
		r->minutes = (unsigned)minutes;
		break;
	}
	return NULL;
}

static const char *
object_read(struct control_request *r, const json_t *object)
{
	const char *verb = json_string_value(json_object_get(object, "verb"));
	const json_t *member = NULL;

	if (verb == NULL)
		return "expected an object with a \"verb\"";
	for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
		if (strcmp(verbs[i].name, verb) != 0)
			continue;
		if (verbs[i].member != NULL)
			member = json_object_get(object, verbs[i].member);
		if (json_object_size(object) != 1 + (size_t)(member != NULL))
			return "a member that this verb does not know";
		r->verb = verbs[i].verb;
		return member_read(r, member);
	}
	return "\"verb\": expected status, upstreams, stats, flush, reload, log-level or captive";
}

enum res
control_request_read(struct control_request *out, struct span line, const char **why)
{
	struct control_request r = {0};
	json_t *object;

	if (line.n > CONTROL_REQUEST_MAX) {
		*why = "the request is too long";
		return RES_LIMIT;
	}
	object = line.n == 0 ? NULL : json_loadb((const char *)line.p, line.n, JSON_REJECT_DUPLICATES, NULL);
	*why = json_is_object(object) ? object_read(&r, object) : "expected one JSON object";
	json_decref(object);
	if (*why != NULL)
		return RES_MALFORMED;
	*out = r;
	return RES_OK;
}

/* ---- responses */

/* Takes the object; adds the end of the line. */
static char *
response(json_t *object)
{
	char *s = object == NULL ? NULL : json_dumps(object, JSON_COMPACT), *line = NULL;
	size_t n = s == NULL ? 0 : strlen(s);

	if (s != NULL)
		line = realloc(s, n + 2);
	if (line != NULL)
		memcpy(line + n, "\n", 2);
	else
		free(s);
	json_decref(object);
	return line;
}

static json_t *
strings(char *const *v, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, control_value_text(v[i]));
	return list;
}

char *
control_json_error(const char *why, const struct config_errors *errors)
{
	json_t *o = json_pack("{s:b,s:o}", "ok", 0, "error", control_value_text(why));

	if (errors != NULL)
		(void)json_object_set_new(o, "errors", strings(errors->line, errors->n));
	return response(o);
}

char *
control_json_number(const char *key, uint64_t value)
{
	return response(json_pack("{s:b,s:o}", "ok", 1, key, control_value_number(value)));
}

char *
control_json_captive(unsigned minutes, bool portal)
{
	return response(json_pack("{s:b,s:i,s:b}", "ok", 1, "minutes", (int)minutes, "portal", (int)portal));
}

char *
control_json_word(const char *key, const char *value)
{
	return response(json_pack("{s:b,s:o}", "ok", 1, key, control_value_text(value)));
}

static json_t *
changes_list(const struct changes *c)
{
	json_t *list = json_array();

	for (size_t i = 0; i < c->n; i++)
		(void)json_array_append_new(
		    list, json_pack("{s:o,s:s,s:o,s:o,s:b,s:o}", "where", control_value_text(c->v[i].where),
				    "option", c->v[i].option, "before", control_value_text(c->v[i].before),
				    "after", control_value_text(c->v[i].after), "needs_restart",
				    (int)c->v[i].needs_restart, "text", control_value_text(c->v[i].text)));
	return list;
}

char *
control_json_reload(uint64_t generation, const struct changes *c)
{
	return response(json_pack("{s:b,s:o,s:o,s:b}", "ok", 1, "generation",
				  control_value_number(generation), "changes", changes_list(c),
				  "more_changes", c->more || c->nomem));
}

static json_t *
upstreams_summary(const struct status *s)
{
	size_t total = s->n_worker == 0 ? 0 : s->worker[0].report.n, of[4] = {0};

	for (size_t at = 0; at < total; at++)
		of[status_health(s, at)]++;
	return json_pack("{s:o,s:o,s:o,s:o,s:o}", "total", control_value_number(total), "good",
			 control_value_number(of[HEALTH_GOOD]), "failing",
			 control_value_number(of[HEALTH_FAILING]), "refused",
			 control_value_number(of[HEALTH_REFUSED]), "unknown",
			 control_value_number(of[HEALTH_UNKNOWN]));
}

/* Codes of the reasons that only report mode keeps from refusing. */
static json_t *
reported_reasons(uint64_t set)
{
	json_t *list = json_array();

	for (unsigned r = 1; r < REASON_COUNT; r++)
		if ((set >> r & 1) != 0)
			(void)json_array_append_new(list, json_string(reason_code((enum reason)r)));
	return list;
}

/* The addresses with such reasons in some worker, each once. */
static json_t *
reported_upstreams(const struct status *s)
{
	json_t *list = json_array();
	char addr[ADDR_TEXT_MAX];

	for (size_t at = 0; s->n_worker > 0 && at < s->worker[0].report.n; at++) {
		const struct upstream_report *u = &s->worker[0].report.v[at];
		uint64_t set = 0;

		for (unsigned i = 0; i < s->n_worker; i++)
			set |= at < s->worker[i].report.n ? s->worker[i].report.v[at].reported : 0;
		if (set != 0)
			(void)json_array_append_new(list, json_pack("{s:o,s:s,s:o}", "upstream",
								    control_value_text(u->upstream),
								    "address", addr_text(&u->addr, addr),
								    "reasons", reported_reasons(set)));
	}
	return list;
}

static json_t *
log_list(const struct status *s)
{
	const struct snapshot *snap = s->snapshot;

	if (snap->ctlogs == NULL)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:b,s:s}", "from", control_value_text(snap->ctlogs_from), "date",
			 control_value_date(ctlogs_date_ms(snap->ctlogs)), "age_days",
			 json_integer(status_ct_list_age_ms(s) / 86400000), "stale",
			 (int)status_ct_list_is_stale(s), "step", list_age_text(status_ct_list_step(s)));
}

/* Nothing while the list is fresh. */
static void
list_age_warning_add(json_t *list, const struct status *s)
{
	enum list_age step = status_ct_list_step(s);
	struct buf b = buf_max(256);

	if (step == LIST_AGE_FRESH)
		return;
	if (step == LIST_AGE_STALE)
		buf_text(&b, "the CT log list is older than ct.list-max-age: ");
	else
		buf_format(&b, "the CT log list is %s old, and stale after %lld: ",
			   COUNTED(status_ct_list_age_ms(s) / 86400000, "day"),
			   (long long)(s->snapshot->settings->ct_list_max_age_ms / 86400000));
	buf_text(&b, list_age_remedy(s->snapshot->settings));
	(void)json_array_append_new(list, control_value_text(buf_cstr(&b)));
	buf_free(&b);
}

/* Nothing without trouble. */
static void
trouble_add(json_t *list, const char *what, const char *trouble)
{
	struct buf b = buf_max(CONTROL_REQUEST_MAX);

	if (trouble == NULL)
		return;
	buf_format(&b, "%s: %s", what, trouble);
	(void)json_array_append_new(list, control_value_text(buf_cstr(&b)));
	buf_free(&b);
}

/* Off although the configuration wants it: a reload brought state-dir, and no reload can start the process. */
static const char *
journal_trouble(const struct status *s)
{
	const char *folder = s->snapshot->settings->state_dir;

	return s->journal.health == JOURNAL_OFF && folder != NULL && folder[0] != '\0'
		   ? "its process is not running, restart ctstubd"
		   : status_journal_trouble(&s->journal);
}

/* The processes beside the daemon. */
static void
helper_warnings_add(json_t *list, const struct status *s)
{
	trouble_add(list, "the journal is not written", journal_trouble(s));
	trouble_add(list, "the evidence of refusals is not written", status_journal_trouble(&s->evidence));
	trouble_add(list, "the query log is not written", s->query_log_trouble);
	trouble_add(
	    list,
	    "the portal helper cannot be reached, so no portal window can open (is ctstub-portal.socket "
	    "enabled?)",
	    s->portal_trouble);
}

static void
upstream_warnings_add(json_t *list, const struct upstream_plan *u)
{
	for (size_t i = 0; i < u->n_warning; i++) {
		struct buf b = buf_max(CONTROL_REQUEST_MAX);

		buf_format(&b, "%.256s: %.1024s", u->title, u->warning[i]);
		(void)json_array_append_new(list, control_value_text(buf_cstr(&b)));
		buf_free(&b);
	}
}

static json_t *
warnings(const struct status *s)
{
	const struct snapshot *snap = s->snapshot;
	json_t *list = json_array();

	list_age_warning_add(list, s);
	helper_warnings_add(list, s);
	for (size_t i = 0; i < snap->n_warning; i++)
		(void)json_array_append_new(list, control_value_text(snap->warning[i]));
	for (size_t i = 0; i < snap->n_list_warning; i++)
		(void)json_array_append_new(list, control_value_text(snap->list_warning[i]));
	for (size_t i = 0; i < snap->n_upstream; i++)
		upstream_warnings_add(list, &snap->upstream[i]);
	return list;
}

static json_t *
captive(const struct status *s)
{
	int64_t left_ms = status_captive_left_ms(s);

	return json_pack("{s:b,s:o}", "active", left_ms > 0, "left_s", json_integer((left_ms + 999) / 1000));
}

char *
control_json_status(const struct status *s)
{
	const struct settings *settings = s->snapshot->settings;
	json_t *o = json_pack("{s:b,s:s,s:i,s:o,s:o,s:o,s:o,s:s}", "ok", 1, "version", PACKAGE_VERSION, "pid",
			      (int)getpid(), "started", control_value_date(s->started_ms), "uptime_s",
			      json_integer(status_uptime_ms(s) / 1000), "generation",
			      control_value_number(s->snapshot->generation), "workers",
			      control_value_number(s->workers), "log_level", log_level_text(log_level()));

	(void)json_object_set_new(o, "files", strings(settings->file, settings->n_file));
	(void)json_object_set_new(o, "reload_error", control_value_text(s->reload_error));
	(void)json_object_set_new(o, "restart_needed",
				  s->restart_needed != NULL ? changes_list(s->restart_needed) : json_array());
	(void)json_object_set_new(o, "captive", captive(s));
	(void)json_object_set_new(o, "log_list", log_list(s));
	(void)json_object_set_new(o, "upstreams", upstreams_summary(s));
	(void)json_object_set_new(o, "would_be_refused", reported_upstreams(s));
	(void)json_object_set_new(o, "warnings", warnings(s));
	control_status_add(o, s);
	return response(o);
}

static json_t *
upstream_object(const struct upstream_report *u, unsigned worker)
{
	const struct tp_stats *s = &u->stats;
	char addr[ADDR_TEXT_MAX];
	json_t *verdict = u->verdict_json == NULL ? NULL : json_loads(u->verdict_json, 0, NULL);
	json_t *o = json_pack("{s:o,s:s,s:s,s:i,s:s,s:s,s:o,s:I}", "upstream",
			      control_value_text(u->upstream), "address", addr_text(&u->addr, addr),
			      "protocol", u->protocol == TP_DOH ? "doh" : "dot", "worker", (int)worker,
			      "state", tp_state_text(u->state), "health", health_text(u->health), "reason",
			      u->reason == REASON_NONE ? json_null() : json_string(reason_code(u->reason)),
			      "retry_in_ms", (json_int_t)u->retry_in_ms);
	const struct {
		const char *key;
		json_t *value;
	} rest[] = {
	    {"handshake_ms", control_value_known(s->handshake_ms)},
	    {"srtt_us", control_value_known(s->srtt_us)},
	    {"median_us", control_value_known(s->median_us)},
	    {"idle_limit_ms", control_value_known(s->idle_limit_ms)},
	    {"in_flight", control_value_number(s->in_flight)},
	    {"waiting", control_value_number(s->waiting)},
	    {"questions", control_value_number(s->questions)},
	    {"answers", control_value_number(s->answers)},
	    {"repeated", control_value_number(s->repeated)},
	    {"unexpected", control_value_number(s->unexpected)},
	    {"connects", control_value_number(s->connects)},
	    {"handshakes", control_value_number(s->handshakes)},
	    {"resumed", control_value_number(s->resumed)},
	    {"refused", control_value_number(s->refused)},
	    {"failures", control_value_number(s->failures)},
	    {"idle_closes", control_value_number(s->idle_closes)},
	    {"kept", control_value_number(s->kept)},
	    {"bytes_out", control_value_number(s->bytes_out)},
	    {"bytes_in", control_value_number(s->bytes_in)},
	    {"would_be_refused", reported_reasons(u->reported)},
	    {"verdict", verdict == NULL ? json_null() : verdict},
	};

	for (size_t i = 0; i < sizeof rest / sizeof *rest; i++)
		(void)json_object_set_new(o, rest[i].key, rest[i].value);
	return o;
}

char *
control_json_upstreams(const struct status *s)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < s->n_worker; i++)
		for (size_t j = 0; j < s->worker[i].report.n; j++)
			(void)json_array_append_new(list, upstream_object(&s->worker[i].report.v[j], i));
	return response(json_pack("{s:b,s:o}", "ok", 1, "upstreams", list));
}

/* Those of the reasons that were counted. */
static json_t *
reason_counts(const uint64_t counts[REASON_COUNT])
{
	json_t *o = json_object();

	for (unsigned i = 1; i < REASON_COUNT; i++)
		if (counts[i] > 0)
			(void)json_object_set_new(o, reason_code((enum reason)i),
						  control_value_number(counts[i]));
	return o;
}

char *
control_json_stats(const struct status *s)
{
	json_t *counters = json_object();

	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		(void)json_object_set_new(counters, counter_name((enum counter)i),
					  control_value_number(s->counters.v[i]));
	return response(json_pack("{s:b,s:o,s:o,s:o,s:o}", "ok", 1, "counters", counters, "reasons",
				  reason_counts(s->counters.by_reason), "report_findings",
				  reason_counts(s->counters.by_report), "cache",
				  control_json_cache(&s->cache)));
}

char *
control_json_stats_text(const struct status *s)
{
	struct buf b = buf_max(CONTROL_RESPONSE_MAX / 2);
	const char *shown;
	char *line;

	metrics_write(&b, s, PACKAGE_VERSION);
	shown = buf_cstr(&b);
	line = shown == NULL ? control_json_error("the metrics are too many", NULL)
			     : control_json_word("text", shown);
	buf_free(&b);
	return line;
}
