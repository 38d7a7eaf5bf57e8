/* The front door of the engine: what can be answered at once. */
#include "resolver/query.h"
#include "resolver/explain.h"
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

/* Local and blocked names: a whole message that still has to be made this client's. */
static enum ask
ask_local(struct engine *e, const struct msg_question *q, bool tcp, enum counter counter,
	  const struct msg_ede *ede, struct buf *out)
{
	struct msg_finish f = finish_for(q, tcp);
	struct msg_answer a;
	size_t at = out->n;

	f.ede = ede;
	f.n_ede = ede != NULL ? 1 : 0;
	counter_add(e->counters, counter, 1);
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

/* A kept answer; false: it cannot be given (it does not happen). */
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

/* What a name is told without asking anybody; false: an upstream has to be asked. */
static bool
ask_here(struct engine *e, const struct msg_question *q, const struct route *route, bool tcp, struct buf *out,
	 enum ask *done)
{
	static const uint8_t listed_why[] = "on a filter list", single_why[] = "a name of a single label";
	static const struct msg_ede listed = {EDE_BLOCKED, {listed_why, sizeof listed_why - 1}};
	static const struct msg_ede single = {EDE_BLOCKED, {single_why, sizeof single_why - 1}};
	const struct local_view view = engine_local(e);
	enum filter_answer how = e->plan->snapshot->settings->filter_answer;

	buf_clear(&e->scratch);
	switch (local_answer(&view, q, route, loop_now_ms(e->loop), &e->scratch)) {
	case LOCAL_ANSWERED:
		*done = ask_local(e, q, tcp, COUNTER_LOCAL, NULL, out);
		return true;
	case LOCAL_REFUSED:
		*done = ask_empty(e, q, tcp, RCODE_REFUSED, COUNTER_REFUSED, &single, out);
		return true;
	case LOCAL_NOT_OURS:
		break;
	}
	if (filter_has(e->plan->filter, span_of(q->name, q->name_n))) {
		*done = local_blocked(&view, q, how, &e->scratch)
			    ? ask_local(e, q, tcp, COUNTER_FILTERED, &listed, out)
			    : ask_empty(e, q, tcp, RCODE_REFUSED, COUNTER_FILTERED, &listed, out);
		return true;
	}
	/* `forward "x" { upstream = {} }`: the name exists here or nowhere. */
	if (route->n_upstream == 0)
		local_nothing(&view, q, route->suffix, &e->scratch);
	else if (q->type == TYPE_ANY)
		local_any(q, &e->scratch);
	if (e->scratch.n == 0)
		return false;
	*done = ask_local(e, q, tcp, COUNTER_LOCAL, NULL, out);
	return true;
}

enum ask
engine_ask(struct engine *e, struct span wire, const struct client *client, struct buf *out)
{
	struct msg_question q;
	const struct route *route;
	bool tcp = client->tcp;
	enum ask done;

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
	route = routes_find(e->plan->routes, span_of(q.name, q.name_n));
	if (ask_here(e, &q, route, tcp, out, &done))
		return done;
	return ask_cache(e, &q, route, client, out);
}
