#include "config.h"

#include "base/option.h"

#include "base/text.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define SHORTS_MAX 64
#define FAULT_MAX  8192

/* "--name=value", of an option that takes none? Then optopt is the value of its row; it may be that of a short option, too. */
static bool
is_valued(const char *arg, const struct option *longs)
{
	while (longs->name != NULL && longs->val != optopt)
		longs++;
	return longs->name != NULL && strncmp(arg, "--", 2) == 0 && strchr(arg, '=') != NULL;
}

int
option_parse(int argc, char **argv, const char *shorts, const struct option *longs)
{
	int c = getopt_long(argc, argv, shorts, longs, NULL);

	return c != -1 && c != '?' && c != ':' && optarg != NULL && *optarg == '\0' ? ':' : c;
}

bool
option_argument_is_empty(int argc, char **argv)
{
	for (int i = optind; i < argc; i++)
		if (*argv[i] == '\0')
			return true;
	return false;
}

void
option_fault(struct buf *out, int c, char **argv, const struct option *longs)
{
	const char short_option[] = {'-', (char)optopt, '\0'};
	const char *arg = argv[optind - 1], *what = "unknown option";

	if (c == ':' && *arg == '\0') /* the empty value, after its option */
		arg = argv[optind - 2];
	if (c == ':')
		what = "a value was expected";
	else if (optopt != 0 && is_valued(arg, longs))
		what = "no value was expected";
	else if (optopt != 0) /* one of several in one argument may not be in argv[optind - 1] */
		arg = short_option;
	text_show(out, span_str(arg));
	buf_format(out, ": %s", what);
}

int
option_get_fault(struct buf *fault, int argc, char **argv, const char *shorts, const struct option *longs)
{
	const char *slash = strrchr(argv[0], '/');
	char spec[SHORTS_MAX];
	int c;

	(void)snprintf(spec, sizeof spec, ":%s", shorts);
	opterr = 0;
	c = option_parse(argc, argv, spec, longs);
	if (c != '?' && c != ':')
		return c;
	option_fault(fault, c, argv, longs);
	(void)fprintf(stderr, "%s: %s\n", slash != NULL ? slash + 1 : argv[0],
		      buf_cstr(fault) != NULL ? buf_cstr(fault) : "unknown option");
	return '?';
}

int
option_get(int argc, char **argv, const char *shorts, const struct option *longs)
{
	struct buf fault = buf_max(FAULT_MAX);
	int c = option_get_fault(&fault, argc, argv, shorts, longs);

	buf_free(&fault);
	return c;
}
