#include "contrib/lab/lab_complain.h"

#include "contrib/lab/lab.h"

#include "base/option.h"
#include "base/text.h"
#include "verify/json_shown.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FAULT_MAX      8192
#define COMPLAINTS_MAX 16 /* a verb ends at its first fault, or after a few more */

static char *complaints[COMPLAINTS_MAX];
static size_t n_complaints;
static bool reported;

bool
lab_json_wanted(int argc, char **argv)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], "--json") == 0)
			return true;
	return false;
}

static void
complaint_keep(const char *sentence)
{
	if (n_complaints < COMPLAINTS_MAX && (complaints[n_complaints] = strdup(sentence)) != NULL)
		n_complaints++;
}

void
lab_complain(const char *format, ...)
{
	char sentence[LAB_WHY_MAX];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(sentence, sizeof sentence, format, ap);
	va_end(ap);
	fprintf(stderr, "ctstub-lab: %s\n", sentence);
	complaint_keep(sentence);
}

void
lab_complain_errno(const char *what)
{
	lab_complain("%s: %s", what, strerror(errno));
}

int
lab_option_get(int argc, char **argv, const char *shorts, const struct option *longs)
{
	struct buf fault = buf_max(FAULT_MAX);
	int c = option_get_fault(&fault, argc, argv, shorts, longs);

	if (c == '?')
		complaint_keep(buf_cstr(&fault) != NULL ? buf_cstr(&fault) : "unknown option");
	buf_free(&fault);
	return c;
}

bool
lab_json_print(json_t *report, size_t flags)
{
	char *text = json_dumps(report, flags);

	json_decref(report);
	if (text == NULL)
		return false;
	reported = true;
	puts(text);
	free(text);
	return true;
}

void
lab_json_failure(const char *verb, int code)
{
	json_t *errors = json_array();

	if (reported || code == LAB_DONE) {
		json_decref(errors);
		return;
	}
	if (n_complaints == 0 && code == LAB_USAGE)
		json_array_append_new(errors,
				      json_sprintf("the command line is wrong (ctstub-lab help %s)", verb));
	else if (n_complaints == 0)
		json_array_append_new(errors, json_string("it could not be done (see standard error)"));
	for (size_t i = 0; i < n_complaints; i++)
		json_array_append_new(errors, json_shown(complaints[i]));
	(void)lab_json_print(json_pack("{s:O?, s:o}", "error", json_array_get(errors, 0), "errors", errors),
			     JSON_COMPACT);
	while (n_complaints > 0)
		free(complaints[--n_complaints]);
}
