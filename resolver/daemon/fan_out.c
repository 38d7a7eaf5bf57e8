#include "resolver/daemon/fan_out.h"

#include "base/clock.h"
#include "transport/loop.h"

#include <stdlib.h>

struct part {
	struct fan_out *all;
	struct loop_reply *reply;    /* until it is posted back */
	struct worker_status answer; /* the worker's until it is posted back */
};

struct fan_out {
	struct fan_out_setup setup; /* done NULL: cancelled */
	unsigned n, left;
	struct part part[];
};

/* Main thread: every worker has answered. */
static void
fan_out_finish(struct fan_out *f)
{
	struct worker_status *v = calloc(f->n, sizeof *v);
	struct status status = {.wall_ms = clock_wall_ms(), .boot_ms = clock_boot_ms(), .worker = v};

	for (unsigned i = 0; i < f->n && v != NULL; i++)
		v[i] = f->part[i].answer;
	status.n_worker = v == NULL ? 0 : f->n;
	status.workers = f->n;
	if (f->setup.done != NULL) {
		for (unsigned i = 0; i < f->n; i++)
			counters_sum(&status.counters, worker_counters(f->setup.worker[i]));
		f->setup.fill(f->setup.fill_ctx, &status);
		f->setup.done(f->setup.done_ctx, &status);
	}
	for (unsigned i = 0; i < f->n; i++)
		upstreams_report_free(&f->part[i].answer.report);
	free(v);
	free(f);
}

static void
fan_out_on_answer(void *arg)
{
	struct part *part = arg;

	if (--part->all->left == 0)
		fan_out_finish(part->all);
}

/* In the worker's thread. */
static void
fan_out_on_worker(struct worker *w, void *arg)
{
	struct part *part = arg;

	part->answer.res = worker_report(w, &part->answer.report);
	part->answer.portal_error = worker_portal_error(w);
	loop_reply_post(part->reply);
}

/* The way back of every part, so that a worker without memory answers all the same. */
static bool
replies_make(struct fan_out *f)
{
	unsigned n = 0;

	for (; n < f->n; n++) {
		struct part *part = &f->part[n];

		part->all = f;
		if (loop_reply_new(&part->reply, f->setup.loop, fan_out_on_answer, part) != RES_OK)
			break;
	}
	if (n == f->n)
		return true;
	while (n > 0)
		loop_reply_free(f->part[--n].reply);
	return false;
}

/* Sends every part to its worker. A worker that cannot be asked has its part answered at once. */
static void
fan_out_send(struct fan_out *f)
{
	for (unsigned i = 0; i < f->n; i++) {
		enum res res = worker_post(f->setup.worker[i], fan_out_on_worker, &f->part[i]);

		if (res == RES_OK)
			continue;
		f->part[i].answer.res = res;
		loop_reply_post(f->part[i].reply);
	}
}

enum res
fan_out_start(struct fan_out **out, const struct fan_out_setup *setup)
{
	struct fan_out *f = calloc(1, sizeof *f + setup->n_worker * sizeof *f->part);

	if (f == NULL)
		return RES_NOMEM;
	f->setup = *setup;
	f->n = f->left = setup->n_worker;
	if (!replies_make(f)) {
		free(f);
		return RES_NOMEM;
	}
	fan_out_send(f);
	*out = f;
	return RES_OK;
}

void
fan_out_cancel(struct fan_out *f)
{
	f->setup.done = NULL;
}
