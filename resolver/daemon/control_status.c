#include "resolver/daemon/control_status.h"

#include "resolver/daemon/control_value.h"

#include <string.h>

json_t *
control_json_cache(const struct cache_stats *c)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "entries", control_value_number(c->entries),
			 "bytes", control_value_number(c->bytes), "hits", control_value_number(c->hits),
			 "stale_hits", control_value_number(c->stale_hits), "misses",
			 control_value_number(c->misses), "stored", control_value_number(c->stored),
			 "evicted", control_value_number(c->evicted), "expired",
			 control_value_number(c->expired));
}

/* The report of an address by the worker that finds it best. */
static const struct upstream_report *
best_report(const struct status *s, size_t at)
{
	enum health health = status_health(s, at);

	for (unsigned i = 0; i < s->n_worker; i++)
		if (at < s->worker[i].report.n && s->worker[i].report.v[at].health == health)
			return &s->worker[i].report.v[at];
	return &s->worker[0].report.v[at];
}

/* Of `ctstub ct-logs update`. */
static json_t *
update_window(const struct status *s)
{
	const struct window_record *r = &s->window;
	bool open = window_record_is_open(r, s->wall_ms);

	return json_pack("{s:b,s:b,s:o,s:o,s:o,s:o}", "enabled", (int)s->snapshot->settings->ct_update_window,
			 "open", (int)open, "left_s",
			 json_integer(open ? (window_record_left_ms(r, s->wall_ms) + 999) / 1000 : 0),
			 "windows", json_integer(r->windows), "names", json_integer(r->names), "last",
			 r->began_ms > 0 ? control_value_date(r->began_ms) : json_null());
}

/* Names of the logs whose SCTs count. */
static json_t *
logs_of(const json_t *verdict)
{
	json_t *list = json_array(), *sct, *log;
	size_t i;

	json_array_foreach (json_object_get(verdict, "scts"), i, sct) {
		log = json_object_get(sct, "log");
		if (json_is_true(json_object_get(sct, "counts")) && json_is_string(log))
			(void)json_array_append(list, log);
	}
	return list;
}

static json_t *
tls_object(const struct tls_report *tls)
{
	if (tls->version[0] == '\0')
		return json_null();
	return json_pack("{s:s,s:s,s:s}", "version", tls->version, "cipher", tls->cipher, "group",
			 tls->group);
}

static json_t *
certificate_object(const struct upstream_report *u)
{
	json_t *verdict = u->verdict_json == NULL ? NULL : json_loads(u->verdict_json, 0, NULL);
	const json_t *leaf = json_array_get(json_object_get(verdict, "chain"), 0);
	json_t *o = json_null();

	if (leaf != NULL)
		o = json_pack("{s:O?,s:O?,s:s,s:o}", "issuer", json_object_get(leaf, "issuer"), "not_after",
			      json_object_get(leaf, "not_after"), "expiry", expiry_text(u->leaf_expiry),
			      "logs", logs_of(verdict));
	json_decref(verdict);
	return o;
}

/* What the last verdict found, for the reason that the address is not used: with the date, the limit, the name. */
static json_t *
reason_text(const struct upstream_report *u)
{
	json_t *verdict =
	    u->reason == REASON_NONE || u->verdict_json == NULL ? NULL : json_loads(u->verdict_json, 0, NULL);
	json_t *finding, *text = json_null();
	size_t i;

	json_array_foreach (json_object_get(verdict, "findings"), i, finding) {
		const char *reason = json_string_value(json_object_get(finding, "reason"));

		if (json_is_null(text) && reason != NULL && strcmp(reason, reason_code(u->reason)) == 0)
			text = json_incref(json_object_get(finding, "text"));
	}
	json_decref(verdict);
	return text;
}

static json_t *
address_object(const struct status *s, const struct upstream_report *u)
{
	char addr[ADDR_TEXT_MAX];

	return json_pack("{s:o,s:s,s:s,s:b,s:s,s:o,s:o,s:o,s:o,s:o}", "upstream",
			 control_value_text(u->upstream), "address", addr_text(&u->addr, addr), "protocol",
			 u->protocol == TP_DOH ? "doh" : "dot", "general",
			 (int)status_is_general(s, u->upstream), "health", health_text(u->health), "reason",
			 u->reason == REASON_NONE ? json_null() : json_string(reason_code(u->reason)), "text",
			 reason_text(u), "since",
			 u->good_since_ms > 0 ? control_value_date(u->good_since_ms) : json_null(), "tls",
			 tls_object(&u->tls), "certificate", certificate_object(u));
}

static json_t *
addresses(const struct status *s)
{
	size_t n = s->n_worker == 0 ? 0 : s->worker[0].report.n;
	json_t *list = json_array();

	for (size_t at = 0; at < n; at++)
		(void)json_array_append_new(list, address_object(s, best_report(s, at)));
	return list;
}

static json_t *
last_refusal(const struct refusal *r)
{
	char addr[ADDR_TEXT_MAX];

	if (r->upstream == NULL)
		return json_null();
	return json_pack("{s:o,s:s,s:s,s:o}", "upstream", control_value_text(r->upstream), "address",
			 addr_text(&r->addr, addr), "reason", reason_code(r->reason), "at",
			 control_value_date(r->at_ms));
}

/* Upstreams whose rules only report, up to a day. */
static json_t *
report_windows(const struct settings *settings)
{
	json_t *list = json_array();

	for (size_t i = 0; i < settings->n_upstream; i++) {
		const struct upstream_settings *u = &settings->upstream[i];

		if (u->report_until != NULL && u->report_until[0] != '\0')
			(void)json_array_append_new(list, json_pack("{s:o,s:s}", "upstream",
								    control_value_text(u->title), "until",
								    u->report_until));
	}
	return list;
}

static json_t *
listeners(const struct addrs *listen)
{
	json_t *list = json_array();
	char addr[ADDR_TEXT_MAX];

	for (size_t i = 0; i < listen->n; i++)
		(void)json_array_append_new(list, json_string(addr_text(&listen->v[i], addr)));
	return list;
}

static json_t *
clock_object(const struct status *s)
{
	const struct strings *names = &s->snapshot->settings->time_names;
	json_t *list = json_array();

	for (size_t i = 0; i < names->n; i++)
		(void)json_array_append_new(list, control_value_text(names->v[i]));
	return json_pack("{s:b,s:o,s:o,s:o,s:o}", "set", (int)status_clock_is_set(s), "now",
			 control_value_date(s->wall_ms), "floor", control_value_date(s->snapshot->floor_ms),
			 "time_names", list, "time_questions",
			 control_value_number(s->counters.v[COUNTER_TIME_NAMES]));
}

static json_t *
journal_object(const struct journal_state *j)
{
	return json_pack("{s:s,s:o,s:o}", "state", status_journal_text(j->health), "error",
			 control_value_text(status_journal_trouble(j)), "since",
			 j->since_ms == 0 ? json_null() : control_value_date(j->since_ms));
}

static json_t *
portal(const struct status *s)
{
	int64_t left_ms = status_portal_left_ms(s);

	return json_pack("{s:b,s:b,s:o,s:o,s:o,s:o,s:s,s:o}", "enabled", s->snapshot->settings->portal_enable,
			 "open", left_ms > 0, "left_s", json_integer((left_ms + 999) / 1000), "questions",
			 control_value_number(s->counters.v[COUNTER_PORTAL_QUESTIONS]), "answered",
			 control_value_number(s->counters.v[COUNTER_PORTAL_ANSWERED]), "failed",
			 control_value_number(s->counters.v[COUNTER_PORTAL_FAILED]), "helper",
			 !s->snapshot->settings->portal_enable ? "off"
			 : s->portal_trouble == NULL           ? "ready"
							       : "unreachable",
			 "error", control_value_text(s->portal_trouble));
}

/* What the daemon records about its clients: its users should be able to see that. */
static json_t *
query_log(const struct status *s)
{
	static const char *const clients[] = {"full", "prefix", "none"}; /* enum query_clients */

	if (s->query_log == NULL)
		return json_null();
	return json_pack("{s:o,s:s,s:b}", "to", control_value_text(s->query_log), "clients",
			 clients[s->snapshot->settings->query_log_clients], "writes",
			 s->query_log_trouble == NULL);
}

void
control_status_add(json_t *o, const struct status *s)
{
	const struct settings *settings = s->snapshot->settings;

	(void)json_object_set_new(o, "listen", listeners(s->listen));
	(void)json_object_set_new(o, "update_window", update_window(s));
	(void)json_object_set_new(o, "clock", clock_object(s));
	(void)json_object_set_new(o, "addresses", addresses(s));
	(void)json_object_set_new(o, "last_refusal", last_refusal(&s->last_refusal));
	(void)json_object_set_new(o, "journal", journal_object(&s->journal));
	(void)json_object_set_new(o, "evidence", journal_object(&s->evidence));
	(void)json_object_set_new(o, "report_windows", report_windows(settings));
	(void)json_object_set_new(o, "portal", portal(s));
	(void)json_object_set_new(o, "query_log", query_log(s));
	(void)json_object_set_new(o, "cache", control_json_cache(&s->cache));
}
