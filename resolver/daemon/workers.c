#include "resolver/daemon/workers.h"

#include "resolver/cache_store.h"
#include "resolver/daemon/sockets.h"

#include <stdlib.h>

static void
listening_log(const struct listener_fds *l, size_t n, bool given)
{
	char text[ADDR_TEXT_MAX];

	for (size_t i = 0; i < n; i++)
		log_event(LOG_INFO, "listening", LOG_STR("addr", addr_text(&l[i].addr, text)),
			  LOG_STR("for", l[i].tcp < 0   ? "udp"
					 : l[i].udp < 0 ? "tcp"
							: "udp+tcp"),
			  LOG_STR("bound-by", given ? "service-manager" : "us"));
}

static void
workers_on_drained(void *arg)
{
	struct workers *w = arg;

	if (++w->n_drained == w->n)
		loop_stop(w->loop);
}

/* In a worker's thread; the worker's loop goes on until the main thread has heard of all. */
static void
worker_on_drained(void *ctx)
{
	struct workers *w = ctx;

	if (loop_post(w->loop, workers_on_drained, w) != RES_OK)
		loop_stop(w->loop);
}

static enum res
workers_add(struct workers *w, struct worker_setup *setup, const struct listener_fds *given, size_t n_given,
	    char **why)
{
	const struct settings *s = setup->plan->snapshot->settings;
	struct listener_fds *fds = NULL;
	enum res res = sockets_of_worker(s, w->n, given, n_given, &fds, &setup->n_fds, why);

	setup->number = w->n;
	setup->fds = fds;
	if (res == RES_OK)
		res = worker_new(&w->v[w->n], setup);
	if (res == RES_OK && w->n == 0)
		listening_log(fds, setup->n_fds, n_given > 0);
	w->n += res == RES_OK;
	free(fds);
	return res;
}

enum res
workers_new(struct workers *w, const struct workers_setup *of_all, char **why)
{
	const struct settings *s = of_all->plan->snapshot->settings;
	struct worker_setup setup = {.plan = of_all->plan,
				     .connections_max = sockets_connections_max(s->workers),
				     .query_channel = of_all->query_channel,
				     .hooks = of_all->hooks,
				     .on_drained = worker_on_drained,
				     .ctx = w};
	const struct cache_limits limits = engine_cache_limits(of_all->plan);
	enum res res;

	*w = (struct workers){.loop = of_all->main_loop};
	res = cache_store_new(&w->store, s->workers, &limits);
	setup.store = w->store;
	if (res == RES_OK && of_all->n_given == 0 && s->workers > 1)
		res = sockets_are_free(s, why);
	if (res == RES_OK && (w->v = calloc(s->workers, sizeof(struct worker *))) == NULL)
		res = RES_NOMEM;
	while (res == RES_OK && w->n < s->workers)
		res = workers_add(w, &setup, of_all->given, of_all->n_given, why);
	return res;
}

enum res
workers_start(struct workers *w)
{
	enum res res = RES_OK;

	for (unsigned i = 0; i < w->n && res == RES_OK; i++)
		res = worker_start(w->v[i]);
	return res;
}

enum res
workers_post(struct workers *w, void (*fn)(struct worker *, void *arg), void *arg)
{
	enum res res = RES_OK;

	for (unsigned i = 0; i < w->n; i++)
		if (worker_post(w->v[i], fn, arg) != RES_OK)
			res = RES_NOMEM;
	return res;
}

static void
worker_on_drain_wanted(struct worker *w, void *arg)
{
	(void)arg;
	worker_drain(w);
}

void
workers_drain(struct workers *w)
{
	if (workers_post(w, worker_on_drain_wanted, NULL) != RES_OK)
		loop_stop(w->loop);
}

static void
worker_on_plan(struct worker *w, void *arg)
{
	worker_plan_take(w, arg);
}

void
workers_plan_set(struct workers *w, struct plan *plan)
{
	const struct cache_limits limits = engine_cache_limits(plan);

	/* Here rather than in a worker: it frees all that the cache held. */
	cache_store_renew(w->store, plan->snapshot->generation, &limits);
	for (unsigned i = 0; i < w->n; i++) {
		struct plan *ref = plan_ref(plan);

		if (worker_post(w->v[i], worker_on_plan, ref) != RES_OK)
			plan_unref(ref);
	}
}

void
workers_stop(struct workers *w)
{
	for (unsigned i = 0; i < w->n; i++)
		worker_stop(w->v[i]);
}

void
workers_free(struct workers *w)
{
	for (unsigned i = 0; i < w->n; i++)
		worker_free(w->v[i]);
	free(w->v);
	cache_store_free(w->store);
	*w = (struct workers){0};
}
