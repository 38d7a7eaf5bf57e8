#include "resolver/engine_state.h"

#include "base/clock.h"
#include "base/log.h"
#include "resolver/upstreams.h"

/* The clocks are not read at the same moment, a short doze harms no connection, and so small a step no verdict. */
#define CLOCK_JUMP_MIN_MS 1000
#define AWAKE_ROUNDING_MS 100

struct local_view
engine_local(const struct engine *e)
{
	return (struct local_view){.data = e->plan->local,
				   .hosts = e->hosts,
				   .routes = e->plan->routes,
				   .single_labels = e->plan->snapshot->settings->single_labels};
}

uint32_t
engine_ttl_floor(const struct engine *e)
{
	return (uint32_t)(e->plan->snapshot->settings->cache_min_ttl_ms / 1000);
}

uint32_t
engine_ttl_cap(const struct engine *e, const struct msg_answer *a)
{
	const struct settings *s = e->plan->snapshot->settings;
	int64_t cap = s->cache_max_ttl_ms;

	if ((a->rcode == RCODE_NXDOMAIN || !a->has_answer_of_type) && s->cache_negative_max_ttl_ms < cap)
		cap = s->cache_negative_max_ttl_ms;
	return (uint32_t)(cap / 1000);
}

uint64_t
engine_zone(struct engine *e, struct span name)
{
	return hash_keyed(&e->hash, suffix_zone(&e->suffixes, name));
}

enum cache_state
engine_cached(struct engine *e, const struct cache_key *key, struct cache_hit *hit)
{
	int64_t now = loop_now_ms(e->loop), network_ms = e->upstreams->network_ms;
	enum cache_state state = cache_get(e->cache, key, now, hit);

	if (state == CACHE_FRESH && hit->failure && hit->stored_ms < network_ms)
		return CACHE_MISS;
	/* Data keep no time at which they could not be refreshed. */
	if (state == CACHE_STALE && server_time_within(network_ms, now, STALE_RECHECK_MS))
		hit->failure = false;
	return state;
}

bool
engine_answer_read(struct engine *e, struct msg_answer *a, struct span wire)
{
	return msg_answer_read(a, wire, e->ttl_at) == RES_OK;
}

struct reply
engine_reply_made(struct engine *e, struct msg_answer *m, const struct msg_ede *ede, enum counter counts_as)
{
	/* Without its last records a message may still be readable. */
	return buf_ok(&e->scratch) && engine_answer_read(e, m, buf_span(&e->scratch))
		   ? reply_whole(m, ede, counts_as)
		   : reply_empty(RCODE_SERVFAIL, &reply_ede_unmade, counts_as);
}

static void
engine_on_woken(void *ctx)
{
	struct engine *e = ctx;
	const struct upstreams_hooks *hooks = &e->upstreams->hooks;

	engine_notice_clocks(e);
	hooks->on_change(hooks->ctx); /* nothing rests after a sleep: queries that wait look again */
}

static void
engine_read_clocks(struct engine *e)
{
	int64_t awake = clock_mono_ms(), asleep = clock_boot_ms() - awake;

	e->awake_ms = awake;
	e->asleep_now_ms = asleep;
	/* Smaller differences are those of rounding, or too short to harm anything. It is not acted upon at once: that ends
	 * attempts, those of this question too. */
	if (asleep - e->slept_ms >= AWAKE_ROUNDING_MS || e->slept_ms - asleep >= AWAKE_ROUNDING_MS) {
		e->slept_ms = asleep;
		loop_defer(&e->woken, e->loop, engine_on_woken, e);
	}
}

void
engine_step_begin(struct engine *e)
{
	if (e->steps++ == 0)
		engine_read_clocks(e);
}

void
engine_step_end(struct engine *e)
{
	e->steps--;
}

int64_t
engine_awake_ms(struct engine *e)
{
	if (e->steps == 0)
		engine_read_clocks(e);
	return e->awake_ms;
}

int64_t
engine_boot_of_awake_ms(struct engine *e, int64_t awake_ms)
{
	if (e->steps == 0)
		engine_read_clocks(e);
	return awake_ms + e->asleep_now_ms;
}

/* Of the workers that notice a shift, one reports it. The engine for time-names is part of a worker. */
static bool
engine_reports(const struct engine *e, _Atomic int64_t *of_all, int64_t now_ms)
{
	return !e->is_by_floor && clock_shift_take(of_all, now_ms, CLOCK_JUMP_MIN_MS);
}

void
engine_notice_clocks(struct engine *e)
{
	int64_t boot = engine_boot_of_awake_ms(e, engine_awake_ms(e));
	int64_t asleep = e->asleep_now_ms, slept = asleep - e->asleep_ms;
	int64_t ahead = clock_wall_ms() - boot, set = ahead - e->ahead_ms;

	e->asleep_ms = asleep;
	e->ahead_ms = ahead;
	if (slept >= CLOCK_JUMP_MIN_MS) {
		if (engine_reports(e, &e->shifts->asleep_ms, asleep)) {
			counter_add(e->counters, COUNTER_RESUMES, 1);
			log_event(LOG_NOTICE, "resumed", LOG_INT("asleep_s", slept / 1000));
		}
		upstreams_network_changed(e->upstreams);
	} else {
		clock_shift_follow(&e->shifts->asleep_ms, asleep, CLOCK_JUMP_MIN_MS);
	}
	if (set >= CLOCK_JUMP_MIN_MS || set <= -CLOCK_JUMP_MIN_MS) {
		if (engine_reports(e, &e->shifts->ahead_ms, ahead)) {
			counter_add(e->counters, COUNTER_CLOCK_SETS, 1);
			log_event(LOG_NOTICE, "clock-set", LOG_INT("by_s", set / 1000));
		}
		upstreams_clock_set(e->upstreams);
	} else {
		clock_shift_follow(&e->shifts->ahead_ms, ahead, CLOCK_JUMP_MIN_MS);
	}
}
