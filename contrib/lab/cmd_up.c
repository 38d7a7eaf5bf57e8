/*
 * cmd_up.c - `ctstub-lab up`: a lab for people; cmd_switch.c talks to it.
 *
 * On loopback it needs no rights. With --cell it opens a shell in namespaces of its own in which the
 * resolver really is at 1.1.1.1 and everything else is the trap.
 */
#include "config.h"

#include "contrib/lab/run/cell.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/lab_options.h"
#include "contrib/lab/lab_sink.h"
#include "contrib/lab/up_show.h"
#include "contrib/lab/scenarios/pkidir.h"
#include "contrib/lab/server/lab_server.h"
#include "contrib/lab/run/trap.h"
#include "contrib/lab/run/upctl.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define DOT_PORT      8853
#define DOH_PORT      8443
#define CELL_DOT_PORT 853 /* in a cell the resolver is as in the wild */
#define CELL_DOH_PORT 443
#define SERVERS_MAX   8 /* two protocols at two addresses of each family */

struct up {
	const struct scenario *scenario;
	uint16_t dot_port, doh_port;
	bool cell, detach, json;

	char folder[FILE_PATH_MAX]; /* the world's */
	struct world *world;
	struct site *site;
	struct event_base *base;
	struct event *signals[4];
	struct upctl *control;
	struct lab_server *servers[SERVERS_MAX];
	size_t n_servers;
	struct trap *trap;
	struct addr ip4, ip6;
	struct addr failed_at; /* where it cannot listen; ADDR_NONE: nowhere */
	pid_t shell;
};

/* Text lines get a time in front; JSON lines have one already. */
static void
sink(void *ctx, const char *line, size_t n)
{
	char now[TIME_TEXT_MAX];

	if (n > 0 && line[0] != '{')
		fprintf(ctx, "%s ", time_text_ms(clock_wall_ms(), now));
	lab_sink(ctx, line, n);
}

static bool
up_faults(const struct scenario *scenario, struct lab_faults *faults)
{
	const char *bad;

	*faults = (struct lab_faults){.set = {false}};
	return scenario->fault == NULL || lab_faults_add(faults, scenario->fault, &bad);
}

/* Creates the scenario's site and writes its files. */
static enum res
site_make(struct site **out, struct up *up, const struct scenario *scenario)
{
	struct site *site = NULL;
	enum res res = site_new(&site, up->world, scenario, &up->ip4, &up->ip6);
	int error;

	if (res == RES_OK)
		res = pkidir_write_site(site, false, up->dot_port);
	if (res == RES_OK)
		res = pkidir_write_site(site, true, up->doh_port);
	if (res == RES_OK) {
		*out = site;
		return RES_OK;
	}
	error = errno;
	site_free(site);
	errno = error;
	return res;
}

static void
switch_to(struct up *up, const char *name, bool keep_tickets, char reply[UPCTL_LINE_MAX])
{
	const struct scenario *scenario = scenario_find(name);
	struct site *site = NULL;
	struct lab_faults faults;
	enum res res = scenario != NULL ? site_make(&site, up, scenario) : RES_NOT_FOUND;

	if (res != RES_OK || !up_faults(scenario, &faults)) {
		snprintf(reply, UPCTL_LINE_MAX, "error: %.200s%s: %.200s\n", name,
			 scenario != NULL ? " could not be made" : "",
			 scenario != NULL ? res_why(res) : "no such scenario");
		site_free(site);
		return;
	}
	for (size_t i = 0; i < up->n_servers; i++) {
		if (lab_server_switch(up->servers[i], site, &faults, keep_tickets) != RES_OK)
			res = RES_IO;
		lab_server_drop_connections(up->servers[i]);
	}
	site_free(up->site);
	up->site = site;
	up_show(&(struct up_shown){up->site, world_folder(up->world), up->dot_port, up->doh_port}, up->json);
	snprintf(reply, UPCTL_LINE_MAX,
		 res == RES_OK ? "ok %.200s: %.250s\n" : "error: %.200s could not listen %.250s\n", name,
		 res == RES_OK ? scenario->impostor : "");
}

static void
up_on_line(void *ctx, const char *line, char reply[UPCTL_LINE_MAX])
{
	struct up *up = ctx;

	if (strncmp(line, "switch ", 7) == 0) {
		switch_to(up, line + 7, false, reply);
	} else if (strncmp(line, "switch-keeping-tickets ", 23) == 0) {
		switch_to(up, line + 23, true, reply);
	} else if (strcmp(line, "down") == 0) {
		snprintf(reply, UPCTL_LINE_MAX, "ok down\n");
		event_base_loopbreak(up->base);
	} else if (strcmp(line, "ping") == 0) {
		snprintf(reply, UPCTL_LINE_MAX, "ok %s\n", up->site->scenario->name);
	} else {
		snprintf(reply, UPCTL_LINE_MAX, "error: unknown command\n");
	}
}

static void
up_on_signal(evutil_socket_t number, short what, void *arg)
{
	struct up *up = arg;
	pid_t pid;
	bool over = number != SIGCHLD;

	(void)what;
	while (number == SIGCHLD && (pid = waitpid(-1, NULL, WNOHANG)) > 0)
		over = over || pid == up->shell;
	if (over)
		event_base_loopbreak(up->base);
}

static enum res
serve_at(struct up *up, struct addr at, enum lab_server_protocol protocol)
{
	struct lab_faults faults;
	struct lab_server *server;
	enum res res = RES_MALFORMED;

	at.port = protocol == SERVER_DOH ? up->doh_port : up->dot_port;
	if (up_faults(up->scenario, &faults))
		res = lab_server_new(&server, up->base, &at, protocol, up->site, &faults);
	if (res == RES_OK)
		up->servers[up->n_servers++] = server;
	else
		up->failed_at = at;
	return res;
}

static enum res
up_servers_start(struct up *up)
{
	const struct addr four[] = {up->ip4, up->ip6, LAB_IP4_TWO, LAB_IP6_TWO};
	size_t n = up->cell ? 4 : 2;
	enum res res = RES_OK;

	for (size_t i = 0; i < n && res == RES_OK; i++) {
		res = serve_at(up, four[i], SERVER_DOT);
		if (res == RES_OK)
			res = serve_at(up, four[i], SERVER_DOH);
		if (res == RES_IO && errno == EADDRNOTAVAIL && four[i].family == ADDR_V6)
			res = RES_OK; /* a machine without IPv6 */
		if (res == RES_OK)
			up->failed_at.family = ADDR_NONE;
	}
	if (res == RES_OK && up->cell)
		res = trap_new(&up->trap, up->base);
	return res;
}

/* From now on a signal becomes an event, so that everything is cleaned up. */
static enum res
signals_watch(struct up *up)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP, SIGCHLD};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		/* In a cell the keyboard belongs to the shell. */
		if (up->cell && numbers[i] == SIGINT)
			continue;
		up->signals[i] = evsignal_new(up->base, numbers[i], up_on_signal, up);
		if (up->signals[i] == NULL || event_add(up->signals[i], NULL) < 0)
			return RES_NOMEM;
	}
	return RES_OK;
}

static enum res
up_prepare(struct up *up)
{
	char folder[FILE_PATH_MAX];
	enum res res;

	up->base = lab_event_base_new();
	if (up->base == NULL)
		return RES_IO;
	if (signals_watch(up) != RES_OK)
		return RES_NOMEM;
	/* This comes first: only one lab at a time may touch the folder. */
	res = upctl_listen(&up->control, up->base, up_on_line, up);
	if (res == RES_OK)
		res = upctl_folder(folder);
	if (res == RES_OK)
		res = lab_path_join(up->folder, folder, up->cell ? "world-cell" : "world");
	if (res == RES_OK) {
		lab_folder_remove(up->folder); /* certificates of an earlier lab have expired */
		res = world_open(&up->world, up->folder, 0);
	}
	if (res != RES_OK)
		return res;
	res = site_make(&up->site, up, up->scenario);
	return res == RES_OK ? up_servers_start(up) : res;
}

static void
up_end(struct up *up)
{
	int saved = errno;

	for (size_t i = 0; i < up->n_servers; i++)
		lab_server_free(up->servers[i]);
	trap_free(up->trap);
	if (up->folder[0] != '\0' && up->control != NULL)
		lab_folder_remove(up->folder);
	upctl_close(up->control); /* the last thing: another lab may come up from now on */
	for (size_t i = 0; i < sizeof up->signals / sizeof up->signals[0]; i++)
		if (up->signals[i] != NULL)
			event_free(up->signals[i]);
	if (up->base != NULL)
		event_base_free(up->base);
	site_free(up->site);
	world_close(up->world);
	errno = saved;
}

static int
up_trouble(const struct up *up, enum res res)
{
	char at[ADDR_TEXT_MAX];

	if (up->failed_at.family != ADDR_NONE)
		lab_complain("up: cannot listen on %s: %s", addr_text(&up->failed_at, at), res_why(res));
	else if (res == RES_LIMIT && up->control == NULL)
		lab_complain("a lab is up already: `ctstub-lab down` ends it");
	else
		lab_complain("up: %s", res_why(res));
	return LAB_TROUBLE;
}

/* The shell of a cell, with the terminal. Its events go to a file. */
static enum res
shell_start(struct up *up)
{
	const char *shell = getenv("SHELL");

	shell = shell != NULL && shell[0] == '/' ? shell : "/bin/sh";
	if (!up->json)
		printf("a shell in the cell; events: tail -f %s/events.log; it ends with `exit`\n",
		       up->folder);
	(void)fflush(stdout);
	signal(SIGINT, SIG_IGN);
	up->shell = fork();
	if (up->shell == 0) {
		signal(SIGINT, SIG_DFL);
		signal(SIGPIPE, SIG_DFL);
		signal(SIGXFSZ, SIG_DFL);
		setenv("PS1", "[lab] \\$ ", 1);
		execl(shell, shell, (char *)NULL);
		_exit(127);
	}
	return up->shell < 0 ? RES_IO : RES_OK;
}

static int
up_run(void *ctx)
{
	struct up *up = ctx;
	char path[FILE_PATH_MAX];
	FILE *events = NULL;
	enum res res;

	log_setup(LOG_INFO, up->json ? LOG_JSON : LOG_TEXT);
	log_capture(sink, stdout);
	res = up_prepare(up);
	if (res == RES_OK) {
		up_show(&(struct up_shown){up->site, world_folder(up->world), up->dot_port, up->doh_port},
			up->json);
		if (up->cell && lab_path_join(path, up->folder, "events.log") == RES_OK &&
		    (events = fopen(path, "we")) != NULL)
			log_capture(sink, events);
		if (up->cell)
			res = shell_start(up);
	}
	if (res == RES_OK)
		event_base_dispatch(up->base);
	else
		up_trouble(up, res);
	up_end(up);
	log_capture(NULL, NULL);
	if (events != NULL)
		(void)fclose(events);
	return res == RES_OK ? LAB_DONE : LAB_TROUBLE;
}

static int
up_in_cell(struct up *up)
{
	const struct addr own[] = {LAB_IP4, LAB_IP4_TWO, LAB_IP6, LAB_IP6_TWO};
	char owner[24];
	int status;
	pid_t pid;

	signal(SIGINT, SIG_IGN);
	snprintf(owner, sizeof owner, "%u", geteuid());
	(void)setenv(UPCTL_OWNER, owner, 1);
	if (cell_start(&pid, own, sizeof own / sizeof own[0], up_run, up) != RES_OK) {
		lab_complain_errno("up");
		return LAB_TROUBLE;
	}
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return LAB_TROUBLE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : LAB_TROUBLE;
}

/* Waits until the detached lab answers, or ends. */
static bool
answers(pid_t pid)
{
	const struct timespec pause = {.tv_nsec = 20000000};
	char reply[UPCTL_LINE_MAX];

	while (upctl_ask("ping", reply) != RES_OK) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

/* Leaves the terminal: the events go on in a file. */
static int
up_detached(struct up *up)
{
	char folder[FILE_PATH_MAX], path[FILE_PATH_MAX], reply[UPCTL_LINE_MAX];
	pid_t pid;
	int fd;

	if (upctl_ask("ping", reply) == RES_OK)
		return up_trouble(up, RES_LIMIT); /* its events are not ours to empty */
	if (upctl_folder(folder) != RES_OK || lab_path_join(path, folder, "events.log") != RES_OK ||
	    (fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)) < 0) {
		lab_complain_errno("up");
		return LAB_TROUBLE;
	}
	(void)fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (setsid() < 0 || dup2(fd, STDOUT_FILENO) < 0 || dup2(fd, STDERR_FILENO) < 0)
			_exit(LAB_TROUBLE);
		_exit(up_run(up));
	}
	close(fd);
	if (pid < 0 || !answers(pid)) {
		lab_complain("up: it did not come up; see %s", path);
		return LAB_TROUBLE;
	}
	if (up->json)
		return lab_json_print(json_pack("{s:b, s:s, s:s}", "ok", true, "scenario", up->scenario->name,
						"events", path),
				      JSON_COMPACT)
			   ? LAB_DONE
			   : LAB_TROUBLE;
	printf("the lab is up; what happens is in %s; `ctstub-lab down` ends it\n", path);
	return LAB_DONE;
}

static bool
up_port_read(uint16_t *out, const char *name, const char *text)
{
	int64_t number;

	if (!lab_number_read(&number, name, text, 1, UINT16_MAX))
		return false;
	*out = (uint16_t)number;
	return true;
}

static bool
up_option_read(struct up *up, int c, const char *value)
{
	switch (c) {
	case 't':
		return up_port_read(&up->dot_port, "dot-port", value);
	case 'h':
		return up_port_read(&up->doh_port, "doh-port", value);
	case 'c':
		up->cell = true;
		return true;
	case 'd':
		up->detach = true;
		return true;
	case 'j':
		up->json = true;
		return true;
	default:
		return false;
	}
}

int
lab_up(int argc, char **argv)
{
	static const struct option options[] = {
	    {"dot-port", required_argument, NULL, 't'}, {"doh-port", required_argument, NULL, 'h'},
	    {"cell", no_argument, NULL, 'c'},           {"detach", no_argument, NULL, 'd'},
	    {"json", no_argument, NULL, 'j'},           {NULL, 0, NULL, 0}};
	struct up up = {.dot_port = 0, .doh_port = 0};
	int c;

	while ((c = lab_option_get(argc, argv, "", options)) != -1)
		if (!up_option_read(&up, c, optarg))
			return LAB_USAGE;
	if (argc - optind > 1 || (up.cell && up.detach))
		return lab_help_wrong("up");
	up.scenario = scenario_find(argc > optind ? argv[optind] : "good-v4");
	if (up.scenario == NULL) {
		lab_complain("%s: no such scenario (see `ctstub-lab list`)", argv[optind]);
		return LAB_USAGE;
	}
	if (up.dot_port == 0)
		up.dot_port = up.cell ? CELL_DOT_PORT : DOT_PORT;
	if (up.doh_port == 0)
		up.doh_port = up.cell ? CELL_DOH_PORT : DOH_PORT;
	up.ip4 = LAB_IP4;
	up.ip6 = LAB_IP6;
	if (!up.cell) {
		(void)addr_read_ip(&up.ip4, "127.0.0.1");
		(void)addr_read_ip(&up.ip6, "::1");
	}
	return up.cell ? up_in_cell(&up) : up.detach ? up_detached(&up) : up_run(&up);
}
