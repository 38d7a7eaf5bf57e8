/* ctstub status: shows the state of the daemon. */
#include "cli/control.h"
#include "cli/watch_status.h"

#include <stdio.h>
#include <string.h>

static void
status_print_strings(const char *label, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		json_t *wrapped = json_pack("{s:O}", "s", item);

		(void)printf("%-14s %s\n", label, control_text(wrapped, "s"));
		json_decref(wrapped);
	}
}

/* "would refuse   corp 10.0.0.53: pin-mismatch, revoked" */
static void
status_print_reported(const json_t *list)
{
	size_t i, k;
	json_t *u, *reason;

	json_array_foreach (list, i, u) {
		(void)printf("%-14s %s %s:", "would refuse", control_text(u, "upstream"),
			     control_text(u, "address"));
		json_array_foreach (json_object_get(u, "reasons"), k, reason)
			(void)printf("%s %s", k == 0 ? "" : ",", json_string_value(reason));
		(void)putchar('\n');
	}
}

static void
status_print(const json_t *a)
{
	const json_t *list = json_object_get(a, "log_list"), *up = json_object_get(a, "upstreams");
	const json_t *captive = json_object_get(a, "captive");
	long long s = control_integer(a, "uptime_s");

	(void)printf("%-14s %s, pid %lld, since %s (%lld d %02lld:%02lld:%02lld)\n", "ctstubd",
		     control_text(a, "version"), control_integer(a, "pid"), control_text(a, "started"),
		     s / 86400, s / 3600 % 24, s / 60 % 60, s % 60);
	(void)printf("%-14s generation %lld, %lld worker(s), log level %s\n", "configuration",
		     control_integer(a, "generation"), control_integer(a, "workers"),
		     control_text(a, "log_level"));
	status_print_strings("file", json_object_get(a, "files"));
	if (!control_is_null(a, "reload_error"))
		(void)printf("%-14s %s\n", "reload failed", control_text(a, "reload_error"));
	(void)printf("%-14s %lld: %lld good, %lld failing, %lld refused, %lld not used yet\n", "upstreams",
		     control_integer(up, "total"), control_integer(up, "good"),
		     control_integer(up, "failing"), control_integer(up, "refused"),
		     control_integer(up, "unknown"));
	(void)printf("%-14s %s, of %s, %lld days old%s\n", "log list", control_text(list, "from"),
		     control_text(list, "date"), control_integer(list, "age_days"),
		     json_is_true(json_object_get(list, "stale")) ? ", stale" : "");
	if (json_is_true(json_object_get(captive, "active")))
		(void)printf("%-14s for %lld more seconds\n", "captive mode",
			     control_integer(captive, "left_s"));
	status_print_reported(json_object_get(a, "would_be_refused"));
	watch_status_print(json_object_get(a, "watch"));
	status_print_strings("warning", json_object_get(a, "warnings"));
}

/* 1: the list of CT logs ages, and nobody has renewed it for a month or longer. */
static enum exit_code
status_judge(const json_t *a)
{
	const char *step = json_string_value(json_object_get(json_object_get(a, "log_list"), "step"));

	return step != NULL && strcmp(step, "fresh") != 0 ? EXIT_REFUSED : EXIT_GOOD;
}

enum exit_code
cmd_status(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, 0, 0, &code))
		return code;
	args.add = watch_status_add;
	args.judge = status_judge;
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "status"), status_print);
}
