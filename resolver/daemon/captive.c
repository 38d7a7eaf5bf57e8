#include "resolver/daemon/captive.h"

#include <stdatomic.h>

static void
captive_on_end(void *ctx)
{
	struct captive *c = ctx;

	atomic_store(&c->until_ms, 0);
	log_event(LOG_NOTICE, "captive-mode", LOG_STR("state", "off"), LOG_STR("why", "time is up"));
}

void
captive_init(struct captive *c, struct workers *workers, struct loop *main_loop)
{
	c->workers = workers;
	atomic_store(&c->until_ms, 0);
	loop_timer_init(&c->end, main_loop, captive_on_end, c);
}

void
captive_stop(struct captive *c)
{
	loop_timer_stop(&c->end);
}

static void
worker_on_captive(struct worker *w, void *arg)
{
	worker_captive_set(w, captive_until_ms(arg));
}

void
captive_set(struct captive *c, int64_t until_ms)
{
	int64_t now = loop_now_ms(c->workers->loop);

	atomic_store(&c->until_ms, until_ms);
	if (until_ms > now)
		loop_timer_set(&c->end, until_ms - now);
	else
		loop_timer_stop(&c->end);
	log_event(LOG_NOTICE, "captive-mode", LOG_STR("state", until_ms != 0 ? "on" : "off"),
		  LOG_INT("for_s", until_ms > now ? (until_ms - now) / 1000 : 0));
	(void)workers_post(c->workers, worker_on_captive, c);
}

int64_t
captive_until_ms(const struct captive *c)
{
	return atomic_load_explicit(&c->until_ms, memory_order_relaxed);
}

static void
captive_on_upstream_ready(void *arg)
{
	if (captive_until_ms(arg) != 0)
		captive_set(arg, 0);
}

void
captive_upstream_ready(struct captive *c)
{
	if (captive_until_ms(c) != 0)
		(void)loop_post(c->workers->loop, captive_on_upstream_ready, c);
}
