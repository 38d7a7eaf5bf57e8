#include "resolver/daemon/workers.h"

#include "resolver/cache_store.h"
#include "resolver/daemon/heap.h"
#include "resolver/daemon/sockets.h"
#include "resolver/reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/*
 * Entries of the cache are in the heaps of the workers, and free(3) takes the lock of the heap. To free a million of them
 * in one go keeps a worker that needs the lock waiting for 20 ms. This many are freed in a fifth of a millisecond.
 */
#define TIDY_ENTRIES  1000
#define TIDY_PAUSE_MS 1

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

static enum res
listening_keep(struct addrs *out, const struct listener_fds *l, size_t n)
{
	out->v = calloc(n + 1, sizeof *out->v);
	if (out->v == NULL)
		return RES_NOMEM;
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < out->n && !addr_equal(&out->v[k], &l[i].addr))
			k++;
		if (k == out->n) /* a service manager hands over one socket for each transport */
			out->v[out->n++] = l[i].addr;
	}
	return RES_OK;
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
	if (res == RES_OK && w->n++ == 0) {
		listening_log(fds, setup->n_fds, n_given > 0);
		res = listening_keep(&w->listen, fds, setup->n_fds);
	}
	free(fds);
	return res;
}

static void
workers_on_tidy(void *ctx)
{
	struct workers *w = ctx;

	if (cache_entries_free(&w->left, TIDY_ENTRIES))
		loop_timer_set(&w->tidy, TIDY_PAUSE_MS);
	else if (LIST_EMPTY(&w->handovers))
		heap_trim();
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
	TAILQ_INIT(&w->left);
	loop_timer_init(&w->tidy, w->loop, workers_on_tidy, w);
	res = cache_store_new(&w->store, s->workers, &limits);
	if (res == RES_OK)
		res = reader_new(&w->reader, w->loop);
	setup.store = w->store;
	setup.reader = w->reader;
	clock_shifts_init(&w->shifts);
	setup.shifts = &w->shifts;
	if (res == RES_OK && of_all->n_given == 0 && sockets_share_ports(s))
		res = sockets_are_free(s, why);
	if (res == RES_OK && (w->v = calloc(s->workers, sizeof(struct worker *))) == NULL)
		res = RES_NOMEM;
	while (res == RES_OK && w->n < s->workers)
		res = workers_add(w, &setup, of_all->given, of_all->n_given, why);
	if (res != RES_OK && *why == NULL)
		*why = strdup(res_why(res));
	return res;
}

enum res
workers_start(struct workers *w, char **why)
{
	struct buf b = buf_max(256);

	for (unsigned i = 0; i < w->n; i++) {
		if (worker_start(w->v[i]) == RES_OK)
			continue;
		buf_format(&b, "cannot start the thread of worker %u of %u: %s", i + 1, w->n,
			   strerror(errno));
		*why = buf_take_cstr(&b);
		return RES_IO;
	}
	return RES_OK;
}

void
workers_run(struct workers *w)
{
	for (unsigned i = 0; i < w->n; i++)
		worker_run(w->v[i]);
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

/* ---- a reload */

struct handover {
	struct workers *of;
	LIST_ENTRY(handover) link;
	struct plan *before;
	unsigned n, left; /* workers in all, and those that still use it */
	struct handed {
		struct handover *all;
		struct plan *plan;        /* a reference, until the worker took it */
		struct loop_reply *reply; /* until it is posted back */
	} handed[];
};

/* Main thread; no worker uses it any more. */
static void
handover_free(struct handover *h)
{
	LIST_REMOVE(h, link);
	for (unsigned i = 0; i < h->n; i++) {
		loop_reply_free(h->handed[i].reply);
		plan_unref(h->handed[i].plan);
	}
	plan_unref(h->before);
	free(h);
}

static void
handover_on_taken(void *arg)
{
	struct handover *h = arg;

	if (--h->left > 0)
		return;
	loop_timer_set(&h->of->tidy, TIDY_PAUSE_MS);
	handover_free(h);
}

static void
handed_reply(struct handed *p)
{
	struct loop_reply *reply = p->reply;

	p->reply = NULL;
	loop_reply_post(reply);
}

static void
worker_on_plan(struct worker *w, void *arg)
{
	struct handed *p = arg;
	struct plan *plan = p->plan;

	p->plan = NULL;
	worker_plan_take(w, plan);
	handed_reply(p);
}

/* NULL: no memory. The plan before is taken on success. */
static struct handover *
handover_new(struct workers *w, struct plan *plan, struct plan *before)
{
	struct handover *h = calloc(1, sizeof *h + w->n * sizeof *h->handed);

	if (h == NULL)
		return NULL;
	h->of = w;
	LIST_INSERT_HEAD(&w->handovers, h, link);
	h->n = h->left = w->n;
	for (unsigned i = 0; i < w->n; i++) {
		h->handed[i].all = h;
		if (loop_reply_new(&h->handed[i].reply, w->loop, handover_on_taken, h) != RES_OK) {
			handover_free(h);
			return NULL;
		}
	}
	for (unsigned i = 0; i < w->n; i++)
		h->handed[i].plan = plan_ref(plan);
	h->before = before;
	return h;
}

void
workers_plan_set(struct workers *w, struct plan *plan, struct plan *before)
{
	const struct cache_limits limits = engine_cache_limits(plan);
	struct handover *h = handover_new(w, plan, before);

	/* Here rather than in a worker, which would have to free all that the cache held. */
	cache_store_renew(w->store, plan->snapshot->generation, &limits, &w->left);
	loop_timer_set(&w->tidy, 0);
	if (h == NULL) { /* the workers go on with the plan that they have */
		log_event(LOG_ERROR, "reload-without-memory", LOG_INT("workers", w->n));
		plan_unref(before);
		return;
	}
	for (unsigned i = 0; i < w->n; i++)
		if (worker_post(w->v[i], worker_on_plan, &h->handed[i]) != RES_OK)
			handed_reply(&h->handed[i]); /* this one goes on with the plan that it has */
}

void
workers_stop(struct workers *w)
{
	for (unsigned i = 0; i < w->n; i++)
		worker_stop(w->v[i]);
	if (w->reader != NULL)
		reader_end(w->reader);
}

void
workers_free(struct workers *w)
{
	for (unsigned i = 0; i < w->n; i++)
		worker_free(w->v[i]);
	while (!LIST_EMPTY(&w->handovers))
		handover_free(LIST_FIRST(&w->handovers));
	free(w->v);
	free(w->listen.v);
	if (w->loop != NULL) { /* else nothing was begun */
		loop_timer_stop(&w->tidy);
		(void)cache_entries_free(&w->left, SIZE_MAX);
	}
	cache_store_free(w->store);
	reader_free(w->reader);
	*w = (struct workers){0};
}
