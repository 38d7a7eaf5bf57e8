#include "resolver/daemon/worker.h"

#include "resolver/daemon/heap.h"
#include "resolver/daemon/listener_tcp.h"
#include "resolver/daemon/listener_udp.h"
#include "resolver/daemon/portal_link.h"
#include "resolver/upstreams.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DRAIN_LOOK_MS 10

struct worker {
	unsigned number;
	struct loop *loop;
	bool started;
	pthread_t thread;
	sem_t may_run;
	struct counters counters;
	struct engine *engine;
	struct query_feed *feed; /* NULL: no query log */
	struct portal_link portal;
	int64_t captive_until_ms; /* boot clock; 0: off */
	struct tcp_room *room;
	struct listener_udp **udp;
	struct listener_tcp **tcp;
	size_t n_udp, n_tcp;
	struct heap_watch heap;
	struct loop_timer drain;
	int64_t drain_until_ms;
	void (*on_drained)(void *ctx);
	void *ctx;
};

struct post {
	struct worker *worker;
	void (*fn)(struct worker *, void *);
	void *arg;
};

static void
post_on_turn(void *arg)
{
	struct post post = *(struct post *)arg;

	free(arg);
	post.fn(post.worker, post.arg);
}

enum res
worker_post(struct worker *w, void (*fn)(struct worker *, void *arg), void *arg)
{
	struct post *post = malloc(sizeof *post);

	if (post == NULL)
		return RES_NOMEM;
	*post = (struct post){w, fn, arg};
	if (loop_post(w->loop, post_on_turn, post) != RES_OK) {
		free(post);
		return RES_NOMEM;
	}
	return RES_OK;
}

/* ---- life */

static enum res
worker_listen(struct worker *w, const struct worker_setup *setup)
{
	enum res res = RES_OK;

	for (size_t i = 0; i < setup->n_fds && res == RES_OK; i++) {
		const struct listener_fds *l = &setup->fds[i];

		if (l->udp >= 0) {
			res = listener_udp_new(&w->udp[w->n_udp], w->loop, w->engine, &w->counters, &w->heap,
					       l->udp, &l->addr);
			w->n_udp += res == RES_OK;
		}
		if (l->tcp >= 0 && res == RES_OK) {
			res = listener_tcp_new(&w->tcp[w->n_tcp], w->room, l->tcp, &l->addr);
			w->n_tcp += res == RES_OK;
		}
	}
	return res;
}

static enum res
worker_log(struct worker *w, const struct worker_setup *setup)
{
	if (setup->query_channel == NULL)
		return RES_OK;
	w->feed = query_feed_new(setup->query_channel, w->loop, &w->counters);
	if (w->feed == NULL)
		return RES_NOMEM;
	engine_tap_set(w->engine, query_feed_tap(w->feed));
	return RES_OK;
}

static void worker_on_drain(void *);

static bool
worker_is_high(void *ctx)
{
	const struct worker *w = ctx;

	return engine_waiting(w->engine) >= WAITING_HIGH || tcp_room_is_high(w->room);
}

enum res
worker_new(struct worker **out, const struct worker_setup *setup)
{
	struct worker *w = calloc(1, sizeof *w);
	enum res res = RES_NOMEM;

	if (w == NULL)
		return RES_NOMEM;
	w->number = setup->number;
	w->on_drained = setup->on_drained;
	w->ctx = setup->ctx;
	w->udp = calloc(setup->n_fds + 1, sizeof(struct listener_udp *));
	w->tcp = calloc(setup->n_fds + 1, sizeof(struct listener_tcp *));
	if (w->udp == NULL || w->tcp == NULL)
		goto fail;
	if ((res = loop_new(&w->loop)) != RES_OK)
		goto fail;
	loop_timer_init(&w->drain, w->loop, worker_on_drain, w);
	heap_watch_init(&w->heap, w->loop, worker_is_high, w);
	if ((res = engine_new(&w->engine, w->loop, &w->counters, setup->plan, &setup->hooks, setup->store)) !=
	    RES_OK)
		goto fail;
	engine_reader_set(w->engine, setup->reader);
	engine_shifts_set(w->engine, setup->shifts);
	portal_link_init(&w->portal, w->loop, engine_portal(w->engine));
	if ((res = tcp_room_new(&w->room, w->loop, w->engine, &w->counters, setup->connections_max,
				TCP_BYTES_MAX / setup->plan->snapshot->settings->workers, &w->heap)) !=
		RES_OK ||
	    (res = worker_listen(w, setup)) != RES_OK || (res = worker_log(w, setup)) != RES_OK)
		goto fail;
	*out = w;
	return RES_OK;
fail:
	worker_free(w);
	return res;
}

void
worker_free(struct worker *w)
{
	if (w == NULL)
		return;
	loop_timer_stop(&w->drain);
	heap_watch_stop(&w->heap);
	portal_link_close(&w->portal);
	for (size_t i = 0; i < w->n_tcp; i++)
		listener_tcp_free(w->tcp[i]);
	tcp_room_free(w->room);
	engine_free(w->engine);
	for (size_t i = 0; i < w->n_udp; i++)
		listener_udp_free(w->udp[i]);
	query_feed_free(w->feed);
	free(w->udp);
	free(w->tcp);
	loop_free(w->loop);
	free(w);
}

static void *
worker_thread(void *arg)
{
	struct worker *w = arg;

	while (sem_wait(&w->may_run) != 0) /* interrupted: by a debugger, as signals are blocked */
		;
	loop_run(w->loop);
	return NULL;
}

enum res
worker_start(struct worker *w)
{
	sigset_t all, before;
	int failed;

	(void)sem_init(&w->may_run, 0, 0);
	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	failed = pthread_create(&w->thread, NULL, worker_thread, w);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	w->started = failed == 0;
	errno = failed;
	return failed == 0 ? RES_OK : RES_IO;
}

void
worker_run(struct worker *w)
{
	(void)sem_post(&w->may_run);
}

void
worker_stop(struct worker *w)
{
	loop_stop(w->loop);
	if (w->started) {
		worker_run(w); /* it may not run yet, and ends at once */
		pthread_join(w->thread, NULL);
		(void)sem_destroy(&w->may_run);
		w->started = false;
	}
	loop_end(w->loop);
}

/* ---- in its thread */

/* Questions may leave in clear text while captive mode is on and the configuration allows it. */
static void
worker_portal_set(struct worker *w)
{
	const struct settings *s = engine_plan(w->engine)->snapshot->settings;

	if (s->portal_enable && w->captive_until_ms > loop_now_ms(w->loop))
		portal_link_open(&w->portal, s->portal_socket, w->captive_until_ms);
	else
		portal_link_close(&w->portal);
}

void
worker_plan_take(struct worker *w, struct plan *plan)
{
	if (engine_plan_set(w->engine, plan) != RES_OK)
		log_event(LOG_ERROR, "reload-without-memory", LOG_INT("worker", w->number));
	plan_unref(plan);
	worker_portal_set(w);
}

/* Somebody waits for a reply, or for one that is not sent yet. */
static bool
worker_is_busy(const struct worker *w)
{
	for (size_t i = 0; i < w->n_udp; i++)
		if (listener_udp_is_busy(w->udp[i]))
			return true;
	return engine_waiting(w->engine) > 0 || tcp_room_is_busy(w->room);
}

static void
worker_on_drain(void *ctx)
{
	struct worker *w = ctx;

	if (!worker_is_busy(w) || loop_now_ms(w->loop) >= w->drain_until_ms)
		w->on_drained(w->ctx);
	else
		loop_timer_set(&w->drain, DRAIN_LOOK_MS);
}

void
worker_drain(struct worker *w)
{
	if (w->drain_until_ms != 0)
		return;
	for (size_t i = 0; i < w->n_udp; i++)
		listener_udp_stop(w->udp[i]);
	for (size_t i = 0; i < w->n_tcp; i++)
		listener_tcp_stop(w->tcp[i]);
	w->drain_until_ms = loop_now_ms(w->loop) + WORKER_DRAIN_MS;
	loop_timer_set(&w->drain, DRAIN_LOOK_MS);
}

void
worker_network_changed(struct worker *w)
{
	engine_network_changed(w->engine);
	portal_link_reset(&w->portal);
}

void
worker_clock_set(struct worker *w)
{
	engine_clock_set(w->engine);
}

void
worker_captive_set(struct worker *w, int64_t until_ms)
{
	w->captive_until_ms = until_ms;
	upstreams_captive_set(engine_upstreams(w->engine), until_ms);
	worker_portal_set(w);
}

static void
self_test_on_reply(const struct client *client, struct span reply)
{
	(void)client;
	(void)reply;
}

bool
worker_self_test(struct worker *w)
{
	static const uint8_t question[] = {0,   0,   1,   0,   0,   1,   0,      0,   0,
					   0,   0,   0,   9,   'l', 'o', 'c',    'a', 'l',
					   'h', 'o', 's', 't', 0,   0,   TYPE_A, 0,   CLASS_IN};
	const struct client client = {.on_reply = self_test_on_reply, .owner = w};
	uint8_t room[MSG_UDP_PAYLOAD];
	struct buf out = {.p = room, .cap = sizeof room, .max = sizeof room};

	return engine_ask(w->engine, span_of(question, sizeof question), &client, &out) == ASK_REPLIED &&
	       out.n > sizeof question;
}

/* ---- what others may know */

const struct counters *
worker_counters(const struct worker *w)
{
	return &w->counters;
}

int
worker_portal_error(const struct worker *w)
{
	return w->portal.error;
}

enum res
worker_report(struct worker *w, struct upstreams_report *out)
{
	return upstreams_report(engine_upstreams(w->engine), out);
}
