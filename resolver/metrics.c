#include "resolver/metrics.h"

#include <inttypes.h>

static const struct {
	const char *name;
	const char *help;
} counters[COUNTER_COUNT] = {
#define COUNTER(id, name, help) [COUNTER_##id] = {name, help},
#include "resolver/counters.def"
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
	struct buf text = {.p = (uint8_t *)full, .cap = sizeof full - 1, .max = sizeof full - 1};

	buf_format(&text, "%s_total", name);
	full[text.n] = '\0';
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
}

static uint64_t up(const struct upstream_report *u) { return u->health == HEALTH_GOOD; }
static uint64_t refused_now(const struct upstream_report *u) { return u->health == HEALTH_REFUSED; }
static uint64_t in_flight(const struct upstream_report *u) { return u->stats.in_flight; }
static uint64_t connects(const struct upstream_report *u) { return u->stats.connects; }
static uint64_t handshakes(const struct upstream_report *u) { return u->stats.handshakes; }
static uint64_t resumed(const struct upstream_report *u) { return u->stats.resumed; }
static uint64_t refused(const struct upstream_report *u) { return u->stats.refused; }
static uint64_t failures(const struct upstream_report *u) { return u->stats.failures; }
static uint64_t questions(const struct upstream_report *u) { return u->stats.questions; }
static uint64_t answers(const struct upstream_report *u) { return u->stats.answers; }
static uint64_t repeated(const struct upstream_report *u) { return u->stats.repeated; }
static uint64_t unexpected(const struct upstream_report *u) { return u->stats.unexpected; }
static uint64_t bytes_out(const struct upstream_report *u) { return u->stats.bytes_out; }
static uint64_t bytes_in(const struct upstream_report *u) { return u->stats.bytes_in; }

/* One row for each metric that every upstream address of every worker has. */
static const struct {
	const char *name;
	const char *type;
	const char *help;
	uint64_t (*value)(const struct upstream_report *);
} upstream_metrics[] = {
    {"upstream_up", "gauge", "1 when the address answers and its certificate is accepted", up},
    {"upstream_refused", "gauge", "1 when the certificate of the address is refused", refused_now},
    {"upstream_in_flight", "gauge", "Questions in flight", in_flight},
    {"upstream_connects_total", "counter", "Connection attempts", connects},
    {"upstream_handshakes_total", "counter", "Handshakes whose verdict was to accept", handshakes},
    {"upstream_resumed_total", "counter", "Handshakes that resumed a session", resumed},
    {"upstream_refusals_total", "counter", "Handshakes whose verdict was to refuse", refused},
    {"upstream_failures_total", "counter", "Connections that failed on the wire", failures},
    {"upstream_questions_total", "counter", "Questions written", questions},
    {"upstream_answers_total", "counter", "Answers read", answers},
    {"upstream_repeated_total", "counter", "Questions repeated on a fresh connection", repeated},
    {"upstream_unexpected_total", "counter", "Answers that nobody waited for", unexpected},
    {"upstream_bytes_out_total", "counter", "Bytes of questions written", bytes_out},
    {"upstream_bytes_in_total", "counter", "Bytes of answers read", bytes_in},
};

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

static void
upstreams_write(struct buf *out, const struct metrics *m)
{
	for (size_t row = 0; row < sizeof upstream_metrics / sizeof *upstream_metrics; row++) {
		head(out, upstream_metrics[row].name, upstream_metrics[row].type, upstream_metrics[row].help);
		for (unsigned i = 0; i < m->n_worker; i++) {
			const struct upstreams_report *r = &m->worker[i].report;

			for (size_t j = 0; j < r->n; j++) {
				buf_format(out, "ctstub_%s", upstream_metrics[row].name);
				upstream_labels(out, &r->v[j], i);
				buf_format(out, " %" PRIu64 "\n", upstream_metrics[row].value(&r->v[j]));
			}
		}
	}
	head(out, "upstream_answer_seconds", "gauge", "Smoothed time to an answer");
	for (unsigned i = 0; i < m->n_worker; i++) {
		const struct upstreams_report *r = &m->worker[i].report;

		for (size_t j = 0; j < r->n; j++) {
			if (r->v[j].stats.srtt_us < 0)
				continue;
			buf_text(out, "ctstub_upstream_answer_seconds");
			upstream_labels(out, &r->v[j], i);
			buf_format(out, " %.6f\n", (double)r->v[j].stats.srtt_us / 1e6);
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
	gauge(out, "captive", "1 while captive mode is on", m->captive);
	if (m->ct_list_age_ms >= 0)
		gauge(out, "ct_list_age_seconds", "Age of the CT log list", (uint64_t)(m->ct_list_age_ms / 1000));
	gauge(out, "ct_list_stale", "1 when the CT log list is older than ct.list-max-age", m->ct_list_stale);
	for (unsigned i = 0; i < COUNTER_COUNT; i++)
		total(out, counters[i].name, counters[i].help, m->counter[i]);
	gauge(out, "cache_entries", "Answers in the cache", cache.entries);
	gauge(out, "cache_bytes", "Bytes that the cache holds", cache.bytes);
	total(out, "cache_stored", "Answers put into the cache", cache.stored);
	total(out, "cache_evicted", "Answers that made room for others", cache.evicted);
	total(out, "cache_expired", "Answers dropped at their end", cache.expired);
	reasons_write(out, m);
	upstreams_write(out, m);
}
