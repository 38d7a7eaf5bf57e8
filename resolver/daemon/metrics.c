#include "resolver/daemon/metrics.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	const char *help;
} counters[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = {name, help},
#include "resolver/daemon/counters.def"
#undef COUNTER
};

const char *
counter_name(enum counter c)
{
	return counters[c].name;
}

void
metrics_sum(struct metrics *m, struct daemon *d)
{
	for (unsigned i = 0; i < daemon_workers(d); i++) {
		struct counters *c = worker_counters(daemon_worker(d, i));

		for (unsigned j = 0; j < COUNTER_COUNT; j++)
			m->counter[j] += counter_get(c, (enum counter)j);
		for (unsigned j = 0; j < REASON_COUNT; j++)
			m->reason[j] += atomic_load_explicit(&c->by_reason[j], memory_order_relaxed);
		for (unsigned j = 0; j < REASON_COUNT; j++)
			m->report[j] += atomic_load_explicit(&c->by_report[j], memory_order_relaxed);
	}
}

struct cache_stats
metrics_cache(const struct metrics *m)
{
	struct cache_stats sum = {0};

	for (unsigned i = 0; i < m->n_worker; i++) {
		const struct cache_stats *s = &m->worker[i].cache;

		sum.hits += s->hits;
		sum.stale_hits += s->stale_hits;
		sum.misses += s->misses;
		sum.stored += s->stored;
		sum.evicted += s->evicted;
		sum.expired += s->expired;
		sum.entries += s->entries;
		sum.bytes += s->bytes;
	}
	return sum;
}

static void
head(struct buf *out, const char *name, const char *type, const char *help)
{
	buf_format(out, "# HELP ctstub_%s %s\n# TYPE ctstub_%s %s\n", name, help, name, type);
}

static void
gauge(struct buf *out, const char *name, const char *help, uint64_t value)
{
	head(out, name, "gauge", help);
	buf_format(out, "ctstub_%s %" PRIu64 "\n", name, value);
}

static void
total(struct buf *out, const char *name, const char *help, uint64_t value)
{
	char full[64];

	(void)snprintf(full, sizeof full, "%s_total", name);
	head(out, full, "counter", help);
	buf_format(out, "ctstub_%s %" PRIu64 "\n", full, value);
}

/* The value of a label: any bytes of a title, as the format wants them. */
static void
label_put(struct buf *out, const char *key, const char *value)
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
reasons_write(struct buf *out, const struct metrics *m)
{
	head(out, "upstream_problems_total", "counter", "Refusals and failures of upstreams by reason");
	for (unsigned i = 1; i < REASON_COUNT; i++)
		buf_format(out, "ctstub_upstream_problems_total{reason=\"%s\",stage=\"%s\"} %" PRIu64 "\n",
			   reason_code((enum reason)i), reason_stage((enum reason)i), m->reason[i]);
	head(out, "report_findings_total", "counter",
	     "Verdicts with a finding that refuses nothing because its rule is in report mode, by reason");
	for (unsigned i = 1; reason_is_verdict((enum reason)i); i++)
		buf_format(out, "ctstub_report_findings_total{reason=\"%s\"} %" PRIu64 "\n",
			   reason_code((enum reason)i), m->report[i]);
}

static void
upstream_labels(struct buf *out, const struct upstream_report *u, unsigned worker)
{
	char addr[ADDR_TEXT_MAX];

	buf_text(out, "{");
	label_put(out, "upstream", u->upstream);
	buf_text(out, ",");
	label_put(out, "address", addr_text(&u->addr, addr));
	buf_format(out, ",protocol=\"%s\",worker=\"%u\"}", u->protocol == TP_DOH ? "doh" : "dot", worker);
}

/* What transport counts for every upstream address of every worker. */
static const struct {
	const char *name;
	const char *help;
	size_t at; /* of a uint64_t in the report */
} upstream_counters[] = {
#define STAT(field) offsetof(struct upstream_report, stats.field)
    {"connects", "Connection attempts", STAT(connects)},
    {"handshakes", "Handshakes whose verdict was to accept", STAT(handshakes)},
    {"resumed", "Handshakes that resumed a session", STAT(resumed)},
    {"refusals", "Handshakes whose verdict was to refuse", STAT(refused)},
    {"failures", "Connections that failed on the wire", STAT(failures)},
    {"questions", "Questions written", STAT(questions)},
    {"answers", "Answers read", STAT(answers)},
    {"repeated", "Questions repeated on a fresh connection", STAT(repeated)},
    {"unexpected", "Answers that nobody waited for", STAT(unexpected)},
    {"idle_closes", "Connections that the peer closed for being idle", STAT(idle_closes)},
    {"bytes_out", "Bytes of questions written", STAT(bytes_out)},
    {"bytes_in", "Bytes of answers read", STAT(bytes_in)},
#undef STAT
};

static double
upstream_up(const struct upstream_report *u)
{
	return u->health == HEALTH_GOOD;
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
    {"refused", "1 when the certificate of the address is refused", upstream_refused, 0},
    {"would_be_refused", "1 when report mode alone keeps the certificate of the address from being refused",
     upstream_would_be_refused, 0},
    {"in_flight", "Questions in flight", upstream_in_flight, 0},
    {"answer_seconds", "Smoothed time to an answer", upstream_answer_seconds, 6},
};

static void
upstream_gauge(struct buf *out, const struct metrics *m, size_t row)
{
	char name[64];

	(void)snprintf(name, sizeof name, "upstream_%s", upstream_gauges[row].name);
	head(out, name, "gauge", upstream_gauges[row].help);
	for (unsigned i = 0; i < m->n_worker; i++) {
		const struct upstreams_report *r = &m->worker[i].report;

		for (size_t j = 0; j < r->n; j++) {
			double value = upstream_gauges[row].value(&r->v[j]);

			if (value < 0)
				continue;
			buf_format(out, "ctstub_%s", name);
			upstream_labels(out, &r->v[j], i);
			buf_format(out, " %.*f\n", upstream_gauges[row].decimals, value);
		}
	}
}

static void
upstream_counter(struct buf *out, const struct metrics *m, size_t row)
{
	char name[64];

	(void)snprintf(name, sizeof name, "upstream_%s_total", upstream_counters[row].name);
	head(out, name, "counter", upstream_counters[row].help);
	for (unsigned i = 0; i < m->n_worker; i++) {
		const struct upstreams_report *r = &m->worker[i].report;

		for (size_t j = 0; j < r->n; j++) {
			uint64_t value;

			memcpy(&value, (const char *)&r->v[j] + upstream_counters[row].at, sizeof value);
			buf_format(out, "ctstub_%s", name);
			upstream_labels(out, &r->v[j], i);
			buf_format(out, " %" PRIu64 "\n", value);
		}
	}
}

void
metrics_write(struct buf *out, const struct metrics *m)
{
	struct cache_stats cache = metrics_cache(m);

	head(out, "info", "gauge", "The version that runs");
	buf_text(out, "ctstub_info{");
	label_put(out, "version", m->version);
	buf_text(out, "} 1\n");
	gauge(out, "uptime_seconds", "Time since the start", (uint64_t)(m->uptime_ms / 1000));
	gauge(out, "configuration_generation", "Number of the configuration in force", m->generation);
	gauge(out, "configuration_reload_failed", "1 when the last reload was refused", m->reload_failed);
	gauge(out, "list_warnings", "Warnings about lists: items left out, lists that cannot be read",
	      m->list_warnings);
	gauge(out, "captive", "1 while captive mode is on", m->captive);
	if (m->ct_list_age_ms >= 0)
		gauge(out, "ct_list_age_seconds", "Age of the CT log list",
		      (uint64_t)(m->ct_list_age_ms / 1000));
	gauge(out, "ct_list_stale", "1 when the CT log list is older than ct.list-max-age", m->ct_list_stale);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		total(out, counters[i].name, counters[i].help, m->counter[i]);
	gauge(out, "cache_entries", "Answers in the cache", cache.entries);
	gauge(out, "cache_bytes", "Bytes that the cache holds", cache.bytes);
	total(out, "cache_stored", "Answers put into the cache", cache.stored);
	total(out, "cache_evicted", "Answers that made room for others", cache.evicted);
	total(out, "cache_expired", "Answers dropped at their end", cache.expired);
	reasons_write(out, m);
	for (size_t i = 0; i < sizeof upstream_gauges / sizeof *upstream_gauges; i++)
		upstream_gauge(out, m, i);
	for (size_t i = 0; i < sizeof upstream_counters / sizeof *upstream_counters; i++)
		upstream_counter(out, m, i);
}
