/*
 * A log list as v3 JSON: sorted by operator, kind, name and id, so that the same list gives the same bytes.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

static int
log_order(const void *a, const void *b)
{
	const struct ctlog *x = *(const struct ctlog *const *)a, *y = *(const struct ctlog *const *)b;
	int c = strcmp(x->operator_name, y->operator_name);

	if (c == 0)
		c = x->tiled - y->tiled;
	if (c == 0)
		c = strcmp(x->description, y->description);
	return c != 0 ? c : memcmp(x->id, y->id, 32);
}

static json_t *
json_time(int64_t ms)
{
	char text[TIME_TEXT_MAX];

	return json_string(ms % 1000 == 0 ? time_text(ms, text) : time_text_ms(ms, text));
}

static json_t *
json_base64(struct span bytes)
{
	struct buf b = buf_max(2 * CTLOG_KEY_MAX);
	json_t *value = NULL;

	base64_write(&b, bytes);
	if (buf_cstr(&b) != NULL)
		value = json_string(buf_cstr(&b));
	buf_free(&b);
	return value;
}

/* Adds what has no failure of its own to show: json_object_set_new takes the value, also when it fails. */
static bool
previous_write(json_t *entry, const struct ctlog *log)
{
	json_t *terms = json_array();
	bool ok = terms != NULL;

	for (size_t i = 0; i < log->n_previous; i++) {
		json_t *term = json_object();

		ok &= json_object_set_new(term, "name", json_string(log->previous[i].name)) == 0;
		ok &= json_object_set_new(term, "end_time", json_time(log->previous[i].end_ms)) == 0;
		ok &= json_array_append_new(terms, term) == 0;
	}
	return (json_object_set_new(entry, "previous_operators", terms) == 0) & ok;
}

static json_t *
json_log_write(const struct ctlog *log)
{
	json_t *entry = json_object(), *inner;
	bool ok = entry != NULL;

	ok &= json_object_set_new(entry, "description", json_string(log->description)) == 0;
	ok &= json_object_set_new(entry, "log_id", json_base64(span_of(log->id, 32))) == 0;
	ok &= json_object_set_new(entry, "key", json_base64(log->key)) == 0;
	ok &= json_object_set_new(entry, "mmd", json_integer(log->mmd_s)) == 0;
	if (log->state_ms != 0) {
		json_t *since = json_object();

		inner = json_object();
		ok &= json_object_set_new(since, "timestamp", json_time(log->state_ms)) == 0;
		ok &= json_object_set_new(inner, ctlog_state_text(log->state), since) == 0;
		ok &= json_object_set_new(entry, "state", inner) == 0;
	}
	if (log->interval_end_ms != 0) {
		inner = json_object();
		ok &= json_object_set_new(inner, "start_inclusive", json_time(log->interval_start_ms)) == 0;
		ok &= json_object_set_new(inner, "end_exclusive", json_time(log->interval_end_ms)) == 0;
		ok &= json_object_set_new(entry, "temporal_interval", inner) == 0;
	}
	if (log->url != NULL)
		ok &= json_object_set_new(entry, log->tiled ? "monitoring_url" : "url",
					  json_string(log->url)) == 0;
	if (log->submission_url != NULL)
		ok &= json_object_set_new(entry, "submission_url", json_string(log->submission_url)) == 0;
	if (log->never_counts)
		ok &= json_object_set_new(entry, "log_type", json_string("test")) == 0;
	if (log->n_previous > 0)
		ok &= previous_write(entry, log);
	if (ok)
		return entry;
	json_decref(entry);
	return NULL;
}

/* The object of the operator of `log`, the last one made when it is the same. */
static json_t *
operator_for(json_t *operators, const struct ctlog *log)
{
	size_t n = json_array_size(operators);
	json_t *last = n == 0 ? NULL : json_array_get(operators, n - 1);
	bool ok = true;

	if (last != NULL && strcmp(json_string_value(json_object_get(last, "name")), log->operator_name) == 0)
		return last;
	last = json_object();
	ok &= json_object_set_new(last, "name", json_string(log->operator_name)) == 0;
	ok &= json_object_set_new(last, "email", json_array()) == 0;
	ok &= json_object_set_new(last, "logs", json_array()) == 0;
	ok &= json_object_set_new(last, "tiled_logs", json_array()) == 0;
	if (!ok) {
		json_decref(last);
		return NULL;
	}
	return json_array_append_new(operators, last) == 0 ? last : NULL;
}

static bool
operators_write(json_t *operators, const struct ctlogs *list)
{
	const struct ctlog **sorted = calloc(list->n, sizeof(*sorted));
	bool ok = operators != NULL && sorted != NULL;

	for (size_t i = 0; ok && i < list->n; i++)
		sorted[i] = &list->log[i];
	if (ok)
		qsort(sorted, list->n, sizeof *sorted, log_order);
	for (size_t i = 0; ok && i < list->n; i++) {
		json_t *entry = operator_for(operators, sorted[i]);
		json_t *logs = json_object_get(entry, sorted[i]->tiled ? "tiled_logs" : "logs");

		ok = json_array_append_new(logs, json_log_write(sorted[i])) == 0;
	}
	free(sorted);
	return ok;
}

char *
ctlogs_json(const struct ctlogs *list)
{
	json_t *root = json_object(), *operators = json_array();
	bool ok = operators_write(operators, list);
	char *text = NULL;

	if (list->source[0] != '\0')
		ok &= json_object_set_new(root, "version", json_string(list->source)) == 0;
	if (list->date_ms != 0)
		ok &= json_object_set_new(root, "log_list_timestamp", json_time(list->date_ms)) == 0;
	ok &= json_object_set_new(root, "operators", operators) == 0;
	if (ok)
		text = json_dumps(root, JSON_INDENT(1));
	json_decref(root);
	return text;
}
