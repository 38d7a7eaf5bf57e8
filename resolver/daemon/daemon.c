#include "config.h"

#include "resolver/daemon/daemon.h"

#include "base/clock.h"
#include "base/sandbox/sandbox.h"
#include "base/text.h"
#include "resolver/cache_store.h"
#include "resolver/daemon/captive.h"
#include "resolver/daemon/clock_watch.h"
#include "resolver/daemon/configuration.h"
#include "resolver/daemon/control.h"
#include "resolver/daemon/daemon_signals.h"
#include "resolver/daemon/fan_out.h"
#include "resolver/daemon/heap.h"
#include "resolver/daemon/helper.h"
#include "resolver/daemon/list_age.h"
#include "resolver/daemon/network.h"
#include "resolver/daemon/portal_reach.h"
#include "resolver/daemon/querylog/query_log.h"
#include "resolver/daemon/recorder.h"
#include "resolver/daemon/service.h"
#include "resolver/daemon/turn_away.h"
#include "resolver/daemon/verdict_log.h"
#include "resolver/daemon/watchdog.h"
#include "resolver/record_ldns.h"
#include "resolver/upstream_set.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct daemon {
	struct loop *loop;          /* of the main thread */
	struct listener_fds *given; /* of the service manager */
	size_t n_given;
	struct held_sockets held; /* their addresses */
	struct configuration configuration;
	struct workers workers;
	struct captive captive;
	struct list_age_watch list_age;
	struct watchdog watchdog;
	struct control *control;
	struct network *network;
	struct clock_watch clock;
	struct query_log *query_log; /* NULL: none is wanted */
	struct verdict_log *verdicts;
	struct recorder *recorder;
	struct counters counters; /* what the main thread counts */
	int64_t started_ms;       /* wall clock */
	int64_t started_boot_ms;
	bool ending;
};

/* ---- hooks of the workers, in their threads */

static void
daemon_on_verdict(void *ctx, const struct server *s)
{
	struct daemon *d = ctx;

	verdict_log_add(d->verdicts, s);
}

static void
daemon_on_certificate(void *ctx, const struct server *s, struct span presented)
{
	struct daemon *d = ctx;

	recorder_add(d->recorder, s, presented);
}

static void
daemon_on_server_ready(void *ctx, const struct server *s)
{
	struct daemon *d = ctx;

	/* One of a forward may be on this machine, and says nothing of the network. */
	if (server_is_general(s))
		captive_upstream_ready(&d->captive);
	verdict_log_ready(d->verdicts, s);
}

/* ---- operations of the control socket */

static void
daemon_status_fill(void *ctx, struct status *s)
{
	const struct daemon *d = ctx;

	s->snapshot = d->configuration.plan->snapshot;
	s->reload_error = d->configuration.reload_error;
	s->restart_needed = d->configuration.restart_needed;
	s->started_ms = d->started_ms;
	s->started_boot_ms = d->started_boot_ms;
	s->listen = &d->workers.listen;
	verdict_log_last(d->verdicts, &s->last_refusal);
	if (s->last_refusal.upstream == NULL)
		recorder_last_refusal(d->recorder, &s->last_refusal);
	window_record_latest(&s->window, s->snapshot->settings->state_dir);
	recorder_state(d->recorder, &s->journal, &s->evidence);
	s->captive_until_ms = captive_until_ms(&d->captive);
	s->query_log = query_log_to(d->query_log);
	s->query_log_trouble = query_log_trouble(d->query_log, s->snapshot->settings);
	if (s->query_log == NULL && s->query_log_trouble != NULL)
		s->query_log = s->snapshot->settings->query_log_to;
	s->portal_trouble = portal_reach_trouble(s->snapshot->settings, status_portal_error(s));
	counters_sum(&s->counters, &d->counters);
	cache_store_stats(d->workers.store, &s->cache);
}

static enum res
daemon_status(void *ctx, struct fan_out **out, void (*done)(void *done_ctx, const struct status *),
	      void *done_ctx)
{
	struct daemon *d = ctx;
	const struct fan_out_setup setup = {.loop = d->loop,
					    .worker = d->workers.v,
					    .n_worker = d->workers.n,
					    .fill = daemon_status_fill,
					    .fill_ctx = d,
					    .done = done,
					    .done_ctx = done_ctx};

	return fan_out_start(out, &setup);
}

static uint64_t
daemon_flush(void *ctx, struct span name)
{
	struct daemon *d = ctx;

	return cache_store_flush(d->workers.store, name);
}

static enum res
daemon_reload(void *ctx, struct config_errors *errors, struct changes *changes, uint64_t *generation)
{
	struct daemon *d = ctx;
	struct plan *before;
	enum res res;

	if (d->ending) {
		config_errors_add(errors, (struct place){0}, "the daemon is ending");
		return RES_UNSUPPORTED;
	}
	res = configuration_reload(&d->configuration, errors, changes, &before);

	counter_add(&d->counters, res == RES_OK ? COUNTER_RELOADS : COUNTER_RELOADS_FAILED, 1);
	if (res != RES_OK) {
		heap_trim();
		return res;
	}
	workers_plan_set(&d->workers, d->configuration.plan, before);
	recorder_configure(d->recorder, d->configuration.plan->snapshot->settings);
	query_log_reload(d->query_log, d->configuration.plan->snapshot->settings);
	list_age_watch_start(&d->list_age);
	*generation = d->configuration.generation;
	return RES_OK;
}

static bool
daemon_captive_set(void *ctx, int64_t until_ms)
{
	struct daemon *d = ctx;
	bool portal = until_ms != 0 && d->configuration.plan->snapshot->settings->portal_enable;

	if (portal)
		counter_add(&d->counters, COUNTER_PORTAL_WINDOWS, 1);
	captive_set(&d->captive, until_ms);
	return portal;
}

static const struct control_ops control_ops = {.status = daemon_status,
					       .status_cancel = fan_out_cancel,
					       .flush = daemon_flush,
					       .reload = daemon_reload,
					       .captive_set = daemon_captive_set};

/* ---- signals and the network */

static void
daemon_on_hangup(void *ctx)
{
	const struct daemon *d = ctx;
	struct config_errors errors = {0};
	struct changes *changes;
	uint64_t generation;

	if (d->ending)
		return;
	changes = calloc(1, sizeof *changes); /* large for a stack */
	service_reloading();
	if (changes != NULL)
		(void)daemon_reload(ctx, &errors, changes, &generation);
	if (changes != NULL)
		changes_free(changes);
	free(changes);
	config_errors_free(&errors);
	service_ready("answering");
}

static void
daemon_on_end(void *ctx)
{
	struct daemon *d = ctx;

	if (d->ending) /* whoever asks twice still gets the answers in flight: they have a second */
		return;
	d->ending = true;
	service_stopping();
	log_event(LOG_NOTICE, "ending", LOG_INT("waiting_ms_max", WORKER_DRAIN_MS));
	workers_drain(&d->workers);
}

static void
worker_on_network(struct worker *w, void *arg)
{
	(void)arg;
	worker_network_changed(w);
}

static void
daemon_on_network(void *ctx)
{
	struct daemon *d = ctx;

	counter_add(&d->counters, COUNTER_NETWORK_CHANGES, 1);
	log_event(LOG_NOTICE, "network-changed", LOG_INT("workers", d->workers.n));
	(void)workers_post(&d->workers, worker_on_network, NULL);
}

/* A clock before the floor is not set (verify/when.h). */
static void
clock_log(const struct daemon *d)
{
	int64_t now_ms = clock_wall_ms(), floor_ms = d->configuration.plan->snapshot->floor_ms;
	char now[TIME_TEXT_MAX], floor[TIME_TEXT_MAX];

	if (now_ms < floor_ms)
		log_event(LOG_WARN, "clock-not-set", LOG_STR("now", time_text(now_ms, now)),
			  LOG_STR("built_or_listed", time_text(floor_ms, floor)));
}

static void
worker_on_clock(struct worker *w, void *arg)
{
	(void)arg;
	worker_clock_set(w);
}

static void
daemon_on_clock(void *ctx)
{
	struct daemon *d = ctx;

	(void)workers_post(&d->workers, worker_on_clock, NULL);
	clock_log(d);
	list_age_watch_on_clock(&d->list_age); /* a list ages by the wall clock */
}

/* ---- start */

static int
daemon_fail(int code, char *why)
{
	log_event(LOG_ERROR, "not-started", LOG_STR("error", why != NULL ? why : "out of memory"));
	free(why);
	return code;
}

/* Who owns the control socket: the daemon's user and, where it is set, control-group (control.h). */
static struct control_owner
control_owner(const struct settings *s)
{
	struct control_owner owner = {0};

	owner.give =
	    geteuid() == 0 && s->user[0] != '\0' && sandbox_user(s->user, &owner.uid, &owner.gid) == RES_OK;
	owner.group = s->control_group[0] != '\0' && sandbox_group(s->control_group, &owner.gid) == RES_OK;
	if (s->control_group[0] != '\0' && !owner.group)
		log_event(LOG_WARN, "no-control-group", LOG_STR("group", s->control_group),
			  LOG_STR("error", "there is no such group"));
	return owner;
}

/* A daemon that answers questions is worth more than one that also reports its status. */
static void
daemon_control_new(struct daemon *d)
{
	const struct settings *s = d->configuration.plan->snapshot->settings;
	struct control_owner owner = control_owner(s);
	char *why = NULL;

	if (s->control_socket[0] == '\0')
		return;
	if (control_new(&d->control, d->loop, &control_ops, d, s->control_socket, &owner, &why) != RES_OK)
		log_event(LOG_WARN, "no-control-socket", LOG_STR("path", s->control_socket),
			  LOG_STR("error", why));
	else if (control_group_trouble(d->control) != NULL)
		log_event(LOG_WARN, "no-control-group", LOG_STR("group", s->control_group),
			  LOG_STR("error", control_group_trouble(d->control)));
	free(why);
}

static void
start_log(const struct daemon *d)
{
	const struct snapshot *s = d->configuration.plan->snapshot;

	log_event(LOG_NOTICE, "started", LOG_STR("version", PACKAGE_VERSION),
		  LOG_INT("workers", d->workers.n), LOG_INT("upstreams", s->n_upstream),
		  LOG_STR("ct-log-list", s->ctlogs_from));
	for (size_t i = 0; i < s->n_upstream; i++)
		log_event(LOG_INFO, "upstream", LOG_STR("name", s->upstream[i].title),
			  LOG_STR("protocol", s->settings->upstream[i].protocol == TP_DOT ? "dot" : "doh"),
			  LOG_INT("addresses", s->upstream[i].n_target),
			  LOG_STR("ct", ct_mode_text(s->upstream[i].policy->ct_mode)));
	clock_log(d);
	configuration_warn(&d->configuration);
}

/* A query log that cannot be opened does not stop the daemon. */
static void
daemon_query_log_new(struct daemon *d)
{
	const struct settings *s = d->configuration.plan->snapshot->settings;
	char *why = NULL;

	if (query_log_start(&d->query_log, s, sandbox_kills(), &why) != RES_OK ||
	    query_log_listen(d->query_log, d->loop, &d->counters) != RES_OK)
		log_event(LOG_WARN, "query-log-failed", LOG_STR("to", s->query_log_to),
			  LOG_STR("error", why != NULL ? why : "out of memory"));
	free(why);
}

/* From bound sockets to a process that can do nothing else. */
static int
daemon_settle(struct daemon *d)
{
	char *why = NULL;
	const struct settings *s = d->configuration.plan->snapshot->settings;

	if (sandbox_drop(s->user, &why) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, why);
	record_ldns_seal();
	/* The filter allows no new threads, and nothing that a client or an upstream sent is read without the filter. */
	if (workers_start(&d->workers, &why) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, why);
	if (sandbox_seal(sandbox_kills(), &why) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, why);
	workers_run(&d->workers);
	recorder_settle(d->recorder, s); /* it came up beside the workers, which answer by now */
	return 0;
}

static enum res
daemon_workers_new(struct daemon *d, char **why)
{
	const struct workers_setup setup = {.main_loop = d->loop,
					    .plan = d->configuration.plan,
					    .given = d->given,
					    .n_given = d->n_given,
					    .query_channel = query_log_channel(d->query_log),
					    .hooks = {.on_verdict = daemon_on_verdict,
						      .on_certificate = daemon_on_certificate,
						      .on_ready = daemon_on_server_ready,
						      .ctx = d}};

	return workers_new(&d->workers, &setup, why);
}

static int
daemon_start(struct daemon *d)
{
	char *why = NULL;
	enum res res;
	int failed;

	heap_tables_begin();
	if ((res = loop_new(&d->loop)) != RES_OK ||
	    (res = daemon_signals_take(d->loop, daemon_on_hangup, daemon_on_end, d)) != RES_OK ||
	    (res = verdict_log_new(&d->verdicts, d->loop)) != RES_OK ||
	    (res = recorder_new(&d->recorder, d->loop, &d->counters)) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, strdup(res_why(res)));
	recorder_start(d->recorder, d->configuration.plan->snapshot->settings, sandbox_kills());
	watchdog_init(&d->watchdog, &d->workers, d->loop);
	captive_init(&d->captive, &d->workers, d->loop);
	list_age_watch_init(&d->list_age, d->loop, &d->configuration);
	daemon_query_log_new(d);
	if (daemon_workers_new(d, &why) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, why);
	daemon_control_new(d);
	if (network_new(&d->network, d->loop, daemon_on_network, d) != RES_OK)
		log_event(LOG_WARN, "no-network-watch", LOG_STR("error", strerror(errno)));
	if (clock_watch_start(&d->clock, d->loop, daemon_on_clock, d) != RES_OK)
		log_event(LOG_WARN, "no-clock-watch", LOG_STR("error", strerror(errno)));
	heap_tables_end();
	failed = daemon_settle(d);
	if (failed != 0)
		return failed;
	watchdog_start(&d->watchdog);
	start_log(d);
	list_age_watch_start(&d->list_age);
	heap_trim();
	service_ready("answering");
	return 0;
}

/* ---- end */

/* What the workers reported until now is still logged and recorded. */
static void
daemon_stop(struct daemon *d)
{
	int64_t until_ms;

	workers_stop(&d->workers);
	until_ms = clock_mono_ms() + HELPER_END_MS;
	recorder_ending(d->recorder, until_ms);
	query_log_ending(d->query_log, until_ms);
	if (d->loop != NULL)
		loop_end(d->loop);
}

static void
daemon_free(struct daemon *d)
{
	control_free(d->control);
	network_free(d->network);
	clock_watch_stop(&d->clock);
	workers_free(&d->workers);
	query_log_end(d->query_log);
	verdict_log_free(d->verdicts);
	recorder_free(d->recorder);
	watchdog_stop(&d->watchdog);
	captive_stop(&d->captive);
	list_age_watch_stop(&d->list_age);
	loop_free(d->loop);
	configuration_free(&d->configuration);
	free(d->given);
}

/* Takes the sockets of the service manager, and a configuration that fits them; otherwise the clients that wait there get
 * an error. */
static int
daemon_configure(struct daemon *d, const struct daemon_options *options)
{
	struct config_errors errors = {0};
	char *why = NULL;
	int code = 0;

	if (service_sockets(&d->given, &d->n_given, &why) != RES_OK)
		return daemon_fail(EXIT_TROUBLE, why);
	service_held(&d->held, d->given, d->n_given);
	if (configuration_read(&d->configuration, options->file, options->verbose, &d->held, &errors) !=
	    RES_OK) {
		configuration_errors_print(&errors);
		daemon_signals_release(); /* the service manager starts it again */
		if (turn_away(d->given, d->n_given, options->file, &why) != RES_OK)
			(void)daemon_fail(EXIT_CONFIG, why);
		code = errors.n == 0 ? EXIT_TROUBLE : EXIT_CONFIG;
	}
	config_errors_free(&errors);
	return code;
}

int
daemon_run(const struct daemon_options *options)
{
	struct daemon d = {.started_ms = clock_wall_ms(), .started_boot_ms = clock_boot_ms()};
	int code;

	heap_begin();
	daemon_signals_hold();
	code = daemon_configure(&d, options);
	if (code != 0) {
		configuration_free(&d.configuration);
		free(d.given);
		return code;
	}
	code = daemon_start(&d);
	if (code == 0)
		loop_run(d.loop);
	daemon_stop(&d);
	daemon_free(&d);
	if (code == 0)
		log_event(LOG_NOTICE, "ended",
			  LOG_INT("ran_s", (clock_boot_ms() - d.started_boot_ms) / 1000));
	return code;
}
