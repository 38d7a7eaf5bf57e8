#include "resolver/daemon/status.h"

int64_t
status_uptime_ms(const struct status *s)
{
	return s->wall_ms > s->started_ms ? s->wall_ms - s->started_ms : 0;
}

int64_t
status_captive_left_ms(const struct status *s)
{
	return s->captive_until_ms > s->boot_ms ? s->captive_until_ms - s->boot_ms : 0;
}

int64_t
status_ct_list_age_ms(const struct status *s)
{
	int64_t age_ms;

	if (s->snapshot->ctlogs == NULL)
		return -1;
	age_ms = s->wall_ms - ctlogs_date_ms(s->snapshot->ctlogs);
	return age_ms < 0 ? 0 : age_ms;
}

bool
status_ct_list_is_stale(const struct status *s)
{
	return status_ct_list_age_ms(s) > s->snapshot->settings->ct_list_max_age_ms;
}

enum list_age
status_ct_list_step(const struct status *s)
{
	return list_age_of(status_ct_list_age_ms(s), s->snapshot->settings->ct_list_max_age_ms);
}

struct cache_stats
status_cache(const struct status *s)
{
	struct cache_stats sum = {0};

	for (unsigned i = 0; i < s->n_worker; i++) {
		const struct cache_stats *c = &s->worker[i].cache;

		sum.hits += c->hits;
		sum.stale_hits += c->stale_hits;
		sum.misses += c->misses;
		sum.stored += c->stored;
		sum.evicted += c->evicted;
		sum.expired += c->expired;
		sum.entries += c->entries;
		sum.bytes += c->bytes;
	}
	return sum;
}

uint64_t
status_flushed(const struct status *s)
{
	uint64_t n = 0;

	for (unsigned i = 0; i < s->n_worker; i++)
		n += s->worker[i].flushed;
	return n;
}
