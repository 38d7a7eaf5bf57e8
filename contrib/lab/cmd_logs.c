/* cmd_logs.c - `ctstub-lab logs`: the lab's CT logs over HTTPS, and the list that says where they are. */
#include "config.h"

#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/lab_options.h"
#include "contrib/lab/lab_sink.h"
#include "contrib/lab/logs/logs_https.h"
#include "contrib/lab/scenarios/pkidir.h"

#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#define LOGS_PORT        8445
#define ENTRY_SIZE       1600 /* DER bytes of a certificate of a public CA, about */
#define ENTRY_SIZE_MAX   32768
#define BATCH            256
#define BATCH_MAX        4096
#define MISBEHAVIOUR_MAX 32 /* --misbehave on one command line */
#define SERVED_LIST      "ct-logs-served.json"
#define LIST_TEXT_MAX    (1 << 20)

struct logs_verb {
	struct addr listen;
	const char *folder;
	struct logs_options options;
	const char *wrong[MISBEHAVIOUR_MAX];
	size_t n_wrong;
	bool json, quiet;

	struct world *world;
	struct site *site;
	struct logs_https *https;
	struct lab_logs *logs;
	char base[ADDR_TEXT_MAX + 16];
};

static bool
logs_option_read(struct logs_verb *verb, int c, const char *value)
{
	const int64_t fill_max = INT64_C(1) << 40;
	int64_t number = 0;
	bool ok = true;

	switch (c) {
	case 'l':
		return lab_listen_read(&verb->listen, value, LOGS_PORT);
	case 'p':
		verb->folder = value;
		return true;
	case 'f':
		ok = lab_number_read(&number, "fill", value, 0, fill_max);
		verb->options.fill = (uint64_t)number;
		return ok;
	case 's':
		ok = lab_number_read(&number, "entry-size", value, 1, ENTRY_SIZE_MAX);
		verb->options.entry_size = (size_t)number;
		return ok;
	case 'b':
		ok = lab_number_read(&number, "batch", value, 1, BATCH_MAX);
		verb->options.batch = (unsigned)number;
		return ok;
	case 'g':
		ok = lab_number_read(&number, "gzip", value, 0, 9);
		verb->options.gzip_level = (int)number;
		return ok;
	case 'd':
		return lab_duration_read(&verb->options.merge_delay_ms, "merge-delay", value, 0);
	case 'm':
		if (verb->n_wrong == MISBEHAVIOUR_MAX)
			return false;
		verb->wrong[verb->n_wrong++] = value;
		return true;
	case 'j':
		verb->json = true;
		return true;
	case 'q':
		verb->quiet = true;
		return true;
	default:
		return false;
	}
}

/* "split-view", "split-view@alpha-1" */
static bool
misbehave_option(struct lab_logs *logs, const char *value)
{
	char name[64];
	const char *log = strchr(value, '@');
	size_t n = log != NULL ? (size_t)(log - value) : strlen(value);

	if (n < sizeof name) {
		memcpy(name, value, n);
		name[n] = '\0';
		if (lab_logs_misbehave(logs, name, log != NULL ? log + 1 : NULL, true))
			return true;
	}
	lab_complain("--misbehave %s: NAME[@LOG] was expected, with a name of a misbehaviour", value);
	for (enum misbehaviour m = 0; m < MISBEHAVIOUR_COUNT; m++)
		fprintf(stderr, "  %-16s %s\n", misbehaviour_name(m), misbehaviour_text(m));
	return false;
}

static enum res
served_list_write(struct logs_verb *verb)
{
	struct buf list = buf_max(LIST_TEXT_MAX);
	char path[FILE_PATH_MAX];
	enum res res = toylogs_list(world_logs(verb->world), LIST_FRESH, verb->base, &list);

	if (res == RES_OK)
		res = lab_path_join(path, world_folder(verb->world), SERVED_LIST);
	if (res == RES_OK)
		res = lab_file_write(path, buf_span(&list), 0644);
	buf_free(&list);
	return res;
}

static enum res
logs_prepare(struct logs_verb *verb)
{
	struct addr ip4 = LAB_IP4, ip6 = LAB_IP6;
	char text[ADDR_TEXT_MAX];
	enum res res;

	*(verb->listen.family == ADDR_V4 ? &ip4 : &ip6) = verb->listen;
	res = lab_world(&verb->world, verb->folder, 0);
	if (res == RES_OK)
		res = site_new(&verb->site, verb->world,
			       scenario_find(verb->listen.family == ADDR_V4 ? "good-v4" : "good-v6"), &ip4,
			       &ip6);
	if (res == RES_OK)
		res = logs_https_new(&verb->https, verb->site, &verb->listen, !verb->quiet);
	if (res != RES_OK)
		return res;
	snprintf(verb->base, sizeof verb->base, "https://%s", addr_text(&verb->listen, text));
	res = lab_logs_new(&verb->logs, verb->world, verb->base, &verb->options);
	if (res == RES_OK)
		res = pkidir_write_common(verb->site);
	return res == RES_OK ? served_list_write(verb) : res;
}

static int
logs_run(struct logs_verb *verb)
{
	sigset_t signals;
	int stop;
	enum res res;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	/* Before any thread is started: all inherit the mask. */
	if (sigprocmask(SIG_BLOCK, &signals, NULL) < 0 || (stop = signalfd(-1, &signals, SFD_CLOEXEC)) < 0) {
		lab_complain_errno("logs");
		return LAB_TROUBLE;
	}
	log_event(LOG_INFO, "listening", LOG_ADDR("address", &verb->listen), LOG_STR("url", verb->base),
		  LOG_STR("folder", world_folder(verb->world)), LOG_STR("list", SERVED_LIST));
	res = logs_https_run(verb->https, verb->logs, stop);
	close(stop);
	return res == RES_OK ? LAB_DONE : LAB_TROUBLE;
}

static int
logs_serve(struct logs_verb *verb)
{
	char text[ADDR_TEXT_MAX];
	enum res res = logs_prepare(verb);
	int code = LAB_TROUBLE;

	if (res == RES_OK) {
		code = LAB_DONE;
		for (size_t i = 0; i < verb->n_wrong && code == LAB_DONE; i++)
			code = misbehave_option(verb->logs, verb->wrong[i]) ? LAB_DONE : LAB_USAGE;
		if (code == LAB_DONE)
			code = logs_run(verb);
	} else if (verb->world != NULL) { /* else lab_world has explained it */
		lab_complain("logs: %s: %s", addr_text(&verb->listen, text), res_why(res));
	}
	logs_https_free(verb->https);
	lab_logs_free(verb->logs);
	site_free(verb->site);
	world_close(verb->world);
	return code;
}

int
lab_logs_serve(int argc, char **argv)
{
	static const struct option options[] = {{"listen", required_argument, NULL, 'l'},
						{"pki", required_argument, NULL, 'p'},
						{"fill", required_argument, NULL, 'f'},
						{"entry-size", required_argument, NULL, 's'},
						{"batch", required_argument, NULL, 'b'},
						{"gzip", required_argument, NULL, 'g'},
						{"merge-delay", required_argument, NULL, 'd'},
						{"misbehave", required_argument, NULL, 'm'},
						{"json", no_argument, NULL, 'j'},
						{"quiet", no_argument, NULL, 'q'},
						{NULL, 0, NULL, 0}};
	struct logs_verb verb = {.options = {.entry_size = ENTRY_SIZE, .batch = BATCH, .gzip_level = 1}};
	int c, code;

	(void)addr_read(&verb.listen, "127.0.0.1", LOGS_PORT);
	while ((c = lab_option_get(argc, argv, "", options)) != -1)
		if (!logs_option_read(&verb, c, optarg))
			return LAB_USAGE;
	if (argc != optind || verb.folder == NULL)
		return lab_help_wrong("logs");
	log_setup(LOG_INFO, verb.json ? LOG_JSON : LOG_TEXT);
	log_capture(lab_sink, stdout);
	code = logs_serve(&verb);
	log_capture(NULL, NULL);
	return code;
}
