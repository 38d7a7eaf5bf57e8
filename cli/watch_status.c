#include "cli/watch_status.h"

#include "base/clock.h"
#include "base/text.h"
#include "config/file.h"
#include "config/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_NAME    "status.json"
#define FILE_MAX     (8 * 1024 * 1024)
#define FOLDER_MAX   4096
#define METRICS_NAME "metrics.prom"
#define METRICS_MAX  (1024 * 1024) /* a hundred logs take 100 KiB */
#define LATEST_MAX   3             /* findings that are shown; `--json` has ten */

char *
watch_folder(const struct control_args *args)
{
	const char *file = args->config != NULL ? args->config : settings_default_file();
	struct buf folder = buf_max(FOLDER_MAX);
	struct config_errors errors = {0};
	struct settings *s = NULL;
	char *out = NULL;

	if (!args->other_daemon && (settings_read_on(&s, file, &errors), s != NULL) &&
	    *s->state_dir != '\0') {
		buf_format(&folder, "%s/" WATCH_FOLDER, s->state_dir);
		out = buf_take_cstr(&folder);
	}
	buf_free(&folder);
	config_errors_free(&errors);
	settings_free(s);
	return out;
}

static bool
is_watch_metric(struct span line)
{
	static const char *const fronts[] = {"ctstub_watch_", "# HELP ctstub_watch_", "# TYPE ctstub_watch_"};

	for (size_t i = 0; i < sizeof fronts / sizeof *fronts; i++)
		if (line.n > strlen(fronts[i]) && memcmp(line.p, fronts[i], strlen(fronts[i])) == 0)
			return text_is_plain(line);
	return false;
}

void
watch_metrics_put(struct buf *out, const char *folder)
{
	struct buf text = buf_max(0);
	struct span rest, line;
	char *why = NULL;

	if (config_state_read(&text, folder, METRICS_NAME, METRICS_MAX, &why) == RES_OK) {
		rest = buf_span(&text);
		while (text_line_take(&rest, &line))
			if (is_watch_metric(line)) {
				buf_put(out, line);
				buf_u8(out, '\n');
			}
	}
	free(why);
	buf_free(&text);
}

/* The object in the file; NULL: there is none that can be read. */
static json_t *
watch_status_read(const char *folder)
{
	struct buf text = buf_max(0);
	json_t *watch = NULL;
	char *why = NULL;

	if (config_state_read(&text, folder, FILE_NAME, FILE_MAX, &why) == RES_OK)
		watch = json_loadb((const char *)text.p, text.n, 0, NULL);
	buf_free(&text);
	free(why);
	if (json_is_object(watch))
		return watch;
	json_decref(watch);
	return NULL;
}

static void
watch_status_date(json_t *watch)
{
	const char *at = json_string_value(json_object_get(watch, "at"));
	int64_t ms;

	if (at != NULL && time_read(&ms, at) == RES_OK)
		(void)json_object_set_new(watch, "age_s", json_integer((clock_wall_ms() - ms) / 1000));
}

void
watch_status_add(const struct control_args *args, json_t *answer)
{
	char *folder = watch_folder(args);
	json_t *watch = folder != NULL ? watch_status_read(folder) : NULL;

	if (watch != NULL)
		watch_status_date(watch);
	(void)json_object_set_new(answer, "watch", watch != NULL ? watch : json_null());
	free(folder);
}

/* The log that is furthest behind; NULL: none is. */
static const json_t *
watch_status_last(const json_t *logs)
{
	const json_t *last = NULL;
	json_t *log;
	size_t i;

	json_array_foreach (logs, i, log)
		if (control_integer(log, "lag_entries") >
		    (last != NULL ? control_integer(last, "lag_entries") : 0))
			last = log;
	return last;
}

static size_t
watch_status_troubled(const json_t *logs)
{
	size_t i, n = 0;
	json_t *log;

	json_array_foreach (logs, i, log)
		n += !control_is_null(log, "trouble");
	return n;
}

/* "rogue          1.1.1.1, issuer CN=..., serial 4af6, log Alpha 2026 index 7, logged 2026-11-28T08:00:00Z" */
static void
watch_status_print_finding(const json_t *f)
{
	const json_t *log = json_object_get(f, "log"),
		     *first = json_array_get(json_object_get(f, "matched"), 0);

	if (first != NULL)
		(void)printf("%-14s %s, issuer %s, serial %s, log %s index %lld\n", control_text(f, "kind"),
			     control_text(first, "item"), control_text(f, "issuer"),
			     control_text(f, "serial"), control_text(log, "name"),
			     control_integer(f, "index"));
	else
		(void)printf("%-14s log %s: %s\n", control_text(f, "kind"), control_text(log, "name"),
			     control_text(f, "because"));
}

/* Only where there is something to do about it. */
static void
watch_status_print_count(const json_t *w, const char *member, const char *label, const char *what)
{
	if (control_integer(w, member) > 0)
		(void)printf("%-14s %lld %s\n", label, control_integer(w, member), what);
}

void
watch_status_print(const json_t *w)
{
	const json_t *logs = json_object_get(w, "logs"), *found = json_object_get(w, "findings");
	const json_t *last = watch_status_last(logs), *latest = json_object_get(w, "latest");
	long long age = control_integer(w, "age_s");

	if (!json_is_object(w))
		return;
	(void)printf("%-14s %s, %zu of them with trouble, %s", "watch", COUNTED(json_array_size(logs), "log"),
		     watch_status_troubled(logs), COUNTED(control_integer(w, "items"), "item"));
	if (last != NULL)
		(void)printf(", %s is %s behind", control_text(last, "log"),
			     COUNTED(control_integer(last, "lag_entries"), "entry"));
	(void)printf("%s\n", age > WATCH_STATUS_OLD_S ? "; NOT RUNNING" : "");
	if (age > WATCH_STATUS_OLD_S)
		(void)printf("%-14s %s\n", "watched until", control_text(w, "at"));
	(void)printf("%-14s %lld rogue, %lld unreadable, %lld of logs, %lld expected\n", "findings",
		     control_integer(found, "rogue"), control_integer(found, "unreadable"),
		     control_integer(found, "log-misbehaved"), control_integer(found, "expected"));
	watch_status_print_count(w, "not_blocked", "not blocked",
				 "rogue, without proof that a CA issued them; see proposed.txt");
	watch_status_print_count(w, "unrecorded", "not recorded", "findings, because the record is full");
	for (size_t i = 0; i < LATEST_MAX && i < json_array_size(latest); i++)
		watch_status_print_finding(json_array_get(latest, i));
}
