#include "resolver/daemon/gather.h"

#include "transport/loop.h"

#include <stdlib.h>
#include <string.h>

struct part {
	struct gather *gather;
	struct gathered answer; /* the worker's until it is posted back */
};

struct gather {
	struct loop *loop;
	unsigned what;
	uint8_t flush[MSG_NAME_MAX];
	size_t flush_n;
	void (*done)(void *ctx, const struct gathered *, unsigned n); /* NULL: cancelled */
	void *ctx;
	unsigned n, left;
	struct part part[];
};

/* Main thread: every worker has answered. */
static void
gather_finish(struct gather *g)
{
	struct gathered *v = calloc(g->n, sizeof *v);

	for (unsigned i = 0; i < g->n && v != NULL; i++)
		v[i] = g->part[i].answer;
	if (g->done != NULL)
		g->done(g->ctx, v, v == NULL ? 0 : g->n);
	for (unsigned i = 0; i < g->n; i++)
		upstreams_report_free(&g->part[i].answer.report);
	free(v);
	free(g);
}

static void
gather_on_answer(void *arg)
{
	struct part *part = arg;

	if (--part->gather->left == 0)
		gather_finish(part->gather);
}

/* In the worker's thread. */
static void
gather_on_worker(struct worker *w, void *arg)
{
	struct part *part = arg;
	const struct gather *g = part->gather;

	if (g->what & GATHER_FLUSH)
		part->answer.flushed = cache_flush(worker_cache(w), span_of(g->flush, g->flush_n));
	if (g->what & GATHER_CACHE)
		cache_stats(worker_cache(w), &part->answer.cache);
	if (g->what & GATHER_REPORT)
		part->answer.res = worker_report(w, &part->answer.report);
	/* Without memory for the way back the question ends by its time; the part is then never freed, nor
	 * used again. */
	(void)loop_post(g->loop, gather_on_answer, part);
}

enum res
gather_start(struct gather **out, struct loop *main_loop, struct daemon *d, unsigned what, struct span flush,
	     void (*done)(void *ctx, const struct gathered *v, unsigned n), void *ctx)
{
	unsigned n = daemon_workers(d);
	struct gather *g = calloc(1, sizeof *g + n * sizeof *g->part);

	if (g == NULL)
		return RES_NOMEM;
	g->loop = main_loop;
	g->what = what;
	g->flush_n = flush.n;
	if (flush.n > 0)
		memcpy(g->flush, flush.p, flush.n);
	g->done = done;
	g->ctx = ctx;
	g->n = g->left = n;
	for (unsigned i = 0; i < n; i++)
		g->part[i].gather = g;
	for (unsigned i = 0; i < n; i++) {
		enum res res = worker_post(daemon_worker(d, i), gather_on_worker, &g->part[i]);

		if (res == RES_OK)
			continue;
		g->part[i].answer.res = res;
		if (loop_post(main_loop, gather_on_answer, &g->part[i]) != RES_OK)
			g->left--; /* no callback runs inside this call, so the others are still to come */
	}
	if (g->left == 0) {
		free(g);
		return RES_NOMEM;
	}
	*out = g;
	return RES_OK;
}

void
gather_cancel(struct gather *g)
{
	g->done = NULL;
}
