/* cmd_run.c - `ctstub-lab run`: every scenario against one client. */
#include "config.h"

#include "contrib/lab/run/cell.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/lab_options.h"
#include "contrib/lab/run/jobs.h"
#include "contrib/lab/run/results.h"

#include "base/text.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOBS_PER_CPU        4 /* most of a trial is waiting */
#define JOBS_DEFAULT_MAX    8
#define PATIENCE_DEFAULT_MS 12000 /* for one answer: twice as long as stub resolvers wait */
#define BAR_WIDTH           30

struct run {
	struct lab_client_about client;
	enum lab_server_protocol protocol;
	const char *adapter, *adapters, *glob, *out_file;
	size_t jobs;
	int64_t patience_ms;
	bool json, verbose, keep;
	bool shown; /* the results were printed */

	char folder[FILE_PATH_MAX]; /* world and scratch; ours */
	char world_folder[FILE_PATH_MAX];
	const struct scenario **queue;
	size_t n_queue, done;
	json_t *results;
	bool bar;
};

static volatile sig_atomic_t interrupted;

static void
on_interrupt(int signal_number)
{
	(void)signal_number;
	interrupted = 1;
}

static void
bar_show(const struct run *run, const char *name)
{
	size_t filled = run->n_queue > 0 ? run->done * BAR_WIDTH / run->n_queue : BAR_WIDTH;

	if (!run->bar)
		return;
	fprintf(stderr, "\r\033[K%s %s [", run->client.name, run->protocol == SERVER_DOH ? "doh" : "dot");
	for (size_t i = 0; i < BAR_WIDTH; i++)
		fputc(i < filled ? '#' : '.', stderr);
	fprintf(stderr, "] %zu/%zu %s", run->done, run->n_queue, name);
	if (run->done == run->n_queue)
		fputc('\n', stderr);
	(void)fflush(stderr);
}

static void
run_on_result(void *ctx, const struct scenario *scenario, const struct trial_result *result)
{
	struct run *run = ctx;

	run->done++;
	results_add(run->results, scenario, result);
	if (run->verbose)
		fprintf(run->json ? stderr : stdout, "%-30s %-8s %-9s %5lld ms  %s%s%s\n", scenario->name,
			trial_mark_text(result->mark), report_outcome_text(result->outcome),
			(long long)result->ms, result->ede, result->ede[0] != '\0' ? " " : "",
			result->detail);
	bar_show(run, scenario->name);
}

/* Was this scenario selected, and does it use this protocol? */
static bool
wanted(const struct run *run, const struct scenario *row)
{
	enum reach reach = run->protocol == SERVER_DOH ? REACH_DOH : REACH_DOT;

	return (scenario_reach(row) & reach) != 0 && fnmatch(run->glob, row->name, 0) == 0;
}

/* Is it the good resolver that a selected scenario is compared with? */
static bool
is_good_resolver(const struct run *run, const struct scenario *good)
{
	const struct scenario *row;

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (wanted(run, row) && strcmp(scenario_good_resolver(row), good->name) == 0)
			return true;
	return false;
}

static bool
queue_fill(struct run *run)
{
	const struct scenario *row;

	run->queue = calloc(scenario_count(), sizeof *run->queue);
	if (run->queue == NULL)
		return false;
	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (wanted(run, row) || is_good_resolver(run, row))
			run->queue[run->n_queue++] = row;
	return true;
}

/* The world of this run, made before the trials so that they share its keys. */
static bool
world_make(struct run *run)
{
	struct world *world;

	if (lab_path_join(run->world_folder, run->folder, "world") != RES_OK ||
	    lab_world(&world, run->world_folder, 0) != RES_OK)
		return false;
	world_close(world);
	return true;
}

/* $LAB_CONF of a typical scenario, without the paths of this machine. */
static void
config_example(const struct run *run)
{
	const bool doh = run->protocol == SERVER_DOH;
	struct buf text = buf_max(1024);
	char path[FILE_PATH_MAX];

	buf_format(&text,
		   "ct { log-list = \"ct-logs.json\" }\ntrust { anchors = \"anchors.pem\" }\n"
		   "upstream \"lab\" { protocol = \"%s\" address = {\"1.1.1.1\"} port = %d }\n"
		   "# and what a scenario adds: a name, a list, a pin\n",
		   doh ? "doh" : "dot", doh ? 443 : 853);
	if (lab_path_join(path, run->folder, "example.conf") != RES_OK ||
	    lab_file_write(path, buf_span(&text), 0644) != RES_OK)
		path[0] = '\0';
	setenv("LAB_CONF", path[0] != '\0' ? path : "/dev/null", 1);
	buf_free(&text);
}

static json_t *
config_of(const struct run *run)
{
	struct buf text = buf_max(256 * 1024);
	int code = 1;
	json_t *results;

	setenv("LAB_DIR", "$LAB_DIR", 1);
	setenv("LAB_LISTEN", "127.0.0.1", 1);
	setenv("LAB_PORT", "5300", 1);
	setenv("LAB_PROTOCOL", run->protocol == SERVER_DOH ? "doh" : "dot", 1);
	setenv("LAB_IP", "1.1.1.1", 1);
	setenv("LAB_PORT_TLS", run->protocol == SERVER_DOH ? "443" : "853", 1);
	setenv("LAB_NAME", "resolver.lab.test", 1);
	setenv("LAB_WANT_NAME", "", 1);
	setenv("LAB_URL", "https://1.1.1.1/dns-query", 1);
	setenv("LAB_ANCHORS", "anchors.pem", 1);
	setenv("LAB_CT_LOGS", "ct-logs.json", 1);
	config_example(run);
	if (lab_client_run(&run->client, "config", NULL, &text, &code) != RES_OK || code != 0)
		buf_clear(&text);
	results = results_new(&run->client, run->protocol, buf_cstr(&text) != NULL ? buf_cstr(&text) : "");
	buf_free(&text);
	return results;
}

static enum res
trials_run(struct run *run)
{
	const struct jobs_order order = {.client = &run->client,
					 .protocol = run->protocol,
					 .folder = run->folder,
					 .world_folder = run->world_folder,
					 .at_a_time = run->jobs,
					 .patience_ms = run->patience_ms,
					 .keep = run->keep,
					 .on_result = run_on_result,
					 .ctx = run,
					 .stop = &interrupted};
	enum res res;

	bar_show(run, "");
	res = jobs_run(&order, run->queue, run->n_queue);
	if (res != RES_OK)
		lab_complain("cannot start a trial: %s", strerror(errno));
	else if (run->bar && interrupted != 0)
		fputc('\n', stderr);
	return res;
}

static int
run_all(struct run *run)
{
	run->results = config_of(run);
	if (run->results == NULL || !queue_fill(run) || !world_make(run))
		return LAB_TROUBLE;
	if (run->n_queue == 0) {
		lab_complain("--scenario %s: no such scenario over this protocol", run->glob);
		return LAB_USAGE;
	}
	if (cell_try() != RES_OK || trials_run(run) != RES_OK)
		return LAB_TROUBLE;
	results_void(run->results);
	return interrupted != 0 ? LAB_TROUBLE : LAB_DONE;
}

static void
run_summary(const struct run *run)
{
	const json_t *entry;
	size_t i;

	json_array_foreach (json_object_get(run->results, "results"), i, entry)
		if (strcmp(json_string_value(json_object_get(entry, "mark")), "fail") == 0)
			printf("FAIL %-30s must be %s, was %s %s %s\n",
			       json_string_value(json_object_get(entry, "scenario")),
			       strcmp(json_string_value(json_object_get(entry, "strict")), "accept") == 0
				   ? "accepted"
				   : "refused",
			       json_string_value(json_object_get(entry, "outcome")),
			       json_string_value(json_object_get(entry, "ede")),
			       json_string_value(json_object_get(entry, "detail")));
	if (results_count(run->results, "void") > 0)
		printf("It refuses the good resolver as well, so its refusals prove nothing: %s.\n",
		       COUNTED(results_count(run->results, "void"), "trial"));
	printf("%s %s over %s: %zu of %zu as a strict client must, %zu wrong, %zu void, %zu noted, %zu "
	       "skipped\n",
	       run->client.name, run->client.version, run->protocol == SERVER_DOH ? "DoH" : "DoT",
	       results_count(run->results, "pass"), run->done, results_count(run->results, "fail"),
	       results_count(run->results, "void"), results_count(run->results, "note"),
	       results_count(run->results, "skip"));
}

static int
results_show(struct run *run)
{
	char *text = json_dumps(run->results, JSON_INDENT(1));
	enum res res = RES_OK;

	if (text == NULL)
		return LAB_TROUBLE;
	if (run->out_file != NULL)
		res = lab_file_write(run->out_file, span_str(text), 0644);
	if (res != RES_OK)
		lab_complain("%s: %s", run->out_file, strerror(errno));
	run->shown = true;
	if (run->json)
		(void)lab_json_print(json_incref(run->results), JSON_INDENT(1));
	else
		run_summary(run);
	free(text);
	if (res != RES_OK)
		return LAB_TROUBLE;
	return results_count(run->results, "fail") > 0 ? LAB_REFUSED : LAB_DONE;
}

/* The adapters of the source, if this was built in it or in a folder of it; else those of the installation. */
static const char *
adapters_folder(void)
{
	static const char *const from_build[] = {"/contrib/lab/adapters", "/../contrib/lab/adapters"};
	static char path[FILE_PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof path - 64);
	char *slash;

	if (n > 0) {
		path[n] = '\0';
		slash = strrchr(path, '/');
		for (size_t i = 0; slash != NULL && i < sizeof from_build / sizeof from_build[0]; i++) {
			snprintf(slash, 64, "%s", from_build[i]);
			if (access(path, X_OK) == 0)
				return path;
		}
	}
	return PKGDATADIR "/lab/adapters";
}

static int
client_find(struct run *run)
{
	enum res res = lab_client_describe(&run->client, run->adapter, run->adapters);

	switch (res) {
	case RES_OK:
		break;
	case RES_UNSUPPORTED:
		lab_complain("%s: the client is not installed, or cannot run here", run->adapter);
		return LAB_USAGE;
	case RES_NOT_FOUND:
		if (strchr(run->adapter, '/') != NULL) /* not looked for in the folder */
			lab_complain("%s: no such program", run->adapter);
		else
			lab_complain("%s: no such adapter in %s", run->adapter, run->adapters);
		return LAB_USAGE;
	case RES_NOMEM:
	case RES_IO:
		lab_complain("%s: cannot run its `describe`: %s", run->adapter, res_why(res));
		return LAB_TROUBLE;
	case RES_MALFORMED:
	case RES_LIMIT:
		lab_complain("%s: cannot understand the output of its `describe`", run->adapter);
		return LAB_USAGE;
	}
	if (run->protocol == SERVER_DOH ? run->client.doh : run->client.dot)
		return LAB_DONE;
	lab_complain("%s does not speak this protocol", run->client.name);
	return LAB_USAGE;
}

static bool
run_option_read(struct run *run, int c, const char *value)
{
	int64_t number;

	switch (c) {
	case 'c':
		run->adapter = value;
		return true;
	case 'a':
		run->adapters = value;
		return true;
	case 's':
		run->glob = value;
		return true;
	case 'o':
		run->out_file = value;
		return true;
	case 'd':
		run->protocol = SERVER_DOH;
		return true;
	case 'j':
		run->json = true;
		return true;
	case 'v':
		run->verbose = true;
		return true;
	case 'k':
		run->keep = true;
		return true;
	case 'n':
		if (!lab_number_read(&number, "jobs", value, 1, JOBS_MAX))
			return false;
		run->jobs = (size_t)number;
		return true;
	case 't':
		return lab_duration_read(&run->patience_ms, "patience", value, 1);
	default:
		return false;
	}
}

static size_t
jobs_default(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t jobs = cpus > 0 ? (size_t)cpus * JOBS_PER_CPU : JOBS_PER_CPU;

	return jobs < JOBS_DEFAULT_MAX ? jobs : JOBS_DEFAULT_MAX;
}

static int
run_verb(struct run *run, int argc, char **argv)
{
	static const struct option options[] = {{"client", required_argument, NULL, 'c'},
						{"adapters", required_argument, NULL, 'a'},
						{"scenario", required_argument, NULL, 's'},
						{"jobs", required_argument, NULL, 'n'},
						{"patience", required_argument, NULL, 't'},
						{"out", required_argument, NULL, 'o'},
						{"doh", no_argument, NULL, 'd'},
						{"json", no_argument, NULL, 'j'},
						{"verbose", no_argument, NULL, 'v'},
						{"keep", no_argument, NULL, 'k'},
						{NULL, 0, NULL, 0}};
	const struct sigaction stop = {.sa_handler = on_interrupt};
	char template[] = "/tmp/ctstub-lab-run.XXXXXX", why[LAB_WHY_MAX];
	int c, code;

	while ((c = lab_option_get(argc, argv, "v", options)) != -1)
		if (!run_option_read(run, c, optarg))
			return LAB_USAGE;
	if (argc != optind || run->adapter == NULL)
		return lab_help_wrong("run");
	code = lab_output_check(why, "out", run->out_file, false); /* not after minutes of trials */
	if (code != LAB_DONE) {
		lab_complain("%s", why);
		return code;
	}
	code = client_find(run);
	if (code != LAB_DONE)
		return code;
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	if (mkdtemp(template) == NULL) {
		lab_complain("/tmp: %s", strerror(errno));
		return LAB_TROUBLE;
	}
	snprintf(run->folder, sizeof run->folder, "%s", template);
	(void)chmod(run->folder, 0755); /* clients drop their privileges and still read their configuration */
	run->bar = isatty(STDERR_FILENO) && !run->verbose;
	code = run_all(run);
	if (code == LAB_DONE)
		code = results_show(run);
	json_decref(run->results);
	free(run->queue);
	if (run->keep)
		fprintf(run->json ? stderr : stdout, "kept: %s\n", run->folder);
	else
		lab_folder_remove(run->folder);
	return code;
}

int
lab_run(int argc, char **argv)
{
	struct run run = {.glob = "*",
			  .jobs = jobs_default(),
			  .patience_ms = PATIENCE_DEFAULT_MS,
			  .adapters = adapters_folder(),
			  .json = lab_json_wanted(argc, argv)};
	int code = run_verb(&run, argc, argv);

	if (run.json && !run.shown && interrupted != 0)
		lab_complain("interrupted");
	return code;
}
