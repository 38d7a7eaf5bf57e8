#include "resolver/time_names.h"

#include "base/clock.h"
#include "resolver/here.h"
#include "resolver/query.h"
#include "resolver/server.h"

/* ---- its connections */

static void
time_names_on_verdict(void *ctx, const struct server *s)
{
	(void)ctx;
	if (s->health == HEALTH_REFUSED)
		log_event(LOG_WARN, "refused-for-time-names", LOG_STR("upstream", s->target->upstream),
			  LOG_IP("addr", &s->target->addr), LOG_STR("reason", reason_code(s->reason)));
}

static void
time_names_on_ready(void *ctx, const struct server *s)
{
	(void)ctx;
	log_event(LOG_NOTICE, "accepted-for-time-names", LOG_STR("upstream", s->target->upstream),
		  LOG_IP("addr", &s->target->addr));
}

/* ---- its questions */

static bool
is_time_name(const struct snapshot *s, const struct msg_question *q)
{
	struct span name = span_of(q->name, q->name_n);

	if (q->class != CLASS_IN || (q->type != TYPE_A && q->type != TYPE_AAAA))
		return false;
	for (size_t i = 0; i < s->n_time_name; i++)
		if (span_equal(s->time_name[i], name))
			return true;
	return false;
}

/* Local names, the filter and forwards to nowhere come first. */
static bool
is_answered_here(struct engine *e, const struct msg_question *q)
{
	const struct route *route = routes_find(e->plan->routes, span_of(q->name, q->name_n));
	struct msg_answer room;
	struct reply r;

	return here_reply(e, q, route, &room, &r);
}

/* It joins a question in flight, or the cache answers it: nothing more goes upstream. */
static bool
is_known(struct engine *e, const struct msg_question *q)
{
	struct cache_key key = cache_key_of(q);
	struct cache_hit hit;

	cache_key_prepare(e->cache, &key);
	return query_find(e, &key) != NULL || engine_cached(e, &key, &hit) == CACHE_FRESH;
}

static bool
question_take(struct engine *e, const struct msg_question *q)
{
	struct buf name = buf_max(0);

	if (!pace_take(&e->time_pace, loop_now_ms(e->loop), TIME_NAMES_MS, TIME_NAMES_BURST)) {
		counter_add(e->counters, COUNTER_TIME_NAMES_LIMITED, 1);
		return false;
	}
	counter_add(e->counters, COUNTER_TIME_NAMES, 1);
	msg_name_text(&name, span_of(q->name, q->name_n));
	log_event(LOG_NOTICE, "time-name", LOG_STR("name", buf_cstr(&name)),
		  LOG_STR("type", q->type == TYPE_A ? "A" : "AAAA"));
	buf_free(&name);
	return true;
}

const struct server_hooks time_names_hooks = {.on_verdict = time_names_on_verdict,
					      .on_ready = time_names_on_ready};

bool
time_names_list(const struct engine *e, const struct msg_question *q)
{
	return is_time_name(e->plan->snapshot, q);
}

bool
time_names_needed(const struct engine *e)
{
	return e->plan->snapshot->n_time_name > 0 && clock_wall_ms() < e->plan->snapshot->floor_ms;
}

bool
time_names_have(struct engine *e, const struct msg_question *q)
{
	return e->plan->snapshot->n_time_name > 0 && time_names_list(e, q) && time_names_needed(e) &&
	       !is_answered_here(e, q);
}

bool
time_names_take(struct engine *e, const struct msg_question *q)
{
	return is_known(e->by_floor, q) || question_take(e, q);
}
