#include "config.h"

#include "resolver/daemon/daemon.h"

#include "base/clock.h"
#include "resolver/daemon/control.h"
#include "resolver/daemon/footprint.h"
#include "resolver/daemon/network.h"
#include "resolver/daemon/sandbox.h"
#include "resolver/daemon/service.h"
#include "resolver/daemon/sockets.h"
#include "resolver/daemon/verdict_log.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* After starting or a reload: when the first handshakes, which use much code once, are likely over. */
#define TRIM_AFTER_MS 5000

struct daemon {
	const struct daemon_options *options;
	struct loop *loop; /* of the main thread, which answers nobody: reading a file may take it a second */
	struct plan *plan;
	uint64_t generation;
	struct worker **worker;
	unsigned n_workers;
	unsigned n_drained;
	int64_t started_ms;
	char *reload_error;
	_Atomic int64_t captive_until_ms; /* read by workers when something works again */
	struct control *control;
	struct network *network;
	struct loop_timer watchdog, captive_end, trim;
	int64_t watchdog_ms;
	_Atomic unsigned alive; /* workers that turned since the last sign of life */
	bool ending;
	struct verdict_log *verdicts;
};

/* ---- what the other rooms may ask */

unsigned
daemon_workers(const struct daemon *d)
{
	return d->n_workers;
}

struct worker *
daemon_worker(struct daemon *d, unsigned i)
{
	return d->worker[i];
}

int64_t
daemon_started_ms(const struct daemon *d)
{
	return d->started_ms;
}

const struct plan *
daemon_plan(const struct daemon *d)
{
	return d->plan;
}

const char *
daemon_last_reload_error(const struct daemon *d)
{
	return d->reload_error;
}

/* ---- captive mode, and what workers tell */

static void
worker_on_captive(struct worker *w, void *arg)
{
	struct daemon *d = arg;

	worker_captive(w, atomic_load(&d->captive_until_ms));
}

static void
daemon_on_captive_end(void *ctx)
{
	struct daemon *d = ctx;

	atomic_store(&d->captive_until_ms, 0);
	log_event(LOG_NOTICE, "captive-mode", LOG_STR("state", "off"), LOG_STR("why", "time is up"));
}

void
daemon_captive_set(struct daemon *d, int64_t until_ms)
{
	int64_t now = loop_now_ms(d->loop);

	atomic_store(&d->captive_until_ms, until_ms);
	if (until_ms > now)
		loop_timer_set(&d->captive_end, until_ms - now);
	else
		loop_timer_stop(&d->captive_end);
	log_event(LOG_NOTICE, "captive-mode", LOG_STR("state", until_ms != 0 ? "on" : "off"),
		  LOG_INT("for_s", until_ms > now ? (until_ms - now) / 1000 : 0));
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_post(d->worker[i], worker_on_captive, d);
}

int64_t
daemon_captive(const struct daemon *d)
{
	return atomic_load(&d->captive_until_ms);
}

static void
daemon_on_working_again(void *arg)
{
	struct daemon *d = arg;

	if (daemon_captive(d) != 0)
		daemon_captive_set(d, 0);
}

static void
daemon_on_verdict(void *ctx, const struct server *s)
{
	struct daemon *d = ctx;

	verdict_log_tell(d->verdicts, s);
}

static void
daemon_on_server_ready(void *ctx, const struct server *s)
{
	struct daemon *d = ctx;

	(void)s;
	if (atomic_load_explicit(&d->captive_until_ms, memory_order_relaxed) != 0)
		loop_post(d->loop, daemon_on_working_again, d);
}

/* ---- reading the configuration */

static void
warnings_log(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_warning; i++)
		log_event(LOG_WARN, "configuration", LOG_STR("warning", s->warning[i]));
	for (size_t i = 0; i < s->n_list_warning; i++)
		log_event(LOG_WARN, "list", LOG_STR("warning", s->list_warning[i]));
	for (size_t u = 0; u < s->n_upstream; u++)
		for (size_t i = 0; i < s->upstream[u].n_warning; i++)
			log_event(LOG_WARN, "configuration", LOG_STR("upstream", s->upstream[u].title),
				  LOG_STR("warning", s->upstream[u].warning[i]));
}

static void
log_as_configured(const struct daemon *d)
{
	const struct settings *s = d->plan->snapshot->settings;
	int level = (int)s->log_level + d->options->verbose;

	log_setup(level > LOG_DEBUG ? LOG_DEBUG : (enum log_level)level, s->log_format);
}

/* What was opened before privileges were dropped stays as it was. */
static void
fixed_settings_warn(const struct settings *a, const struct settings *b)
{
	bool same = a->listen.n == b->listen.n;
	const char *what = NULL;

	for (size_t i = 0; same && i < a->listen.n; i++)
		same = addr_equal(&a->listen.v[i], &b->listen.v[i]);
	if (!same)
		what = "listen";
	else if (a->workers != b->workers)
		what = "workers";
	else if (strcmp(a->user, b->user) != 0)
		what = "user";
	else if (strcmp(a->control_socket, b->control_socket) != 0)
		what = "control-socket";
	if (what != NULL)
		log_event(LOG_WARN, "restart-needed", LOG_STR("option", what));
}

static void
worker_on_plan(struct worker *w, void *arg)
{
	worker_plan_take(w, arg);
}

static void
reload_failed(struct daemon *d, const struct config_errors *errors)
{
	counter_add(worker_counters(d->worker[0]), COUNTER_RELOADS_FAILED, 1);
	free(d->reload_error);
	d->reload_error = strdup(errors->n > 0 ? errors->line[0] : "out of memory");
	for (size_t i = 0; i < errors->n; i++)
		log_event(LOG_ERROR, "reload-refused", LOG_STR("error", errors->line[i]));
	if (errors->n == 0)
		log_event(LOG_ERROR, "reload-refused", LOG_STR("error", "out of memory"));
}

enum res
daemon_reload(struct daemon *d, struct config_errors *errors)
{
	struct plan *plan, *before = d->plan;
	enum res res = plan_read(&plan, d->options->file, d->generation + 1, false, errors);

	if (res != RES_OK) {
		reload_failed(d, errors);
		return RES_MALFORMED;
	}
	d->generation++;
	d->plan = plan;
	free(d->reload_error);
	d->reload_error = NULL;
	fixed_settings_warn(before->snapshot->settings, plan->snapshot->settings);
	log_as_configured(d);
	for (unsigned i = 0; i < d->n_workers; i++) {
		struct plan *ref = plan_ref(plan);

		if (worker_post(d->worker[i], worker_on_plan, ref) != RES_OK)
			plan_unref(ref);
	}
	plan_unref(before);
	counter_add(worker_counters(d->worker[0]), COUNTER_RELOADS, 1);
	log_event(LOG_NOTICE, "reloaded", LOG_INT("generation", d->generation),
		  LOG_INT("upstreams", plan->snapshot->n_upstream));
	warnings_log(plan->snapshot);
	loop_timer_set(&d->trim, TRIM_AFTER_MS);
	return RES_OK;
}

/* ---- signals, network, watchdog */

static void
daemon_on_hangup(void *ctx)
{
	struct daemon *d = ctx;
	struct config_errors errors = {0};

	service_reloading();
	daemon_reload(d, &errors);
	config_errors_free(&errors);
	service_ready("answering");
}

static void
worker_on_drain_wanted(struct worker *w, void *arg)
{
	(void)arg;
	worker_drain(w);
}

static void
daemon_on_end(void *ctx)
{
	struct daemon *d = ctx;

	if (d->ending) { /* asked twice: at once */
		loop_stop(d->loop);
		return;
	}
	d->ending = true;
	service_stopping();
	log_event(LOG_NOTICE, "ending", LOG_INT("waiting_ms_max", DAEMON_DRAIN_MS));
	for (unsigned i = 0; i < d->n_workers; i++)
		if (worker_post(d->worker[i], worker_on_drain_wanted, NULL) != RES_OK)
			loop_stop(d->loop);
}

static void
daemon_on_drained(void *arg)
{
	struct daemon *d = arg;

	if (++d->n_drained == d->n_workers)
		loop_stop(d->loop);
}

/* In a worker's thread; the worker's loop goes on until the main thread has heard of all. */
static void
worker_on_drained(void *ctx)
{
	struct daemon *d = ctx;

	if (loop_post(d->loop, daemon_on_drained, d) != RES_OK)
		loop_stop(d->loop);
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

	log_event(LOG_NOTICE, "network-changed", LOG_INT("workers", d->n_workers));
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_post(d->worker[i], worker_on_network, NULL);
}

static void
worker_on_watchdog(struct worker *w, void *arg)
{
	struct daemon *d = arg;

	if (worker_self_test(w))
		atomic_fetch_add(&d->alive, 1);
}

/* A sign of life is given when every worker has turned, and answered a question of its own, since the last
 * one. */
static void
daemon_on_watchdog(void *ctx)
{
	struct daemon *d = ctx;

	if (atomic_exchange(&d->alive, 0) >= d->n_workers)
		service_alive();
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_post(d->worker[i], worker_on_watchdog, d);
	loop_timer_set(&d->watchdog, d->watchdog_ms / 3);
}

static void
daemon_on_trim(void *ctx)
{
	(void)ctx;
	footprint_trim();
}

/* ---- start */

static int
fail(int code, char *why)
{
	log_event(LOG_ERROR, "not-started", LOG_STR("error", why != NULL ? why : "out of memory"));
	free(why);
	return code;
}

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
daemon_workers_new(struct daemon *d, char **why)
{
	const struct settings *s = d->plan->snapshot->settings;
	uint32_t connections = sockets_connections_max(s->workers);
	struct listener_fds *given = NULL;
	size_t n_given = 0;
	enum res res = service_sockets(&given, &n_given, why);

	if (res == RES_OK && n_given == 0 && s->workers > 1)
		res = sockets_are_free(s, why);
	if (res == RES_OK && (d->worker = calloc(s->workers, sizeof(struct worker *))) == NULL)
		res = RES_NOMEM;
	for (unsigned i = 0; i < s->workers && res == RES_OK; i++) {
		struct worker_setup setup = {
		    .number = i,
		    .plan = d->plan,
		    .connections_max = connections,
		    .on_drained = worker_on_drained,
		    .ctx = d,
		    .hooks = {.on_verdict = daemon_on_verdict, .on_ready = daemon_on_server_ready, .ctx = d}};
		struct listener_fds *fds = NULL;

		res = sockets_of_worker(s, i, given, n_given, &fds, &setup.n_fds, why);
		setup.fds = fds;
		if (res == RES_OK)
			res = worker_new(&d->worker[i], &setup);
		d->n_workers += res == RES_OK;
		if (res == RES_OK && i == 0)
			listening_log(fds, setup.n_fds, n_given > 0);
		free(fds);
	}
	free(given);
	return res;
}

/* A stub that answers is worth more than one that can be asked how it is. */
static void
daemon_control_new(struct daemon *d)
{
	const struct settings *s = d->plan->snapshot->settings;
	struct control_owner owner = {0};
	char *why = NULL;

	if (s->control_socket[0] == '\0')
		return;
	/* The socket's group may read (control.h); root's own group is nobody's. */
	owner.give =
	    geteuid() == 0 && s->user[0] != '\0' && sandbox_user(s->user, &owner.uid, &owner.gid) == RES_OK;
	if (control_new(&d->control, d->loop, d, s->control_socket, &owner, &why) != RES_OK)
		log_event(LOG_WARN, "no-control-socket", LOG_STR("path", s->control_socket),
			  LOG_STR("error", why));
	free(why);
}

static enum res
daemon_signals(struct daemon *d)
{
	const struct sigaction ignore = {.sa_handler = SIG_IGN};

	/* P06: a client or a log reader that goes away is no reason to die. */
	sigaction(SIGPIPE, &ignore, NULL);
	if (loop_signal(d->loop, SIGHUP, daemon_on_hangup, d) != RES_OK ||
	    loop_signal(d->loop, SIGTERM, daemon_on_end, d) != RES_OK ||
	    loop_signal(d->loop, SIGINT, daemon_on_end, d) != RES_OK)
		return RES_NOMEM;
	return RES_OK;
}

static void
start_log(const struct daemon *d)
{
	const struct snapshot *s = d->plan->snapshot;

	log_event(LOG_NOTICE, "started", LOG_STR("version", PACKAGE_VERSION),
		  LOG_INT("workers", d->n_workers), LOG_INT("upstreams", s->n_upstream),
		  LOG_STR("ct-log-list", s->ctlogs_from));
	for (size_t i = 0; i < s->n_upstream; i++)
		log_event(LOG_INFO, "upstream", LOG_STR("name", s->upstream[i].title),
			  LOG_STR("protocol", s->settings->upstream[i].protocol == TP_DOT ? "dot" : "doh"),
			  LOG_INT("addresses", s->upstream[i].n_target),
			  LOG_STR("ct", ct_mode_text(s->upstream[i].policy->ct_mode)));
	warnings_log(s);
}

/* From bound sockets to a process that can do nothing else. */
static int
daemon_settle(struct daemon *d)
{
	char *why = NULL;
	const char *kill = getenv("CTSTUB_SECCOMP"); /* "kill": stricter, for tests (P13) */

	if (sandbox_drop(d->plan->snapshot->settings->user, &why) != RES_OK)
		return fail(EXIT_TROUBLE, why);
	for (unsigned i = 0; i < d->n_workers; i++)
		if (worker_start(d->worker[i]) != RES_OK)
			return fail(EXIT_TROUBLE, NULL);
	if (sandbox_seal(kill != NULL && strcmp(kill, "kill") == 0, &why) != RES_OK)
		return fail(EXIT_TROUBLE, why);
	return 0;
}

static int
daemon_start(struct daemon *d)
{
	char *why = NULL;
	int failed;

	if (loop_new(&d->loop) != RES_OK || daemon_signals(d) != RES_OK ||
	    verdict_log_new(&d->verdicts, d->loop) != RES_OK)
		return fail(EXIT_TROUBLE, NULL);
	loop_timer_init(&d->watchdog, d->loop, daemon_on_watchdog, d);
	loop_timer_init(&d->trim, d->loop, daemon_on_trim, d);
	loop_timer_init(&d->captive_end, d->loop, daemon_on_captive_end, d);
	if (daemon_workers_new(d, &why) != RES_OK)
		return fail(EXIT_TROUBLE, why);
	daemon_control_new(d);
	if (network_new(&d->network, d->loop, daemon_on_network, d) != RES_OK)
		log_event(LOG_WARN, "no-network-watch", LOG_STR("error", strerror(errno)));
	failed = daemon_settle(d);
	if (failed != 0)
		return failed;
	d->watchdog_ms = service_watchdog_ms();
	if (d->watchdog_ms > 0)
		loop_timer_set(&d->watchdog, 0);
	start_log(d);
	footprint_trim();
	loop_timer_set(&d->trim, TRIM_AFTER_MS);
	service_ready("answering");
	return 0;
}

/* ---- end */

static void
daemon_stop(struct daemon *d)
{
	for (unsigned i = 0; i < d->n_workers; i++) {
		loop_stop(worker_loop(d->worker[i]));
		worker_join(d->worker[i]);
	}
	control_free(d->control);
	network_free(d->network);
	for (unsigned i = 0; i < d->n_workers; i++)
		worker_free(d->worker[i]);
	free(d->worker);
	verdict_log_free(d->verdicts);
	if (d->loop != NULL) {
		loop_timer_stop(&d->watchdog);
		loop_timer_stop(&d->captive_end);
		loop_timer_stop(&d->trim);
		loop_free(d->loop);
	}
	plan_unref(d->plan);
	free(d->reload_error);
}

int
daemon_run(const struct daemon_options *options)
{
	struct daemon d = {.options = options, .generation = 1, .started_ms = clock_wall_ms()};
	struct config_errors errors = {0};
	int code;

	footprint_begin();
	if (plan_read(&d.plan, d.options->file, d.generation, true, &errors) != RES_OK) {
		for (size_t i = 0; i < errors.n; i++)
			fprintf(stderr, "ctstubd: %s\n", errors.line[i]);
		if (errors.n == 0)
			fprintf(stderr, "ctstubd: out of memory\n");
		code = errors.n == 0 ? EXIT_TROUBLE : EXIT_CONFIG;
		config_errors_free(&errors);
		return code;
	}
	log_as_configured(&d);
	code = daemon_start(&d);
	if (code == 0) {
		loop_run(d.loop);
		log_event(LOG_NOTICE, "ended", LOG_INT("ran_s", (clock_wall_ms() - d.started_ms) / 1000));
	}
	daemon_stop(&d);
	return code;
}
