/* ctstub status: is the daemon well? */
#include "cli/control.h"

#include <stdio.h>

static void
put_strings(const char *label, const json_t *list)
{
	size_t i;
	json_t *item;

	json_array_foreach (list, i, item) {
		json_t *wrapped = json_pack("{s:O}", "s", item);

		(void)printf("%-14s %s\n", label, text_of(wrapped, "s"));
		json_decref(wrapped);
	}
}

/* "would refuse   corp 10.0.0.53: pin-mismatch, revoked" */
static void
put_reported(const json_t *list)
{
	size_t i, k;
	json_t *u, *reason;

	json_array_foreach (list, i, u) {
		(void)printf("%-14s %s %s:", "would refuse", text_of(u, "upstream"), text_of(u, "address"));
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
	long long s = number_of(a, "uptime_s");

	(void)printf("%-14s %s, pid %lld, since %s (%lld d %02lld:%02lld:%02lld)\n", "ctstubd",
		     text_of(a, "version"), number_of(a, "pid"), text_of(a, "started"), s / 86400,
		     s / 3600 % 24, s / 60 % 60, s % 60);
	(void)printf("%-14s generation %lld, %lld worker(s), log level %s\n", "configuration",
		     number_of(a, "generation"), number_of(a, "workers"), text_of(a, "log_level"));
	put_strings("file", json_object_get(a, "files"));
	if (!is_null(a, "reload_error"))
		(void)printf("%-14s %s\n", "reload failed", text_of(a, "reload_error"));
	(void)printf("%-14s %lld: %lld good, %lld failing, %lld refused, %lld not asked yet\n", "upstreams",
		     number_of(up, "total"), number_of(up, "good"), number_of(up, "failing"),
		     number_of(up, "refused"), number_of(up, "unknown"));
	(void)printf("%-14s %s, of %s, %lld days old%s\n", "log list", text_of(list, "from"),
		     text_of(list, "date"), number_of(list, "age_days"),
		     json_is_true(json_object_get(list, "stale")) ? ", stale" : "");
	if (json_is_true(json_object_get(captive, "active")))
		(void)printf("%-14s for %lld more seconds\n", "captive mode", number_of(captive, "left_s"));
	put_reported(json_object_get(a, "would_be_refused"));
	put_strings("warning", json_object_get(a, "warnings"));
}

enum exit_code
cmd_status(int argc, char **argv)
{
	struct control_args args;
	enum exit_code code;

	if (!control_args_read(&args, argc, argv, NULL, 0, 0, &code))
		return code;
	return control_report(&args, argv[0], json_pack("{s:s}", "verb", "status"), status_print);
}
