/* cmd_report.c - `ctstub-lab report`: one report from many runs. */
#include "base/option.h"
#include "contrib/lab/lab_files.h"
#include "contrib/lab/lab.h"
#include "contrib/lab/lab_complain.h"
#include "contrib/lab/lab_help.h"
#include "contrib/lab/lab_options.h"
#include "contrib/lab/report/report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool
results_load(struct report *report, char *const *files, int n)
{
	struct buf text = buf_max(REPORT_FILE_MAX);
	enum res res = RES_OK;

	for (int i = 0; i < n && res == RES_OK; i++) {
		buf_clear(&text);
		res = lab_file_read(&text, files[i]);
		if (res == RES_OK)
			res = report_add(report, buf_span(&text));
		if (res != RES_OK)
			lab_complain("%s: %s", files[i],
				     res == RES_MALFORMED ? "not a file that `run --out` wrote"
							  : res_why(res));
	}
	buf_free(&text);
	return res == RES_OK;
}

static bool
report_write(const char *path, struct span text)
{
	if (lab_is_stdout(path)) {
		(void)fwrite(text.p, 1, text.n, stdout);
		if (text.n > 0 && text.p[text.n - 1] != '\n')
			(void)putchar('\n');
		return true;
	}
	if (lab_file_write(path, text, 0644) == RES_OK)
		return true;
	lab_complain("cannot write %s: %s", path, strerror(errno));
	return false;
}

/* Makes one form of the report and writes it; path NULL: not wanted. */
static bool
form_write(const struct report *report, void (*form)(const struct report *, struct buf *), const char *path)
{
	struct buf out = buf_max(REPORT_FILE_MAX);
	bool done = true;

	if (path != NULL) {
		form(report, &out);
		done = buf_ok(&out) && report_write(path, buf_span(&out));
	}
	buf_free(&out);
	return done;
}

static int
outputs_check(const char *html, const char *markdown, const char *json)
{
	char why[LAB_WHY_MAX];
	int code = lab_output_check(why, "html", html, true);

	if (code == LAB_DONE)
		code = lab_output_check(why, "markdown", markdown, true);
	if (code == LAB_DONE)
		code = lab_output_check(why, "json", json, true);
	if (code == LAB_DONE && lab_is_stdout(html) + lab_is_stdout(markdown) + lab_is_stdout(json) > 1) {
		snprintf(why, sizeof why, "standard output is one file, \"-\" was expected once");
		code = LAB_USAGE;
	}
	if (code != LAB_DONE)
		lab_complain("%s", why);
	return code;
}

int
lab_report(int argc, char **argv)
{
	static const struct option options[] = {{"html", required_argument, NULL, 'h'},
						{"markdown", required_argument, NULL, 'm'},
						{"json", required_argument, NULL, 'j'},
						{NULL, 0, NULL, 0}};
	const char *html = NULL, *markdown = NULL, *json = NULL;
	struct report report = {.n = 0};
	char *text = NULL;
	bool done;
	int c, code;

	while ((c = lab_option_get(argc, argv, "", options)) != -1) {
		if (c == '?')
			return LAB_USAGE;
		*(c == 'h' ? &html : c == 'm' ? &markdown : &json) = optarg;
	}
	if (optind == argc || option_argument_is_empty(argc, argv) ||
	    (html == NULL && markdown == NULL && json == NULL))
		return lab_help_wrong("report");
	code = outputs_check(html, markdown, json);
	if (code != LAB_DONE)
		return code;
	done = results_load(&report, argv + optind, argc - optind);
	if (!done) {
		report_free(&report);
		return LAB_USAGE;
	}
	done = form_write(&report, report_markdown, markdown) && form_write(&report, report_html, html);
	if (done && json != NULL) {
		text = report_json(&report);
		done = text != NULL && report_write(json, span_str(text));
	}
	free(text);
	report_free(&report);
	return done ? LAB_DONE : LAB_TROUBLE;
}
