/* ctstubd: the command line; everything else is in daemon.h. */
#include "config.h"

#include "about/about.h"
#include "base/environment.h"
#include "base/log.h"
#include "base/option.h"
#include "base/output.h"
#include "config/watch_files.h"
#include "resolver/daemon/configuration.h"
#include "resolver/daemon/daemon.h"
#include "resolver/daemon/listen_check.h"
#include "resolver/daemon/path_check.h"
#include "resolver/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_USER "ctstub"
#define DEFAULT_FILE SYSCONFDIR "/ctstub/ctstub.conf"

enum action { ACTION_RUN, ACTION_TEST, ACTION_PRINT };

static const char usage[] =
    "usage: ctstubd [-c FILE] [-tpvV]\n"
    "  -c FILE    the configuration (" DEFAULT_FILE "; without it the compiled-in defaults)\n"
    "  -t         check the configuration and everything that it names, and exit\n"
    "  -p         print the effective configuration, and exit\n"
    "  -v         log more; twice: still more\n"
    "  -V         print the version and the libraries, and exit\n"
    "  --help     print this, and exit\n";

/* If a standard descriptor were closed, a socket could take its number and receive the log. What is printed to a standard
 * output that was closed still fails. */
static bool
standard_fds_open(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) == -1 && errno == EBADF &&
		    open("/dev/null", fd == STDOUT_FILENO ? O_RDONLY : O_RDWR) != fd)
			return false;
	return true;
}

static void
on_scrubbed(const char *variable)
{
	log_event(LOG_WARN, "environment-scrubbed", LOG_STR("variable", variable));
}

static void
warnings_print(const struct snapshot *s)
{
	for (size_t i = 0; i < s->n_warning; i++)
		printf("warning: %s\n", s->warning[i]);
	for (size_t i = 0; i < s->n_list_warning; i++)
		printf("warning: %s\n", s->list_warning[i]);
	for (size_t u = 0; u < s->n_upstream; u++)
		for (size_t i = 0; i < s->upstream[u].n_warning; i++)
			printf("warning: upstream \"%s\": %s\n", s->upstream[u].title,
			       s->upstream[u].warning[i]);
}

/* A user and a group that somebody configured must exist; the default user may be made later, by the package. *warn: it
 * does not exist. */
static enum res
accounts_check(const char *file, struct config_errors *errors, bool *warn)
{
	struct config_errors seen = {0}; /* plan_read reports them */
	struct settings *s = NULL;
	enum res res = RES_OK;

	*warn = false;
	(void)settings_read_on(&s, file, &seen);
	config_errors_free(&seen);
	if (s == NULL)
		return RES_NOMEM;
	if (s->user[0] != '\0' && getpwnam(s->user) == NULL) {
		*warn = strcmp(s->user, DEFAULT_USER) == 0;
		res = *warn ? RES_OK : RES_NOT_FOUND;
	}
	if (res != RES_OK)
		config_errors_add(errors, s->set_at[OPTION_USER],
				  "there is no user \"%s\" on this machine, an existing one was expected (or "
				  "\"\" to keep the user who starts the daemon)",
				  s->user);
	if (s->control_group[0] != '\0' && getgrnam(s->control_group) == NULL) {
		res = RES_NOT_FOUND;
		config_errors_add(
		    errors, s->set_at[OPTION_CONTROL_GROUP],
		    "there is no group \"%s\" on this machine, an existing one was expected (or "
		    "\"\" for none)",
		    s->control_group);
	}
	settings_free(s);
	return res;
}

/* The file that the installed unit names? */
static bool
is_of_service(const char *file)
{
	struct stat ours, installed;

	return file != NULL && stat(file, &ours) == 0 && stat(DEFAULT_FILE, &installed) == 0 &&
	       ours.st_dev == installed.st_dev && ours.st_ino == installed.st_ino;
}

static int
printed(void)
{
	return output_end("ctstubd") ? 0 : EXIT_TROUBLE;
}

static int
config_test(const char *file)
{
	struct config_errors errors = {0}, warnings = {0};
	struct plan *plan = NULL;
	bool no_user;
	enum res res = plan_read(&plan, file, 1, false, &errors);

	if (res == RES_OK)
		res = listen_check(plan->snapshot->settings, is_of_service(file), &errors, &warnings);
	if (accounts_check(file, &errors, &no_user) != RES_OK || res != RES_OK) {
		configuration_errors_print(&errors);
		config_errors_free(&errors);
		config_errors_free(&warnings);
		plan_unref(plan);
		return EXIT_CONFIG;
	}
	warnings_print(plan->snapshot);
	path_check(plan->snapshot->settings, &warnings);
	path_check_as_user(plan->snapshot->settings, &warnings);
	watch_files_check(plan->snapshot->settings, &warnings);
	for (size_t i = 0; i < warnings.n; i++)
		printf("warning: %s\n", warnings.line[i]);
	config_errors_free(&warnings);
	if (no_user)
		printf("warning: there is no user \"%s\" on this machine\n", DEFAULT_USER);
	printf("%s: OK\n", file != NULL ? file : "compiled-in defaults");
	plan_unref(plan);
	return printed();
}

static int
config_print(const char *file)
{
	struct config_errors errors = {0};
	struct settings *settings;
	enum res res;

	if (settings_read(&settings, file, &errors) != RES_OK) {
		configuration_errors_print(&errors);
		config_errors_free(&errors);
		return EXIT_CONFIG;
	}
	res = settings_print(settings, stdout);
	settings_free(settings);
	if (res != RES_NOMEM)
		return printed();
	fprintf(stderr, "ctstubd: %s\n", res_text(res));
	return EXIT_TROUBLE;
}

/* Before anything else: a library may write to descriptor 2, or do what a variable asks for. */
static bool
process_prepare(char **argv)
{
	if (!standard_fds_open()) {
		fputs("ctstubd: cannot open /dev/null in place of a closed descriptor\n", stderr);
		return false;
	}
	log_to_journal("ctstubd");
	if (environment_clean(argv, on_scrubbed) != RES_OK) {
		fputs("ctstubd: cannot restart without the environment variables that control GnuTLS\n",
		      stderr);
		return false;
	}
	if (tp_global_init() == RES_OK)
		return true;
	fputs("ctstubd: GnuTLS cannot be set up\n", stderr);
	return false;
}

int
main(int argc, char **argv)
{
	static const struct option longs[] = {
	    {"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {0}};
	struct daemon_options options = {0};
	enum action action = ACTION_RUN;
	int option;

	if (!process_prepare(argv))
		return EXIT_TROUBLE;
	while ((option = option_get(argc, argv, "c:tpvVh", longs)) != -1) {
		switch (option) {
		case 'c':
			options.file = optarg;
			break;
		case 't':
			action = ACTION_TEST;
			break;
		case 'p':
			action = ACTION_PRINT;
			break;
		case 'v':
			options.verbose++;
			break;
		case 'V':
			about_print("ctstubd");
			return printed();
		case 'h':
			fputs(usage, stdout);
			return printed();
		default:
			fputs(usage, stderr);
			return EXIT_CONFIG;
		}
	}
	if (optind != argc) {
		fprintf(stderr, "ctstubd: unexpected argument: %s\n%s", argv[optind], usage);
		return EXIT_CONFIG;
	}
	if (options.file == NULL)
		options.file = settings_default_file();
	switch (action) {
	case ACTION_TEST:
		return config_test(options.file);
	case ACTION_PRINT:
		return config_print(options.file);
	case ACTION_RUN:
		break;
	}
	return daemon_run(&options);
}
