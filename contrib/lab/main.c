/* main.c - ctstub-lab: a false resolver to test DNS clients against. It uses only loopback and
 * namespaces of its own. */
#include "config.h"

#include "about/about.h"
#include "base/environment.h"
#include "base/output.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct verb {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *about;
} verbs[] = {
    {"list", lab_list, "list the scenarios"},
    {"pki", lab_pki, "write anchors, logs, chains and policies of all scenarios"},
    {"serve", lab_serve, "run one scenario's DoT or DoH server"},
    {"logs", lab_logs_serve, "run CT logs of both kinds over HTTPS, which misbehave on demand"},
    {"up", lab_up, "start a resolver to try clients against"},
    {"switch", lab_switch, "switch the running lab to another scenario"},
    {"down", lab_down, "stop the running lab"},
    {"run", lab_run, "test one DNS client with every scenario, in its own namespaces"},
    {"report", lab_report, "combine the results of several runs as Markdown, HTML or JSON"},
    {"faults", lab_faults, "list the faults for serve --fault"},
};

static void
lab_usage(FILE *to)
{
	fprintf(to, "usage: ctstub-lab VERB [OPTION]... (see ctstub-lab(1))\n\n");
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		fprintf(to, "  %-8s %s\n", verbs[i].name, verbs[i].about);
	fprintf(to, "\nctstub-lab help VERB explains its options; "
		    "ctstub-lab -V, --version prints the version and the libraries.\n");
}

static bool
is_help(const char *argument)
{
	return strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0;
}

/* `help`, `help VERB`, `--help` and `VERB ... --help`, or `-h`. False: no help was asked for. */
static bool
lab_help(int argc, char **argv, int *code)
{
	bool first = strcmp(argv[1], "help") == 0 || is_help(argv[1]);
	const char *verb = first && argc > 2 ? argv[2] : NULL;

	for (int i = 2; !first && i < argc && verb == NULL; i++)
		if (is_help(argv[i]))
			verb = argv[1];
	if (!first && verb == NULL)
		return false;
	*code = LAB_DONE;
	if (verb == NULL)
		lab_usage(stdout);
	else if (!lab_help_print(verb))
		return false;
	return true;
}

/* With --json, a verb that fails without a report prints why as JSON. */
static int
verb_run(const struct verb *verb, int argc, char **argv)
{
	/* `report --json FILE` writes a file; argv is read first, because getopt reorders it. */
	bool json = verb->run != lab_report && lab_json_wanted(argc, argv);
	int code = verb->run(argc, argv);

	if (json)
		lab_json_failure(verb->name, code);
	return code;
}

static int
lab_main(int argc, char **argv)
{
	static char name[32];
	int code;

	/* The lab's TLS is its own: neither its keys nor its priorities come from the environment. */
	if (environment_clean(argv, NULL) != RES_OK) {
		fprintf(stderr,
			"ctstub-lab: cannot restart without the environment variables that control GnuTLS\n");
		return LAB_TROUBLE;
	}
	/* A reader that goes away, and a file that may not grow (setrlimit(2)), are errors that are reported. */
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGXFSZ, SIG_IGN);
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc < 2) {
		lab_usage(stderr);
		return LAB_USAGE;
	}
	if (lab_help(argc, argv, &code))
		return code;
	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
		if (strcmp(argv[1], verbs[i].name) == 0) {
			(void)snprintf(name, sizeof name, "ctstub-lab %s", verbs[i].name);
			argv[1] = name; /* complaints begin with it */
			return verb_run(&verbs[i], argc - 1, argv + 1);
		}
	if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
		about_print("ctstub-lab");
		return LAB_DONE;
	}
	lab_complain("unknown verb: %s", strcmp(argv[1], "help") == 0 && argc > 2 ? argv[2] : argv[1]);
	lab_usage(stderr);
	if (lab_json_wanted(argc, argv))
		lab_json_failure(argv[1], LAB_USAGE);
	return LAB_USAGE;
}

int
main(int argc, char **argv)
{
	int code = lab_main(argc, argv);

	return output_end("ctstub-lab") ? code : LAB_TROUBLE;
}
