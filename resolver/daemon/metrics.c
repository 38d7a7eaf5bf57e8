#include "resolver/daemon/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static void
metric_head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_format(out, "# HELP ctstub_%s %s\n# TYPE ctstub_%s %s\n", name, help, name, type);
}

static void
metric_gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	metric_head(out, name, "gauge", help);
	buf_format(out, "ctstub_%s %" PRIu64 "\n", name, value);
}

static void
metric_total(struct buf *out, const char *name, const char *help, uint64_t value)
{
	char full[64];

	(void)snprintf(full, sizeof full, "%s_total", name);
	metric_head(out, full, "counter", help);
	buf_format(out, "ctstub_%s %" PRIu64 "\n", full, value);
}

/* Writes a label's value: any bytes of a title, escaped as the format requires. */
static void
metric_label(struct buf *out, const char *key, const char *value)
{
	struct span s = span_str(value);

	buf_format(out, "%s=\"", key);
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '"' || s.p[i] == '\\')
			buf_u8(out, '\\');
		buf_u8(out, s.p[i] < ' ' || s.p[i] >= 0x7f ? '?' : s.p[i]);
	}
	buf_text(out, "\"");
}

static void
metric_reasons(struct buf *out, const struct status *s)
{
	metric_head(out, "upstream_problems_total", "counter",
		    "Refusals and failures of upstreams by reason");
	for (unsigned i = 1; i < REASON_COUNT; i++)
		buf_format(out, "ctstub_upstream_problems_total{reason=\"%s\",stage=\"%s\"} %" PRIu64 "\n",
			   reason_code((enum reason)i), reason_stage((enum reason)i),
			   s->counters.by_reason[i]);
	metric_head(
	    out, "report_findings_total", "counter",
	    "Verdicts with a finding that does not refuse because its rule is in report mode, by reason");
	for (unsigned i = 1; reason_is_verdict((enum reason)i); i++)
		buf_format(out, "ctstub_report_findings_total{reason=\"%s\"} %" PRIu64 "\n",
			   reason_code((enum reason)i), s->counters.by_report[i]);
}

static void
metric_upstream_labels(struct buf *out, const struct upstream_report *u, unsigned worker)
{
	char addr[ADDR_TEXT_MAX];

	buf_text(out, "{");
	metric_label(out, "upstream", u->upstream);
	buf_text(out, ",");
	metric_label(out, "address", addr_text(&u->addr, addr));
	buf_format(out, ",protocol=\"%s\",worker=\"%u\"}", u->protocol == TP_DOH ? "doh" : "dot", worker);
}

/* Counters of the transport, for each upstream address of each worker. */
static const struct {
	const char *name;
	const char *help;
	size_t at; /* of a uint64_t in the report */
} upstream_counters[] = {
#define STAT(field) offsetof(struct upstream_report, stats.field)
    {"connects", "Connection attempts", STAT(connects)},
    {"handshakes", "Handshakes with an accepted certificate", STAT(handshakes)},
    {"resumed", "Handshakes that resumed a session", STAT(resumed)},
    {"refusals", "Handshakes with a refused certificate", STAT(refused)},
    {"failures", "Connections that failed on the wire", STAT(failures)},
    {"questions", "Queries written", STAT(questions)},
    {"answers", "Answers read", STAT(answers)},
    {"repeated", "Queries repeated on a fresh connection", STAT(repeated)},
    {"unexpected", "Answers without a matching query", STAT(unexpected)},
    {"idle_closes", "Connections closed because they were idle", STAT(idle_closes)},
    {"kept", "Queries sent only to keep a connection open", STAT(kept)},
    {"bytes_out", "Bytes of queries written", STAT(bytes_out)},
    {"bytes_in", "Bytes of answers read", STAT(bytes_in)},
#undef STAT
};

static double
upstream_up(const struct upstream_report *u)
{
	return u->health == HEALTH_GOOD;
}

static double
upstream_unused(const struct upstream_report *u)
{
	return u->health == HEALTH_UNKNOWN;
}

static double
upstream_refused(const struct upstream_report *u)
{
	return u->health == HEALTH_REFUSED;
}

static double
upstream_would_be_refused(const struct upstream_report *u)
{
	return u->reported != 0;
}

static double
upstream_in_flight(const struct upstream_report *u)
{
	return u->stats.in_flight;
}

/* Negative: not known. */
static double
upstream_expires(const struct upstream_report *u)
{
	return u->leaf_expires_ms > 0 ? (double)(u->leaf_expires_ms / 1000) : -1;
}

/* Negative: not known. */
static double
upstream_expiry_step(const struct upstream_report *u)
{
	return u->leaf_expires_ms > 0 ? (double)u->leaf_expiry : -1;
}

/* Negative: not known. */
static double
upstream_answer_seconds(const struct upstream_report *u)
{
	return (double)u->stats.srtt_us / 1e6;
}

static const struct {
	const char *name;
	const char *help;
	double (*value)(const struct upstream_report *);
	int decimals;
} upstream_gauges[] = {
    {"up", "1 when the address answers and its certificate is accepted", upstream_up, 0},
    {"unused", "1 while the address has not been used yet", upstream_unused, 0},
    {"refused", "1 when the certificate of the address is refused", upstream_refused, 0},
    {"would_be_refused", "1 when only report mode keeps the certificate of the address from being refused",
     upstream_would_be_refused, 0},
    {"in_flight", "Queries in flight", upstream_in_flight, 0},
    {"certificate_expires_seconds", "When the certificate of the address expires, in seconds since 1970",
     upstream_expires, 0},
    {"certificate_expiry_step",
     "Expiry of the certificate of the address: 0 far, 1 within 14 days, 2 within 3 days, 3 expired; with a "
     "lifetime of a week or less, 1 within a half and 2 within a quarter of it",
     upstream_expiry_step, 0},
    {"answer_seconds", "Smoothed time to an answer", upstream_answer_seconds, 6},
};

static void
metric_upstream_gauge(struct buf *out, const struct status *s, size_t row)
{
	char name[64];

	(void)snprintf(name, sizeof name, "upstream_%s", upstream_gauges[row].name);
	metric_head(out, name, "gauge", upstream_gauges[row].help);
	for (unsigned i = 0; i < s->n_worker; i++) {
		const struct upstreams_report *r = &s->worker[i].report;

		for (size_t j = 0; j < r->n; j++) {
			double value = upstream_gauges[row].value(&r->v[j]);

			if (value < 0)
				continue;
			buf_format(out, "ctstub_%s", name);
			metric_upstream_labels(out, &r->v[j], i);
			buf_format(out, " %.*f\n", upstream_gauges[row].decimals, value);
		}
	}
}

static void
metric_upstream_counter(struct buf *out, const struct status *s, size_t row)
{
	char name[64];

	(void)snprintf(name, sizeof name, "upstream_%s_total", upstream_counters[row].name);
	metric_head(out, name, "counter", upstream_counters[row].help);
	for (unsigned i = 0; i < s->n_worker; i++) {
		const struct upstreams_report *r = &s->worker[i].report;

		for (size_t j = 0; j < r->n; j++) {
			uint64_t value;

			memcpy(&value, (const char *)&r->v[j] + upstream_counters[row].at, sizeof value);
			buf_format(out, "ctstub_%s", name);
			metric_upstream_labels(out, &r->v[j], i);
			buf_format(out, " %" PRIu64 "\n", value);
		}
	}
}

static void
metric_daemon(struct buf *out, const struct status *s, const char *version)
{
	int64_t list_age_ms = status_ct_list_age_ms(s);

	metric_head(out, "info", "gauge", "The running version");
	buf_text(out, "ctstub_info{");
	metric_label(out, "version", version);
	buf_text(out, "} 1\n");
	metric_gauge(out, "uptime_seconds", "Time since the daemon started",
		     (uint64_t)(status_uptime_ms(s) / 1000));
	metric_gauge(out, "configuration_generation", "Generation of the configuration in effect",
		     s->snapshot->generation);
	metric_gauge(out, "configuration_reload_failed", "1 when the last reload was refused",
		     s->reload_error != NULL);
	metric_gauge(out, "restart_needed", "Options whose change by a reload needs a restart",
		     s->restart_needed != NULL ? s->restart_needed->n : 0);
	metric_gauge(out, "list_warnings", "Warnings about lists: items left out, lists that cannot be read",
		     s->snapshot->n_list_warning);
	metric_gauge(out, "clock_is_set", "0 while the clock lies before the build or the CT log list",
		     status_clock_is_set(s));
	metric_gauge(out, "captive", "1 while captive mode is on", status_captive_left_ms(s) > 0);
	metric_gauge(out, "portal_window",
		     "1 while queries for names of portal probes may be sent in clear text",
		     status_portal_left_ms(s) > 0);
	if (s->journal.health != JOURNAL_OFF)
		metric_gauge(out, "journal_written", "1 when the last write to the journal succeeded",
			     s->journal.health == JOURNAL_WRITTEN);
	if (list_age_ms >= 0)
		metric_gauge(out, "ct_list_age_seconds", "Age of the CT log list",
			     (uint64_t)(list_age_ms / 1000));
	metric_gauge(out, "ct_list_stale", "1 when the CT log list is older than ct.list-max-age",
		     status_ct_list_is_stale(s));
	metric_gauge(
	    out, "ct_list_step",
	    "Age of the CT log list in steps: 0 fresh, 1 from 30, 2 from 45, 3 from 60 of 70 days, 4 stale",
	    (uint64_t)status_ct_list_step(s));
	metric_gauge(out, "update_window", "1 while the update window of ct-logs update is open",
		     window_record_is_open(&s->window, s->wall_ms));
	metric_total(out, "update_windows", "Update windows of ct-logs update so far",
		     (uint64_t)s->window.windows);
	metric_total(out, "update_window_names", "Names asked for in update windows",
		     (uint64_t)s->window.names);
}

static void
metric_cache(struct buf *out, const struct cache_stats *c)
{
	metric_gauge(out, "cache_entries", "Answers in the cache", c->entries);
	metric_gauge(out, "cache_bytes", "Bytes held by the cache", c->bytes);
	metric_total(out, "cache_stored", "Answers stored in the cache", c->stored);
	metric_total(out, "cache_evicted", "Answers evicted to make room for others", c->evicted);
	metric_total(out, "cache_expired", "Answers dropped when they expired", c->expired);
}

void
metrics_write(struct buf *out, const struct status *s, const char *version)
{
	metric_daemon(out, s, version);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		metric_total(out, counter_name((enum counter)i), counter_help((enum counter)i),
			     s->counters.v[i]);
	metric_cache(out, &s->cache);
	metric_reasons(out, s);
	for (size_t i = 0; i < sizeof upstream_gauges / sizeof *upstream_gauges; i++)
		metric_upstream_gauge(out, s, i);
	for (size_t i = 0; i < sizeof upstream_counters / sizeof *upstream_counters; i++)
		metric_upstream_counter(out, s, i);
}
