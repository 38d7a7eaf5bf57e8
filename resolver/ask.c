/* The front door of the engine: what can be answered at once. */
#include "resolver/query.h"
#include "resolver/routes.h"

static enum ask
ask_done(struct engine *e, const struct buf *out, size_t at)
{
	if (out->n >= at + MSG_HEADER && out->p[at + 2] & MSG_TC >> 8)
		counter_add(e->counters, COUNTER_TRUNCATED, 1);
	counter_add(e->counters, COUNTER_REPLIES, 1);
	return ASK_REPLIED;
}

static enum ask
ask_empty(struct engine *e, const struct msg_question *q, bool tcp, uint16_t rcode, enum counter counter,
	  const struct msg_ede *ede, struct buf *out)
{
	struct msg_finish f = finish_for(q, tcp);

	f.ede = ede;
	f.n_ede = ede != NULL ? 1 : 0;
	counter_add(e->counters, counter, 1);
	if (msg_reply_empty(out, &f, rcode) != RES_OK)
		return ASK_DROPPED;
	counter_add(e->counters, COUNTER_REPLIES, 1);
	return ASK_REPLIED;
}

/* hosts, local data, special-use names: a whole message that still has to be made this client's. */
static enum ask
ask_local(struct engine *e, const struct msg_question *q, bool tcp, struct buf *out)
{
	struct msg_finish f = finish_for(q, tcp);
	struct msg_answer a;
	size_t at = out->n;

	counter_add(e->counters, COUNTER_LOCAL, 1);
	if (msg_answer_read(&a, buf_span(&e->scratch), e->ttl_at) != RES_OK ||
	    msg_reply_from_answer(out, &f, &a, 0, 0, UINT32_MAX) != RES_OK)
		return ask_empty(e, q, tcp, RCODE_SERVFAIL, COUNTER_SERVFAIL, NULL, out);
	return ask_done(e, out, at);
}

static enum ask
ask_failed_before(struct engine *e, const struct msg_question *q, bool tcp, const struct cache_hit *hit,
		  struct buf *out)
{
	struct msg_finish f = finish_for(q, tcp);
	struct msg_ede ede[2] = {hit->ede, {.code = EDE_CACHED_ERROR}};
	size_t at = out->n;

	counter_add(e->counters, COUNTER_CACHE_HITS, 1);
	if (hit->answer.rcode == RCODE_SERVFAIL)
		counter_add(e->counters, COUNTER_SERVFAIL, 1);
	f.ede = hit->has_ede ? ede : ede + 1;
	f.n_ede = hit->has_ede ? 2 : 1;
	f.no_recursion = (hit->answer.flags & MSG_RA) == 0;
	if (msg_reply_empty(out, &f, hit->answer.rcode) != RES_OK)
		return ASK_DROPPED;
	return ask_done(e, out, at);
}

/* A kept answer; false: it can not be given (it does not happen). */
static bool
ask_kept(struct engine *e, const struct msg_question *q, bool tcp, const struct cache_hit *hit, bool stale,
	 struct buf *out)
{
	struct msg_finish f = finish_for(q, tcp);
	struct msg_ede ede;

	f.ad = hit->ad && ((q->flags & MSG_AD) != 0 || q->edns.do_bit);
	if (stale) {
		ede = stale_ede(hit);
		f.ede = &ede;
		f.n_ede = 1;
		counter_add(e->counters, COUNTER_CACHE_STALE, 1);
		return msg_reply_from_answer(out, &f, &hit->answer, 0, QUERY_STALE_TTL_S,
					     QUERY_STALE_TTL_S) == RES_OK;
	}
	if (hit->has_ede) {
		f.ede = &hit->ede;
		f.n_ede = 1;
	}
	counter_add(e->counters, COUNTER_CACHE_HITS, 1);
	return msg_reply_from_answer(out, &f, &hit->answer, hit->age_s, 0, UINT32_MAX) == RES_OK;
}

static enum ask
ask_cache(struct engine *e, const struct msg_question *q, const struct route *route,
	  const struct client *client, struct buf *out)
{
	const struct cache_key key = cache_key_of(q);
	struct cache_hit hit;
	enum cache_state state = cache_get(e->cache, &key, loop_now_ms(e->loop), &hit);
	size_t at = out->n;
	bool ahead;

	if (state == CACHE_FRESH && hit.failure)
		return ask_failed_before(e, q, client->tcp, &hit, out);
	if (state == CACHE_FRESH && ask_kept(e, q, client->tcp, &hit, false, out)) {
		ahead = hit.prefetch;
		if (ahead)
			query_prefetch(e, q, route);
		return ask_done(e, out, at);
	}
	/* It failed a moment ago, or nobody can be reached: what there is goes out at once. A refusal it
	 * must not hide. */
	if (state == CACHE_STALE && (hit.failure || upstreams_all_resting(e->upstreams, route)) &&
	    !upstreams_all_refused(e->upstreams, route)) {
		ahead = !hit.failure;
		if (ask_kept(e, q, client->tcp, &hit, true, out)) {
			if (ahead) /* as a probe */
				query_prefetch(e, q, route);
			return ask_done(e, out, at);
		}
	}
	counter_add(e->counters, COUNTER_CACHE_MISSES, 1);
	return query_join(e, q, route, client, state == CACHE_STALE, out);
}

enum ask
engine_ask(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	static const uint8_t why[] = "on a filter list";
	static const struct msg_ede blocked = {EDE_BLOCKED, {why, sizeof why - 1}};
	struct msg_question q;
	const struct route *route;
	bool tcp = client->tcp;
	struct span name;

	counter_add(e->counters, tcp ? COUNTER_QUESTIONS_TCP : COUNTER_QUESTIONS_UDP, 1);
	switch (msg_question_read(&q, wire)) {
	case MSG_OK:
		break;
	case MSG_DROP:
		counter_add(e->counters, COUNTER_DROPPED, 1);
		return ASK_DROPPED;
	case MSG_FORMERR:
		return ask_empty(e, &q, tcp, RCODE_FORMERR, COUNTER_FORMERR, NULL, out);
	case MSG_NOTIMP:
		return ask_empty(e, &q, tcp, RCODE_NOTIMP, COUNTER_NOTIMP, NULL, out);
	case MSG_BADVERS:
		return ask_empty(e, &q, tcp, RCODE_BADVERS, COUNTER_FORMERR, NULL, out);
	case MSG_REFUSED:
		return ask_empty(e, &q, tcp, RCODE_REFUSED, COUNTER_REFUSED, NULL, out);
	}
	name = span_of(q.name, q.name_n);
	route = routes_find(e->plan->routes, name);
	buf_clear(&e->scratch);
	if (local_answer(e->plan->local, e->hosts, &q, route->forwarded, loop_now_ms(e->loop), &e->scratch))
		return ask_local(e, &q, tcp, out);
	if (filter_has(e->plan->filter, name))
		return ask_empty(e, &q, tcp, RCODE_REFUSED, COUNTER_FILTERED, &blocked, out);
	/* `forward "x" { upstream = {} }`: the name exists here or nowhere. */
	if (route->n_upstream == 0)
		local_nothing(&q, route->suffix, &e->scratch);
	else if (q.type == TYPE_ANY)
		local_any(&q, &e->scratch);
	if (e->scratch.n > 0)
		return ask_local(e, &q, tcp, out);
	return ask_cache(e, &q, route, client, out);
}
