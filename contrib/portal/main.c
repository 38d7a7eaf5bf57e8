/* ctstub-portal: the only program of ctstub that sends questions in clear text, those of portal probes. See serve.h. */
#include "config.h"

#include "about/about.h"
#include "base/clock.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/option.h"
#include "base/output.h"
#include "base/sandbox/sandbox.h"
#include "base/signals.h"
#include "base/text.h"
#include "contrib/portal/serve.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HANDED_FD 3 /* sd_listen_fds(3): the first descriptor that is handed in */

enum portal_exit { PORTAL_DONE = 0, PORTAL_USAGE = 2, PORTAL_TROUBLE = 3 };

static const char usage[] = "usage: ctstub-portal [-c FILE] [-tvV]\n"
			    "  -c FILE    the configuration (" SYSCONFDIR
			    "/ctstub/ctstub.conf; without it the compiled-in defaults)\n"
			    "  -t         show which resolver would get the queries, and exit\n"
			    "  -v         log more; twice: still more\n"
			    "  -V         print the version and the libraries, and exit\n"
			    "  --help     print this, and exit\n";

struct options {
	const char *file;
	bool test;
	int verbose;
};

struct program {
	struct settings *settings;
	struct loop *loop;
	struct serve *serve;
};

/* ---- the resolver */

static void
program_find(void *ctx, struct resolvers *r)
{
	const struct program *p = ctx;
	const struct addrs *given = &p->settings->portal_resolver;

	r->n = 0;
	for (size_t i = 0; i < given->n && r->n < RESOLVERS_MAX; i++) {
		r->v[r->n] = (struct resolver){.addr = given->v[i]};
		r->v[r->n++].addr.port = 53;
	}
	if (given->n == 0)
		resolvers_find(r, "", clock_wall_ms());
}

static int
printed(void)
{
	return output_end("ctstub-portal") ? PORTAL_DONE : PORTAL_TROUBLE;
}

static int
program_test(struct program *p)
{
	struct resolvers r;
	char text[RESOLVER_TEXT_MAX];

	program_find(p, &r);
	if (!p->settings->portal_enable)
		(void)puts("no query is sent in clear text: portal.enable is false");
	for (size_t i = 0; i < r.n; i++)
		(void)printf("resolver %s\n", resolver_text(&r.v[i], text));
	if (r.n == 0)
		(void)puts("the network names no resolver: set portal.resolver");
	return printed();
}

/* ---- start */

static int
program_fail(int code, const char *why)
{
	log_event(LOG_ERROR, "portal-not-started", LOG_STR("error", why != NULL ? why : "out of memory"));
	return code;
}

static bool
variable_is(const char *name, int64_t want)
{
	const char *text = getenv(name);
	int64_t value;

	return text != NULL && number_read(&value, text) == RES_OK && value == want;
}

/* The socket of ctstub-portal.socket, or of whoever starts this program. -1: none was handed in, or it is another kind. */
static int
socket_handed(void)
{
	int type = 0, listens = 0;
	socklen_t n = sizeof type, m = sizeof listens;

	if (!variable_is("LISTEN_PID", getpid()) || !variable_is("LISTEN_FDS", 1) ||
	    getsockopt(HANDED_FD, SOL_SOCKET, SO_TYPE, &type, &n) != 0 || type != SOCK_SEQPACKET ||
	    getsockopt(HANDED_FD, SOL_SOCKET, SO_ACCEPTCONN, &listens, &m) != 0 || listens == 0)
		return -1;
	return HANDED_FD;
}

static void
program_on_stop(void *ctx)
{
	loop_stop(((struct program *)ctx)->loop);
}

static enum res
program_open(struct program *p, int fd)
{
	const struct serve_setup setup = {.fd = fd,
					  .settings = p->settings,
					  .find = program_find,
					  .find_ctx = p,
					  .on_idle = program_on_stop,
					  .idle_ctx = p,
					  .loop = p->loop};

	if (loop_signal(p->loop, SIGTERM, program_on_stop, p) != RES_OK ||
	    loop_signal(p->loop, SIGINT, program_on_stop, p) != RES_OK)
		return RES_NOMEM;
	return serve_new(&p->serve, &setup);
}

static int
program_serve(struct program *p)
{
	int fd = socket_handed();
	char *why = NULL;
	enum res res;

	if (fd < 0)
		return program_fail(PORTAL_USAGE,
				    "no listening socket was handed in: start ctstub-portal.socket");
	if (!p->settings->portal_enable)
		return program_fail(PORTAL_USAGE, "portal.enable is false");
	if ((res = loop_new(&p->loop)) != RES_OK || (res = program_open(p, fd)) != RES_OK)
		return program_fail(PORTAL_TROUBLE, res_why(res));
	if (sandbox_drop(p->settings->portal_user, &why) != RES_OK ||
	    sandbox_seal_portal(sandbox_kills(), &why) != RES_OK) {
		int code = program_fail(PORTAL_TROUBLE, why);

		free(why);
		return code;
	}
	log_event(LOG_INFO, "portal-started", LOG_STR("version", PACKAGE_VERSION));
	loop_run(p->loop);
	return PORTAL_DONE;
}

static int
program_main(const struct options *o)
{
	struct config_errors errors = {0};
	struct program p = {.settings = NULL};
	int code;

	if (settings_read(&p.settings, o->file, &errors) != RES_OK) {
		for (size_t i = 0; i < errors.n; i++)
			(void)fprintf(stderr, "ctstub-portal: %s\n", errors.line[i]);
		code = errors.n == 0 ? PORTAL_TROUBLE : PORTAL_USAGE;
		config_errors_free(&errors);
		return code;
	}
	log_to_journal("ctstub-portal");
	log_setup(LOG_NOTICE + (enum log_level)(o->verbose > 2 ? 2 : o->verbose), p.settings->log_format);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	signals_ignore_unused();
	code = o->test ? program_test(&p) : program_serve(&p);
	serve_free(p.serve);
	if (p.loop != NULL)
		loop_free(p.loop);
	settings_free(p.settings);
	return code;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
	struct options o = {.file = NULL};
	int c;

	if (environment_clean(argv, NULL) != RES_OK)
		return PORTAL_TROUBLE;
	while ((c = option_get(argc, argv, "c:tvVh", longs)) != -1) {
		switch (c) {
		case 'c':
			o.file = optarg;
			break;
		case 't':
			o.test = true;
			break;
		case 'v':
			o.verbose++;
			break;
		case 'V':
			about_print("ctstub-portal");
			return printed();
		case 'h':
			(void)fputs(usage, stdout);
			return printed();
		default:
			(void)fputs(usage, stderr);
			return PORTAL_USAGE;
		}
	}
	if (optind != argc) {
		(void)fprintf(stderr, "ctstub-portal: \"%s\" was not expected\n%s", argv[optind], usage);
		return PORTAL_USAGE;
	}
	if (o.file == NULL)
		o.file = settings_default_file();
	return program_main(&o);
}
