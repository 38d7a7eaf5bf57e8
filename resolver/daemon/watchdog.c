#include "resolver/daemon/watchdog.h"

#include "resolver/daemon/service.h"

#include <stdatomic.h>

static void
worker_on_watchdog(struct worker *w, void *arg)
{
	struct watchdog *d = arg;

	if (worker_self_test(w))
		atomic_fetch_add(&d->alive, 1);
}

static void
watchdog_on_time(void *ctx)
{
	struct watchdog *d = ctx;

	if (atomic_exchange(&d->alive, 0) >= d->workers->n)
		service_alive();
	(void)workers_post(d->workers, worker_on_watchdog, d);
	loop_timer_set(&d->timer, d->interval_ms * 3 / 5); /* early enough, and seldom for an idle machine */
}

void
watchdog_init(struct watchdog *d, struct workers *workers, struct loop *main_loop)
{
	d->workers = workers;
	d->interval_ms = 0;
	atomic_store(&d->alive, 0);
	loop_timer_init(&d->timer, main_loop, watchdog_on_time, d);
}

void
watchdog_start(struct watchdog *d)
{
	d->interval_ms = service_watchdog_ms();
	if (d->interval_ms > 0)
		loop_timer_set(&d->timer, 0);
}

void
watchdog_stop(struct watchdog *d)
{
	loop_timer_stop(&d->timer);
}
