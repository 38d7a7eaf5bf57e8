#include "cli/ct_print.h"

#include "base/clock.h"
#include "base/text.h"
#include "verify/json_shown.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "ct-logs";

static json_t *
ct_time_json(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return ms == 0 ? json_null() : json_string(time_text(ms, text));
}

static json_t *
ct_log_json(const struct ctlog *log)
{
	struct buf id = buf_max(64);
	json_t *out;

	base64_write(&id, span_of(log->id, sizeof log->id));
	out = json_pack("{s:s,s:o,s:o,s:s,s:o,s:o,s:o,s:b,s:b}", "log_id", buf_cstr(&id), "description",
			json_shown(log->description), "operator", json_shown(log->operator_name), "state",
			ctlog_state_text(log->state), "since", ct_time_json(log->state_ms), "interval_start",
			ct_time_json(log->interval_start_ms), "interval_end",
			ct_time_json(log->interval_end_ms), "tiled", log->tiled, "counts",
			!log->never_counts && !ctlog_is_denied(log->id));
	buf_free(&id);
	return out;
}

static int64_t
ct_age_days(const struct ctlogs *list)
{
	return (clock_wall_ms() - ctlogs_date_ms(list)) / 86400000;
}

static enum exit_code
ct_list_print_json(const struct ctlogs *list, const char *from)
{
	json_t *logs = json_array(), *out;
	char date[TIME_TEXT_MAX];
	enum exit_code code;

	for (size_t i = 0; i < ctlogs_count(list); i++)
		(void)json_array_append_new(logs, ct_log_json(ctlogs_at(list, i)));
	out = json_pack("{s:o,s:o,s:s,s:I,s:I,s:o}", "from", json_shown(from), "source",
			json_shown(ctlogs_source(list)), "date", time_text(ctlogs_date_ms(list), date),
			"age_days", (json_int_t)ct_age_days(list), "count", (json_int_t)ctlogs_count(list),
			"logs", logs);
	code = cli_print_json(verb, out != NULL ? json_dumps(out, JSON_COMPACT) : NULL);
	json_decref(out);
	return code;
}

/* Text that a list brought, fit for a terminal. */
static const char *
ct_safe(struct buf *b, const char *s)
{
	buf_clear(b);
	text_show(b, span_str(s));
	return buf_cstr(b) != NULL ? buf_cstr(b) : "?";
}

static void
ct_log_print(const struct ctlog *log, struct buf *scratch)
{
	char start[TIME_TEXT_MAX], end[TIME_TEXT_MAX];

	(void)printf("%-9s %s", ctlog_state_text(log->state), ct_safe(scratch, log->description));
	(void)printf(" (%s)", ct_safe(scratch, log->operator_name));
	if (log->interval_end_ms != 0)
		(void)printf(" %.10s to %.10s", time_text(log->interval_start_ms, start),
			     time_text(log->interval_end_ms, end));
	(void)printf("%s%s%s\n", log->tiled ? ", static-ct" : "",
		     log->never_counts ? ", never counts: a test log" : "",
		     ctlog_is_denied(log->id) ? ", never counts: its key is public" : "");
}

/* By operator, then by name: a list by log id is in no order that people see. */
static int
ct_log_order(const void *a, const void *b)
{
	const struct ctlog *l = *(const struct ctlog *const *)a, *r = *(const struct ctlog *const *)b;
	int c = strcmp(l->operator_name, r->operator_name);

	return c != 0 ? c : strcmp(l->description, r->description);
}

enum exit_code
ct_list_print(const struct ctlogs *list, const char *from, bool json)
{
	struct buf scratch = buf_max(16384);
	size_t n = ctlogs_count(list);
	const struct ctlog **log;
	char date[TIME_TEXT_MAX];

	if (json)
		return ct_list_print_json(list, from);
	log = calloc(n + 1, sizeof *log);
	if (log == NULL)
		return cli_complain(EXIT_TROUBLE, verb, "%s", res_text(RES_NOMEM));
	for (size_t i = 0; i < n; i++)
		log[i] = ctlogs_at(list, i);
	qsort(log, n, sizeof *log, ct_log_order);
	for (size_t i = 0; i < n; i++)
		ct_log_print(log[i], &scratch);
	free(log);
	(void)printf("%s, from %s, of %s, %s old\n", COUNTED(ctlogs_count(list), "log"), from,
		     time_text(ctlogs_date_ms(list), date), COUNTED(ct_age_days(list), "day"));
	buf_free(&scratch);
	return EXIT_GOOD;
}
