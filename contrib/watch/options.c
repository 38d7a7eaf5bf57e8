#include "config.h"

#include "about/about.h"
#include "contrib/watch/options.h"

#include "base/option.h"
#include "base/text.h"
#include "contrib/watch/commands.h"

#include <stdio.h>
#include <string.h>

static const char usage[] =
    "usage: ctstub-watch [-c FILE] [-tvV] [--once] [--from N|end|DATE]\n"
    "       ctstub-watch VERB [ARGUMENT]...\n"
    "  -c FILE     the configuration (" SYSCONFDIR "/ctstub/ctstub.conf; compiled-in defaults without it)\n"
    "  -t          check the configuration and everything that it names, and exit\n"
    "  --once      read every log up to its newest tree head, and exit\n"
    "  --from W    where to start logs not read before: the number of an entry, end (default) or a date\n"
    "  -v          log more; twice: still more\n"
    "  -V          print the version and the libraries, and exit\n"
    "  --help      print this, and exit\n";

bool
watch_from_read(enum reader_from *kind, uint64_t *from, const char *text)
{
	char day[TIME_TEXT_MAX];
	int64_t number;

	*from = 0;
	*kind = READER_FROM_END;
	if (strcmp(text, "end") == 0)
		return true;
	*kind = READER_FROM_INDEX;
	if (number_read(&number, text) == RES_OK) {
		*from = (uint64_t)number;
		return number >= 0;
	}
	*kind = READER_FROM_TIME;
	if (strlen(text) == strlen("2026-11-28")) {
		(void)snprintf(day, sizeof day, "%sT00:00:00Z", text);
		text = day;
	}
	if (time_read(&number, text) != RES_OK || number < 0)
		return false;
	*from = (uint64_t)number;
	return true;
}

static void
usage_print(FILE *out)
{
	(void)fputs(usage, out);
	(void)fputs(known_usage, out);
	(void)fputs(sign_usage, out);
	(void)fputs(pull_usage, out);
}

static bool
from_option(struct watch_options *o, const char *text)
{
	o->from_given = true;
	if (watch_from_read(&o->from_kind, &o->from, text))
		return true;
	(void)fprintf(
	    stderr, "ctstub-watch: --from \"%s\": an entry's number, \"end\" or a date was expected\n", text);
	return false;
}

enum { OPT_ONCE = 256, OPT_FROM, OPT_HELP };

/* One option. False: *code. */
static bool
option_read(struct watch_options *o, int c, int *code)
{
	switch (c) {
	case 'c':
		o->file = optarg;
		return true;
	case 't':
		o->test = true;
		return true;
	case 'v':
		o->verbose++;
		return true;
	case OPT_ONCE:
		o->once = true;
		return true;
	case OPT_FROM:
		return from_option(o, optarg);
	case 'V':
		about_print("ctstub-watch");
		*code = WATCH_DONE;
		return false;
	case OPT_HELP:
		usage_print(stdout);
		*code = WATCH_DONE;
		return false;
	default:
		usage_print(stderr);
		return false;
	}
}

bool
watch_options_read(struct watch_options *o, int argc, char **argv, int *code)
{
	static const struct option longs[] = {
	    {"once", no_argument, NULL, OPT_ONCE},
	    {"from", required_argument, NULL, OPT_FROM},
	    {"help", no_argument, NULL, OPT_HELP},
	    {"version", no_argument, NULL, 'V'},
	    {NULL, 0, NULL, 0},
	};
	int c;

	*o = (struct watch_options){.from_kind = READER_FROM_END};
	*code = WATCH_USAGE;
	while ((c = option_get(argc, argv, "c:tvVh", longs)) != -1)
		if (!option_read(o, c == 'h' ? OPT_HELP : c, code))
			return false;
	if (optind < argc) {
		(void)fprintf(stderr, "ctstub-watch: \"%s\" was not expected\n", argv[optind]);
		return false;
	}
	o->file = watch_config_file(o->file);
	return true;
}
