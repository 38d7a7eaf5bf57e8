#include "resolver/ask.h"

#include "resolver/here.h"
#include "resolver/portal.h"
#include "resolver/queries.h"

/* One question, and where its reply goes. */
struct asking {
	struct engine *engine;
	const struct msg_question *question;
	const struct route *route;
	const struct client *client;
	struct buf *out;
};

static enum ask
ask_reply(const struct asking *a, const struct reply *r)
{
	struct engine *e = a->engine;

	return tap_reply_write(e->tap, a->out, r, a->question, a->client, e->counters) ? ASK_REPLIED
										       : ASK_DROPPED;
}

enum ask
ask_refuse(struct engine *e, const struct msg_question *q, const struct client *client, uint16_t rcode,
	   const struct msg_ede *ede, enum counter counter, struct buf *out)
{
	const struct reply r = reply_empty(rcode, ede, counter);

	return tap_reply_write(e->tap, out, &r, q, client, e->counters) ? ASK_REPLIED : ASK_DROPPED;
}

/* Answers without an upstream. False: an upstream has to be asked. */
static bool
ask_here(const struct asking *a, enum ask *done)
{
	struct msg_answer room;
	struct reply r;

	if (!here_reply(a->engine, a->question, a->route, &room, &r))
		return false;
	*done = ask_reply(a, &r);
	return true;
}

/* ---- the cache */

static enum ask
ask_failed_before(const struct asking *a, const struct cache_hit *hit)
{
	const struct msg_ede ede[2] = {hit->ede, reply_ede_cached_error};
	struct reply r =
	    reply_empty(hit->answer.rcode, hit->has_ede ? ede : &reply_ede_cached_error, COUNTER_CACHE_HITS);

	if (hit->has_ede)
		r.n_ede = 2;
	r.no_recursion = (hit->answer.flags & MSG_RA) == 0;
	return ask_reply(a, &r);
}

/* An upstream was reached, and failed it a moment ago: that is no reason to serve stale data. */
static enum ask
ask_relayed_before(const struct asking *a, uint16_t rcode)
{
	const struct reply r = reply_empty(rcode, &reply_ede_cached_error, COUNTER_CACHE_HITS);

	return ask_reply(a, &r);
}

static void
ask_ahead(const struct asking *a, const struct cache_key *key)
{
	const struct query_subject what = {a->question, key, a->route};

	queries_prefetch(a->engine, &what);
}

/* So much later than this worker another one may store a denial that it received while it still had the old entries of the
 * hosts file: a query takes its time, and so does reading a very large file. */
#define ASK_HOSTS_LAG_MS (QUERY_TIME_MS + HOSTS_CHECK_MS + 5000)

/* The hosts file has changed since the denial was stored, or not long before, and may have names that it hides by now. */
static void
ask_mend(const struct asking *a, const struct cache_hit *hit, struct msg_answer *room, struct reply *r)
{
	struct engine *e = a->engine;
	const struct local_view view = engine_local(e);

	if (hit->answer.rcode != RCODE_NXDOMAIN ||
	    hosts_changed_ms(e->hosts) + ASK_HOSTS_LAG_MS < hit->stored_ms)
		return;
	buf_clear(&e->scratch);
	if (!local_mends(&view, a->question, &hit->answer, &e->scratch) ||
	    !engine_answer_read(e, room, buf_span(&e->scratch)))
		return;
	r->answer = room;
	r->age_s = 0;
	r->ad = false;
}

static enum ask
ask_fresh(const struct asking *a, const struct cache_key *key, const struct cache_hit *hit)
{
	struct reply r = reply_cached(hit);
	bool prefetch = hit->prefetch;
	struct msg_answer room;
	enum ask done;

	ask_mend(a, hit, &room, &r);
	done = ask_reply(a, &r);

	if (prefetch)
		ask_ahead(a, key);
	return done;
}

static enum ask
ask_stale(const struct asking *a, const struct cache_key *key, const struct cache_hit *hit)
{
	bool probe = !hit->failure;
	struct msg_answer room;
	struct msg_ede ede;
	struct reply r = reply_stale(hit, &ede);
	enum ask done;

	ask_mend(a, hit, &room, &r);
	done = ask_reply(a, &r);

	if (probe)
		ask_ahead(a, key);
	return done;
}

static enum ask
ask_cache(const struct asking *a)
{
	struct engine *e = a->engine;
	struct cache_key key = cache_key_of(a->question);
	const struct query_subject what = {a->question, &key, a->route};
	struct cache_hit hit;
	enum cache_state state;

	cache_key_prepare(e->cache, &key);
	state = engine_cached(e, &key, &hit);
	if (state == CACHE_FRESH)
		return hit.failure ? ask_failed_before(a, &hit) : ask_fresh(a, &key, &hit);
	if (state == CACHE_STALE && hit.failure && hit.relayed != 0)
		return ask_relayed_before(a, hit.relayed);
	/* It failed a moment ago, or no upstream can be reached: stale data go out at once. They must not hide a refusal. */
	if (state == CACHE_STALE && (hit.failure || upstreams_all_resting(e->upstreams, a->route)) &&
	    !upstreams_all_refused(e->upstreams, a->route))
		return ask_stale(a, &key, &hit);
	counter_add(e->counters, COUNTER_CACHE_MISSES, 1);
	return queries_join(e, &what, a->client, state == CACHE_STALE, a->out);
}

enum ask
ask_question(struct engine *e, const struct msg_question *q, const struct client *client, struct buf *out)
{
	const struct asking a = {.engine = e,
				 .question = q,
				 .route = routes_find(e->plan->routes, span_of(q->name, q->name_n)),
				 .client = client,
				 .out = out};
	enum ask done;

	if (ask_here(&a, &done) || portal_ask(e->portal, q, a.route, client, out, &done))
		return done;
	return ask_cache(&a);
}
