/* ctstub-watch: the monitor of CT logs. The trip of an entry is in reader.h, that of a finding in findings.h. */
#include "config.h"

#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/path.h"
#include "config/load.h"
#include "base/output.h"
#include "base/sandbox/sandbox.h"
#include "base/signals.h"
#include "config/named_paths.h"
#include "contrib/watch/findings.h"
#include "contrib/watch/launcher.h"
#include "contrib/watch/options.h"
#include "contrib/watch/plan.h"
#include "contrib/watch/reader.h"
#include "contrib/watch/state.h"
#include "contrib/watch/status.h"
#include "contrib/watch/commands.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* Then the configuration and the list of logs are read anew. */
#define PLAN_MAX_AGE_MS ((int64_t)24 * 3600 * 1000)
#define STEP_MS         1000  /* between two looks at findings that wait */
#define END_STEP_MS     100   /* the same, if --once waits for nothing else */
#define REST_MS         60000 /* between two looks while nothing happens: the state shown is never older */

static volatile sig_atomic_t stop_asked, reload_asked;
static int woken = -1; /* an eventfd: a signal ends the wait */

static void
main_on_signal(int number)
{
	const uint64_t one = 1;
	int kept = errno;
	ssize_t n;

	if (number == SIGHUP)
		reload_asked = 1;
	else if (number != SIGCONT) /* it was stopped: what is due now? */
		stop_asked = 1;
	n = write(woken, &one, sizeof one);
	(void)n; /* full: it ends the wait already */
	errno = kept;
}

/* What the monitor works with; of one configuration. */
struct watch {
	const struct watch_options *options;
	struct launcher *launcher; /* lent */
	struct watch_plan *plan;
	struct vfy_policy servers;
	struct watch_findings *findings;
	struct watch_reader *reader;
	int folder;
	struct watch_status status;
	uint64_t found_before;
	bool active; /* something happened in the last step: its state is shown soon */
};

static int
plan_refused(struct config_errors *errors)
{
	for (size_t i = 0; i < errors->n; i++)
		(void)fprintf(stderr, "ctstub-watch: %s\n", errors->line[i]);
	if (errors->n == 0)
		(void)fprintf(stderr, "ctstub-watch: the configuration cannot be read\n");
	config_errors_free(errors);
	return WATCH_USAGE;
}

static int
main_trouble(const char *what, char *why)
{
	log_event(LOG_ERROR, what, LOG_STR("why", why != NULL ? why : "no memory"));
	free(why);
	return WATCH_TROUBLE;
}

/* No finding is lost: the next process goes on where this one ends. */
static int
launcher_lost(void)
{
	log_event(LOG_ERROR, "helper-not-started", LOG_STR("helper", "ctstub-launcher"),
		  LOG_STR("error", strerror(errno)));
	return WATCH_TROUBLE;
}

/* Logs prove what they say by their own keys: of their servers only the chain and the name are judged. */
static void
servers_policy_make(struct vfy_policy *out, const struct vfy_policy *global)
{
	*out = *global;
	out->ct_mode = CT_OFF;
	out->allow_issuer = NULL;
	out->pins = NULL;
	out->crls = NULL;
}

static uint64_t
found_count(const struct watch_findings *findings)
{
	const struct watch_totals *totals = watch_findings_totals(findings);
	uint64_t n = 0;

	for (size_t kind = 0; kind < FINDING_KINDS; kind++)
		n += kind == FINDING_EXPECTED ? 0 : totals->finding[kind];
	return n;
}

static enum res
reader_open(struct watch *w, char **why)
{
	const struct watch_options *o = w->options;
	const struct snapshot *snapshot = w->plan->snapshot;
	const struct reader_settings settings = {.logs = snapshot->ctlogs,
						 .servers = &w->servers,
						 .findings = w->findings,
						 .state_folder = w->folder,
						 .poll_ms = snapshot->settings->watch_poll_ms,
						 .from_kind = o->from_kind,
						 .from = o->from,
						 .once = o->once};
	enum res r = watch_reader_open(&w->reader, &settings, why);

	if (r == RES_OK)
		watch_findings_attach(w->findings, w->reader, watch_reader_find);
	return r;
}

/* plan is taken, and the launcher has its configuration; NULL: both are to be read. */
static int
watch_open(struct watch *w, const struct watch_options *options, struct launcher *launcher,
	   struct watch_plan *plan)
{
	struct config_errors errors = {0};
	char *why = NULL;

	*w = (struct watch){.options = options,
			    .launcher = launcher,
			    .plan = plan,
			    .folder = -1,
			    .status = {.started_ms = clock_wall_ms()}};
	if (plan == NULL && watch_plan_read(&w->plan, options->file, &errors) != RES_OK)
		return plan_refused(&errors);
	config_errors_free(&errors);
	if (plan == NULL && launcher_configure(launcher) != RES_OK)
		return launcher_lost();
	servers_policy_make(&w->servers, w->plan->snapshot->policy);
	w->folder = state_folder_open(w->plan->snapshot->settings->state_dir, &why);
	if (w->folder < 0)
		return main_trouble("no-state-folder", why);
	if (watch_findings_open(&w->findings, w->plan, w->folder, launcher, &why) != RES_OK)
		return main_trouble("no-findings", why);
	w->found_before = found_count(w->findings);
	return reader_open(w, &why) == RES_OK ? WATCH_DONE : main_trouble("no-reader", why);
}

static void
watch_close(struct watch *w)
{
	if (w->findings != NULL)
		watch_findings_attach(w->findings, NULL, NULL);
	watch_reader_close(w->reader);
	watch_findings_close(w->findings);
	watch_plan_free(w->plan);
	if (w->folder >= 0)
		(void)close(w->folder);
}

static void
started_report(const struct watch *w)
{
	size_t n;

	log_event(LOG_NOTICE, "watching", LOG_INT("logs", watch_reader_count(w->reader)),
		  LOG_STR("list", w->plan->snapshot->ctlogs_from));
	for (n = 0; watch_reader_left_out(w->reader, n) != NULL; n++)
		log_event(LOG_DEBUG, "log-not-watched",
			  LOG_STR("log", watch_reader_left_out(w->reader, n)->description));
	if (n > 0)
		log_event(LOG_WARN, "logs-not-watched", LOG_INT("logs", n),
			  LOG_STR("why", "the list of logs gives no URL where they can be read"));
}

static bool
is_done(const struct watch *w)
{
	return w->options->once && watch_reader_done(w->reader) && !watch_findings_busy(w->findings);
}

/* With --once: what came of it. */
static int
once_result(const struct watch *w)
{
	if (!is_done(w)) {
		log_event(LOG_WARN, "interrupted", LOG_STR("by", "a signal"));
		return WATCH_TROUBLE;
	}
	for (size_t i = 0; i < watch_reader_count(w->reader); i++) {
		struct watch_progress p;

		watch_reader_progress(w->reader, i, &p);
		if (p.trouble != NULL) {
			log_event(LOG_WARN, "log-not-read", LOG_STR("log", p.log->ctlog->description),
				  LOG_STR("why", p.trouble));
			return WATCH_TROUBLE;
		}
	}
	/* an action that failed is in the log, and left to the next run */
	return watch_findings_again(w->findings) == INT64_MAX ? WATCH_DONE : WATCH_TROUBLE;
}

/* For `ctstub status` and Prometheus. */
static void
status_keep(struct watch *w, bool now)
{
	char path[PATH_NAME_MAX];

	if ((!now && !watch_status_is_due(&w->status, w->findings)) ||
	    watch_status_write(&w->status, w->folder, w->plan, w->findings, w->reader))
		return;
	(void)snprintf(path, sizeof path, "%s/" WATCH_FOLDER, w->plan->snapshot->settings->state_dir);
	log_event(LOG_WARN, "status-not-written", LOG_STR("why", strerror(errno)), LOG_STR("path", path));
}

/* Starts what is due and waits; a signal ends the wait. False: no memory. */
static bool
watch_step(struct watch *w)
{
	int64_t now_ms = clock_boot_ms(), until_ms = now_ms + (w->active ? STATUS_EVERY_MS : REST_MS);
	int64_t again_ms = watch_findings_again(w->findings);
	uint64_t signals;
	bool readable;
	ssize_t n;

	if (woken < 0 || w->options->once || watch_findings_busy(w->findings))
		until_ms =
		    now_ms + (w->options->once && watch_reader_done(w->reader) ? END_STEP_MS : STEP_MS);
	if (again_ms < until_ms)
		until_ms = again_ms;
	if (!watch_reader_run(w->reader, until_ms, woken, &readable))
		return false;
	w->active = clock_boot_ms() < until_ms;
	n = readable ? read(woken, &signals, sizeof signals) : 0;
	(void)n; /* the flags tell which signals came */
	return true;
}

/* The launcher reads the file as well, and may find it changed. False: it keeps what it has. */
static bool
launcher_renew(struct launcher *launcher)
{
	enum res res = launcher_configure(launcher);

	if (res == RES_OK)
		return true;
	if (!launcher_is_gone(launcher))
		log_event(LOG_ERROR, "reload-refused",
			  LOG_STR("error", res == RES_NOMEM
					       ? "out of memory"
					       : "the helper ctstub-launcher cannot read the configuration"));
	return false;
}

/* The configuration of a reload; NULL: it is refused. The watcher goes on with the one that it has, as the daemon does. */
static struct watch_plan *
plan_renew(const struct watch_options *options, struct launcher *launcher)
{
	struct config_errors errors = {0};
	struct watch_plan *plan = NULL;

	if (watch_plan_read(&plan, options->file, &errors) != RES_OK) {
		plan = NULL;
		for (size_t i = 0; i < errors.n; i++)
			log_event(LOG_ERROR, "reload-refused", LOG_STR("error", errors.line[i]));
		if (errors.n == 0)
			log_event(LOG_ERROR, "reload-refused", LOG_STR("error", "out of memory"));
	} else if (!launcher_renew(launcher)) {
		watch_plan_free(plan);
		plan = NULL;
	}
	config_errors_free(&errors);
	return plan;
}

/* Until it is done, is asked to stop, or has the configuration of a reload (*next, yours). */
static int
watch_run(struct watch *w, struct watch_plan **next)
{
	int64_t until_ms = clock_boot_ms() + PLAN_MAX_AGE_MS;
	int code = WATCH_DONE;

	started_report(w);
	while (!stop_asked && !is_done(w)) {
		if (reload_asked || (clock_boot_ms() >= until_ms && !w->options->once)) {
			reload_asked = 0;
			until_ms = clock_boot_ms() + PLAN_MAX_AGE_MS;
			*next = plan_renew(w->options, w->launcher);
			if (*next != NULL)
				return code;
		}
		watch_findings_step(w->findings);
		if (launcher_is_gone(w->launcher)) {
			errno = ECHILD;
			return launcher_lost();
		}
		status_keep(w, false);
		if (!watch_step(w))
			return main_trouble("no-memory", NULL);
	}
	status_keep(w, true);
	if (w->options->once)
		code = once_result(w);
	return found_count(w->findings) > w->found_before && w->options->once ? WATCH_REFUSED : code;
}

static int
config_test(const struct watch_options *options)
{
	struct config_errors errors = {0}, warnings = {0};
	struct watch_plan *plan;

	if (watch_plan_read(&plan, options->file, &errors) != RES_OK)
		return plan_refused(&errors);
	named_paths_check(plan->snapshot->settings, NULL, &warnings);
	for (size_t i = 0; i < warnings.n; i++)
		(void)printf("warning: %s\n", warnings.line[i]);
	config_errors_free(&warnings);
	(void)printf("%s: OK\n", options->file != NULL ? options->file : "compiled-in defaults");
	config_errors_free(&errors);
	watch_plan_free(plan);
	return WATCH_DONE;
}

/* From here on this process executes nothing, starts no other and listens nowhere. */
static enum res
watch_seal(char **why)
{
	enum res res = sandbox_drop("", why);

	return res == RES_OK ? sandbox_seal_watch(sandbox_kills(), why) : res;
}

static int
watch_again(const struct watch_options *options, struct launcher *launcher)
{
	struct watch_plan *next = NULL;
	struct watch w;
	int code;

	do {
		code = watch_open(&w, options, launcher, next);
		next = NULL;
		if (code == WATCH_DONE)
			code = watch_run(&w, &next);
		watch_close(&w);
	} while (next != NULL);
	return code;
}

static int
monitor(const struct watch_options *options)
{
	struct launcher *launcher;
	char *why = NULL;
	int code;

	if (launcher_start(&launcher, options->file) != RES_OK)
		return launcher_lost();
	if (watch_seal(&why) == RES_OK) {
		code = watch_again(options, launcher);
	} else {
		(void)fprintf(stderr, "ctstub-watch: %s\n", why != NULL ? why : "no memory");
		code = WATCH_TROUBLE;
	}
	free(why);
	launcher_stop(launcher);
	return code;
}

static void
signals_take(void)
{
	struct sigaction action = {.sa_handler = main_on_signal};

	woken = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	(void)sigaction(SIGTERM, &action, NULL);
	(void)sigaction(SIGINT, &action, NULL);
	(void)sigaction(SIGHUP, &action, NULL);
	(void)sigaction(SIGCONT, &action, NULL);
	signals_ignore_unused();
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk */
}

static const struct {
	const char *name;
	enum watch_exit (*run)(int argc, char **argv);
} verbs[] = {
    {"known", cmd_known},
    {"pull", cmd_pull},
    {"sign", cmd_sign},
};

static int
watch_main(int argc, char **argv)
{
	static char name[32];
	struct watch_options options;
	int code;

	if (environment_clean(argv, NULL) != RES_OK) {
		(void)fprintf(
		    stderr,
		    "ctstub-watch: cannot restart without the environment variables that control GnuTLS\n");
		return WATCH_TROUBLE;
	}
	signals_take();
	for (size_t i = 0; argc > 1 && i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0) {
			(void)snprintf(name, sizeof name, "ctstub-watch %s", verbs[i].name);
			argv[1] = name; /* complaints begin with it */
			return (int)verbs[i].run(argc - 1, argv + 1);
		}
	if (!watch_options_read(&options, argc, argv, &code))
		return code;
	log_to_journal("ctstub-watch");
	log_setup(options.verbose > 1 ? LOG_DEBUG : options.verbose > 0 ? LOG_INFO : LOG_NOTICE, LOG_TEXT);
	return options.test ? config_test(&options) : monitor(&options);
}

int
main(int argc, char **argv)
{
	int code = watch_main(argc, argv);

	return output_end("ctstub-watch") ? code : WATCH_TROUBLE;
}
