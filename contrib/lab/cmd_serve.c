/* cmd_serve.c - `ctstub-lab serve SCENARIO`: one server, its events on standard output, its counts in a
 * file.
 */
#include "config.h"

#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/lab_options.h"
#include "contrib/lab/lab_sink.h"
#include "contrib/lab/scenarios/pkidir.h"
#include "contrib/lab/server/lab_server.h"

#include "base/log.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT_DELAY_MS 20 /* the longest delay between a count and the file */

struct serve {
	const struct scenario *scenario;
	struct addr listen, ip4, ip6;
	bool has_ip4, has_ip6;
	enum lab_server_protocol protocol;
	const char *folder, *count_file;
	bool json;
	struct lab_faults faults;

	struct world *world;
	struct site *site;
	struct event_base *base;
	struct event *signals[3], *count_timer;
	struct lab_server *server;
	char *own_folder; /* made by us, removed at the end */
};

static void
counts_write(struct serve *serve)
{
	const struct lab_server_counts *c = lab_server_counts(serve->server);
	struct buf text = buf_max(1024);

	if (serve->count_file == NULL)
		return;
	buf_format(&text,
		   "{\"connections\": %" PRIu64 ", \"handshakes\": %" PRIu64 ", \"resumed\": %" PRIu64
		   ", \"refused\": %" PRIu64 ", \"bytes\": %" PRIu64 ", \"questions\": %" PRIu64
		   ", \"answers\": %" PRIu64 "}\n",
		   c->connections, c->handshakes, c->resumed, c->refused, c->bytes, c->questions, c->answers);
	if (!buf_ok(&text) || lab_file_write(serve->count_file, buf_span(&text), 0644) != RES_OK)
		lab_complain("%s: %s", serve->count_file, strerror(errno));
	buf_free(&text);
}

static void
serve_on_count_timer(evutil_socket_t fd, short what, void *arg)
{
	(void)fd, (void)what;
	counts_write(arg);
}

static void
serve_on_count(void *arg)
{
	struct serve *serve = arg;
	const struct timeval soon = {.tv_usec = COUNT_DELAY_MS * 1000};

	if (serve->count_file != NULL && !evtimer_pending(serve->count_timer, NULL))
		event_add(serve->count_timer, &soon);
}

static void
serve_on_signal(evutil_socket_t fd, short what, void *arg)
{
	struct serve *serve = arg;

	(void)fd, (void)what;
	event_base_loopbreak(serve->base);
}

/* The resolver's addresses: those of --ip, else the one it listens on, else the lab's. */
static void
addresses_settle(struct serve *serve)
{
	struct addr own = serve->listen;

	own.port = 0;
	if (!serve->has_ip4)
		serve->ip4 = own.family == ADDR_V4 && !addr_is_any(&own) ? own : LAB_IP4;
	if (!serve->has_ip6)
		serve->ip6 = own.family == ADDR_V6 && !addr_is_any(&own) ? own : LAB_IP6;
	if (!serve->has_ip6 && own.family == ADDR_V4 && addr_is_loopback(&own))
		(void)addr_read_ip(&serve->ip6, "::1");
	if (!serve->has_ip4 && own.family == ADDR_V6 && addr_is_loopback(&own))
		(void)addr_read_ip(&serve->ip4, "127.0.0.1");
}

static int
serve_run(struct serve *serve)
{
	bool doh = serve->protocol == SERVER_DOH;
	char text[ADDR_TEXT_MAX];
	enum res res = lab_server_new(&serve->server, serve->base, &serve->listen, serve->protocol,
				      serve->site, &serve->faults);

	if (res == RES_OK) {
		serve->listen.port = lab_server_port(serve->server);
		res = pkidir_write_site(serve->site, doh, serve->listen.port);
	}
	if (res != RES_OK) {
		lab_complain("%s: %s", addr_text(&serve->listen, text), res_why(res));
		return LAB_TROUBLE;
	}
	lab_server_on_count(serve->server, serve_on_count, serve);
	counts_write(serve);
	log_event(LOG_INFO, "listening", LOG_ADDR("address", &serve->listen),
		  LOG_STR("protocol", doh ? "doh" : "dot"), LOG_STR("scenario", serve->scenario->name),
		  LOG_STR("folder", world_folder(serve->world)));
	event_base_dispatch(serve->base);
	counts_write(serve);
	return LAB_DONE;
}

/* Is it ignored, as under nohup(1)? */
static bool
is_ignored(int number)
{
	struct sigaction action;

	return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Whatever ends the server, a folder of its own is removed. */
static bool
serve_signals_watch(struct serve *serve)
{
	static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (numbers[i] == SIGHUP && is_ignored(SIGHUP))
			continue;
		serve->signals[i] = evsignal_new(serve->base, numbers[i], serve_on_signal, serve);
		if (serve->signals[i] == NULL || event_add(serve->signals[i], NULL) < 0)
			return false;
	}
	return true;
}

static int
serve_prepare(struct serve *serve)
{
	static char template[] = "/tmp/ctstub-lab.XXXXXX";
	const char *bad;
	enum res res;

	if (serve->folder == NULL) {
		serve->own_folder = mkdtemp(template);
		serve->folder = serve->own_folder;
		if (serve->folder == NULL) {
			lab_complain_errno("/tmp");
			return LAB_TROUBLE;
		}
	}
	if (serve->scenario->fault != NULL && !lab_faults_add(&serve->faults, serve->scenario->fault, &bad))
		return LAB_TROUBLE;
	if (lab_world(&serve->world, serve->folder, 0) != RES_OK)
		return LAB_TROUBLE;
	res = site_new(&serve->site, serve->world, serve->scenario, &serve->ip4, &serve->ip6);
	if (res != RES_OK) {
		lab_complain("%s could not be made: %s", serve->scenario->name, res_why(res));
		return LAB_TROUBLE;
	}
	serve->base = lab_event_base_new();
	if (serve->base == NULL) {
		lab_complain_errno("serve");
		return LAB_TROUBLE;
	}
	serve->count_timer = evtimer_new(serve->base, serve_on_count_timer, serve);
	return serve_signals_watch(serve) && serve->count_timer != NULL ? LAB_DONE : LAB_TROUBLE;
}

static void
serve_end(struct serve *serve)
{
	lab_server_free(serve->server);
	for (size_t i = 0; i < sizeof serve->signals / sizeof serve->signals[0]; i++)
		if (serve->signals[i] != NULL)
			event_free(serve->signals[i]);
	if (serve->count_timer != NULL)
		event_free(serve->count_timer);
	if (serve->base != NULL)
		event_base_free(serve->base);
	site_free(serve->site);
	world_close(serve->world);
	if (serve->own_folder != NULL)
		lab_folder_remove(serve->own_folder);
}

static bool
serve_option_read(struct serve *serve, int c, const char *value)
{
	const uint16_t dot_port = 853;
	struct addr addr;
	const char *bad;

	switch (c) {
	case 'l':
		return lab_listen_read(&serve->listen, value, dot_port);
	case 'i':
		if (addr_read_ip(&addr, value) != RES_OK) {
			lab_complain("--ip %s: expected an address", value);
			return false;
		}
		*(addr.family == ADDR_V4 ? &serve->ip4 : &serve->ip6) = addr;
		*(addr.family == ADDR_V4 ? &serve->has_ip4 : &serve->has_ip6) = true;
		return true;
	case 'f':
		if (lab_faults_add(&serve->faults, value, &bad))
			return true;
		lab_complain("--fault %s: a fault was expected, with its value if it takes one (see "
			     "`ctstub-lab faults`)",
			     bad);
		return false;
	case 'd':
		serve->protocol = SERVER_DOH;
		return true;
	case 'p':
		serve->folder = value;
		return true;
	case 'c':
		serve->count_file = value;
		return true;
	case 'j':
		serve->json = true;
		return true;
	default:
		return false;
	}
}

int
lab_serve(int argc, char **argv)
{
	static const struct option options[] = {
	    {"listen", required_argument, NULL, 'l'}, {"ip", required_argument, NULL, 'i'},
	    {"fault", required_argument, NULL, 'f'},  {"doh", no_argument, NULL, 'd'},
	    {"pki", required_argument, NULL, 'p'},    {"count", required_argument, NULL, 'c'},
	    {"json", no_argument, NULL, 'j'},         {NULL, 0, NULL, 0}};
	struct serve serve = {.listen = {.family = ADDR_NONE}};
	char why[LAB_WHY_MAX];
	int c, code;

	while ((c = lab_option_get(argc, argv, "", options)) != -1)
		if (!serve_option_read(&serve, c, optarg))
			return LAB_USAGE;
	if (argc - optind != 1 || serve.listen.family == ADDR_NONE)
		return lab_help_wrong("serve");
	serve.scenario = scenario_find(argv[optind]);
	if (serve.scenario == NULL) {
		lab_complain("%s: no such scenario (see `ctstub-lab list`)", argv[optind]);
		return LAB_USAGE;
	}
	code = lab_output_check(why, "count", serve.count_file, false);
	if (code != LAB_DONE) {
		lab_complain("%s", why);
		return code;
	}
	log_setup(LOG_INFO, serve.json ? LOG_JSON : LOG_TEXT);
	log_capture(lab_sink, stdout);
	addresses_settle(&serve);
	code = serve_prepare(&serve);
	if (code == LAB_DONE)
		code = serve_run(&serve);
	serve_end(&serve);
	log_capture(NULL, NULL);
	return code;
}

#define FAULT_WIDTH 22 /* of the column of names */

static int
faults_json_print(void)
{
	json_t *list = json_array();

	for (enum fault f = 0; f < FAULT_COUNT; f++)
		json_array_append_new(list, json_pack("{s:s, s:s?, s:s}", "name", lab_fault_name(f), "value",
						      lab_fault_form(f), "about", lab_fault_text(f)));
	return lab_json_print(list, JSON_INDENT(1)) ? LAB_DONE : LAB_TROUBLE;
}

int
lab_faults(int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 'j'}, {NULL, 0, NULL, 0}};
	bool json = false;
	int c;

	while ((c = lab_option_get(argc, argv, "", options)) != -1) {
		if (c != 'j')
			return LAB_USAGE;
		json = true;
	}
	if (argc != optind)
		return lab_help_wrong("faults");
	if (json)
		return faults_json_print();
	for (enum fault f = 0; f < FAULT_COUNT; f++) {
		const char *form = lab_fault_form(f);
		int n =
		    printf("  %s%s%s", lab_fault_name(f), form != NULL ? "=" : "", form != NULL ? form : "");

		printf("%*s %s\n", n < FAULT_WIDTH ? FAULT_WIDTH - n : 0, "", lab_fault_text(f));
	}
	return LAB_DONE;
}
