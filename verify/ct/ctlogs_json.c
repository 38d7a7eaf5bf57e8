/*
 * The v3 JSON shape of a log list, both ways.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/json.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define VALUES_MAX 400000 /* members in the file: a full list of CTLOGS_MAX logs has a tenth of it */

/* Where the reader is, for error messages. */
struct place {
	struct ctlogs *list;
	size_t operator_at;
	struct span operator_name;
	const char *array; /* "logs" or "tiled_logs"; NULL: at the operator itself */
	size_t log_at;
	struct span log_name;
	char **why;
};

/* Puts the place before the sentence. */
static enum res
place_say(const struct place *at, enum res res)
{
	char operator_name[WHY_QUOTE_MAX], log[WHY_QUOTE_MAX];

	(void)why_quote(operator_name, at->operator_name);
	(void)why_quote(log, at->log_name);
	if (at->array == NULL)
		return why_prefix(at->why, res, "operators[%zu] \"%s\"", at->operator_at, operator_name);
	return why_prefix(at->why, res, "operators[%zu] \"%s\", %s[%zu] \"%s\"", at->operator_at,
			  operator_name, at->array, at->log_at, log);
}

/* A member that must be a string; absent: the empty span and *there false. */
static enum res
json_string_read(struct span *out, bool *there, const json_t *object, const char *key, char **why)
{
	const json_t *value = json_object_get(object, key);

	*there = value != NULL;
	*out = (struct span){NULL, 0};
	if (value != NULL && !json_text(out, value))
		return why_say(why, RES_MALFORMED, "%s is not a string", key);
	return RES_OK;
}

static enum res
time_member_read(int64_t *out, bool *there, const json_t *object, const char *key, char **why)
{
	struct span text;
	char quote[WHY_QUOTE_MAX];
	enum res res = json_string_read(&text, there, object, key, why);

	if (res != RES_OK || !*there)
		return res;
	if (time_read(out, (const char *)text.p) != RES_OK || *out <= 0)
		return why_say(why, RES_MALFORMED, "%s \"%s\" is not a time after 1970", key,
			       why_quote(quote, text));
	return RES_OK;
}

static enum res
json_name_read(struct span *out, bool *there, const json_t *object, const char *key, char **why)
{
	char quote[WHY_QUOTE_MAX];
	enum res res = json_string_read(out, there, object, key, why);

	if (res == RES_OK && *there && !ctlogs_name_ok(*out))
		return why_say(why, RES_MALFORMED, "%s \"%s\" is not a name", key, why_quote(quote, *out));
	return res;
}

static const struct {
	const char *name;
	enum ctlog_state state;
} states[] = {
    {"pending", CTLOG_PENDING},   {"qualified", CTLOG_QUALIFIED}, {"usable", CTLOG_USABLE},
    {"readonly", CTLOG_READONLY}, {"retired", CTLOG_RETIRED},     {"rejected", CTLOG_REJECTED},
};

/* One member of `state`. Two are accepted only if a log is current in both: some lists keep `qualified` beside `usable`.
 * The later one counts. */
static enum res
state_step_read(struct ctlog *log, bool first, const char *key, const json_t *value, char **why)
{
	char quote[WHY_QUOTE_MAX];
	int64_t since;
	bool there;
	enum res res;

	for (size_t i = 0; i < sizeof states / sizeof states[0]; i++) {
		if (strcmp(key, states[i].name) != 0)
			continue;
		if (!json_is_object(value))
			return why_say(why, RES_MALFORMED, "state %s is not an object", key);
		res = time_member_read(&since, &there, value, "timestamp", why);
		if (res != RES_OK)
			return res;
		if (!there)
			return why_say(why, RES_MALFORMED, "state %s has no timestamp", key);
		if (!first && (states[i].state > CTLOG_READONLY || states[i].state == CTLOG_PENDING ||
			       log->state > CTLOG_READONLY || log->state == CTLOG_PENDING))
			return why_say(why, RES_MALFORMED, "two states contradict each other");
		if (first || states[i].state > log->state) {
			log->state = states[i].state;
			log->state_ms = since;
		}
		return RES_OK;
	}
	return why_say(why, RES_MALFORMED, "unknown state \"%s\"", why_quote(quote, span_str(key)));
}

static enum res
state_read(struct ctlog *log, const json_t *entry, char **why)
{
	json_t *state = json_object_get(entry, "state"), *value;
	bool first = true;
	const char *key;
	enum res res;

	log->state = CTLOG_PENDING;
	if (state == NULL)
		return RES_OK;
	if (!json_is_object(state))
		return why_say(why, RES_MALFORMED, "state is not an object");
	json_object_foreach (state, key, value) {
		res = state_step_read(log, first, key, value, why);
		if (res != RES_OK)
			return res;
		first = false;
	}
	return first ? why_say(why, RES_MALFORMED, "state is empty") : RES_OK;
}

static enum res
json_interval_read(struct ctlog *log, const json_t *entry, char **why)
{
	const json_t *interval = json_object_get(entry, "temporal_interval");
	bool start, end;
	enum res res;

	if (interval == NULL)
		return RES_OK;
	if (!json_is_object(interval))
		return why_say(why, RES_MALFORMED, "temporal_interval is not an object");
	res = time_member_read(&log->interval_start_ms, &start, interval, "start_inclusive", why);
	if (res == RES_OK)
		res = time_member_read(&log->interval_end_ms, &end, interval, "end_exclusive", why);
	if (res != RES_OK)
		return res;
	if (!start || !end || log->interval_start_ms >= log->interval_end_ms)
		return why_say(why, RES_MALFORMED,
			       "temporal_interval needs a start_inclusive and a later end_exclusive");
	return RES_OK;
}

static enum res
previous_read(struct ctlog *log, struct ctlogs *list, const json_t *entry, char **why)
{
	const json_t *previous = json_object_get(entry, "previous_operators"), *term;
	struct span name;
	bool has_name, has_end;
	int64_t end;
	size_t i, at;
	enum res res;

	if (previous == NULL)
		return RES_OK;
	if (!json_is_array(previous))
		return why_say(why, RES_MALFORMED, "previous_operators is not an array");
	if (json_array_size(previous) > CTLOG_PREVIOUS_MAX)
		return why_say(why, RES_LIMIT, "more than %d previous_operators", CTLOG_PREVIOUS_MAX);
	json_array_foreach (previous, i, term) {
		res = json_name_read(&name, &has_name, term, "name", why);
		if (res == RES_OK)
			res = time_member_read(&end, &has_end, term, "end_time", why);
		if (res != RES_OK)
			return res;
		if (!has_name || !has_end)
			return why_say(why, RES_MALFORMED,
				       "previous_operators[%zu] needs a name and an end_time", i);
		for (at = log->n_previous; at > 0 && log->previous[at - 1].end_ms > end; at--)
			log->previous[at] = log->previous[at - 1];
		if (at > 0 && log->previous[at - 1].end_ms == end)
			return why_say(why, RES_MALFORMED, "two previous_operators end at the same time");
		log->previous[at] = (struct ctlog_operator_term){ctlogs_keep_operator(list, name), end};
		if (log->previous[at].name == NULL)
			return why_say(why, RES_NOMEM, "no memory");
		log->n_previous++;
	}
	return RES_OK;
}

/* mmd and log_type. */
static enum res
small_members_read(struct ctlog *log, const json_t *entry, char **why)
{
	const json_t *mmd = json_object_get(entry, "mmd");
	struct span type;
	bool there;
	enum res res = json_string_read(&type, &there, entry, "log_type", why);

	if (res != RES_OK)
		return res;
	log->never_counts = there && !span_equal(type, span_str("prod"));
	if (mmd == NULL)
		return RES_OK;
	if (!json_is_integer(mmd) || json_integer_value(mmd) < 0 || json_integer_value(mmd) > INT32_MAX)
		return why_say(why, RES_MALFORMED, "mmd is not a number of seconds");
	log->mmd_s = (uint32_t)json_integer_value(mmd);
	return RES_OK;
}

static enum res
url_member_read(const char **out, struct ctlogs *list, const json_t *entry, const char *key, char **why)
{
	struct span url;
	bool there;
	enum res res = json_string_read(&url, &there, entry, key, why);

	if (res == RES_OK && there && ctlogs_keep_url(out, list, url) != RES_OK)
		return why_say(why, RES_NOMEM, "no memory");
	return res;
}

static enum res
urls_read(struct ctlog *log, struct ctlogs *list, const json_t *entry, char **why)
{
	enum res res = url_member_read(&log->url, list, entry, log->tiled ? "monitoring_url" : "url", why);

	if (res == RES_OK && log->tiled)
		res = url_member_read(&log->submission_url, list, entry, "submission_url", why);
	return res;
}

static enum res
base64_member_read(struct buf *out, const json_t *entry, const char *key, char **why)
{
	struct span text;
	bool there;
	enum res res = json_string_read(&text, &there, entry, key, why);

	if (res != RES_OK)
		return res;
	if (!there)
		return why_say(why, RES_MALFORMED, "no %s", key);
	res = base64_read(out, text);
	if (res == RES_NOMEM)
		return why_say(why, res, "no memory");
	if (res != RES_OK)
		return why_say(why, RES_MALFORMED, "%s is not base64 of at most %zu bytes", key, out->max);
	return RES_OK;
}

/* Reads key and id, and adds the log. RFC 6962, 3.2: the id is the hash of the key. */
static enum res
log_take_in(struct place *at, struct ctlog *log, const json_t *entry)
{
	struct buf key = buf_max(CTLOG_KEY_MAX), id = buf_max(32);
	enum res res = base64_member_read(&key, entry, "key", at->why);

	if (res == RES_OK)
		res = base64_member_read(&id, entry, "log_id", at->why);
	if (res == RES_OK) {
		log->key = buf_span(&key);
		res = ctlogs_add(at->list, log, at->why);
	}
	if (res == RES_OK && !span_equal(buf_span(&id), span_of(at->list->log[at->list->n - 1].id, 32))) {
		ctlogs_drop_last(at->list);
		res = why_say(at->why, RES_MALFORMED, "log_id is not the SHA-256 of key");
	}
	buf_free(&key);
	buf_free(&id);
	return res;
}

static enum res
json_log_read(struct place *at, const json_t *entry)
{
	struct ctlog log = {.tiled = strcmp(at->array, "tiled_logs") == 0};
	bool there;
	enum res res;

	at->log_name = (struct span){NULL, 0};
	if (!json_is_object(entry))
		return why_say(at->why, RES_MALFORMED, "not an object");
	res = json_name_read(&at->log_name, &there, entry, "description", at->why);
	if (res == RES_OK)
		res = state_read(&log, entry, at->why);
	if (res == RES_OK)
		res = json_interval_read(&log, entry, at->why);
	if (res == RES_OK)
		res = small_members_read(&log, entry, at->why);
	if (res == RES_OK)
		res = previous_read(&log, at->list, entry, at->why);
	if (res == RES_OK)
		res = urls_read(&log, at->list, entry, at->why);
	if (res != RES_OK)
		return res;
	log.description = there ? ctlogs_keep(at->list, at->log_name) : NULL;
	log.operator_name = ctlogs_keep_operator(at->list, at->operator_name);
	if ((there && log.description == NULL) || log.operator_name == NULL)
		return why_say(at->why, RES_NOMEM, "no memory");
	return log_take_in(at, &log, entry);
}

static enum res
logs_read(struct place *at, const json_t *operator_entry, const char *array)
{
	const json_t *logs = json_object_get(operator_entry, array), *entry;
	enum res res;
	size_t i;

	if (logs == NULL)
		return RES_OK;
	if (!json_is_array(logs))
		return place_say(at, why_say(at->why, RES_MALFORMED, "%s is not an array", array));
	at->array = array;
	json_array_foreach (logs, i, entry) {
		at->log_at = i;
		res = json_log_read(at, entry);
		if (res != RES_OK)
			res = ctlogs_leave_out(at->list, 0, place_say(at, res), at->why);
		if (res != RES_OK)
			return res;
	}
	at->array = NULL;
	return RES_OK;
}

static enum res
operator_read(struct place *at, const json_t *entry)
{
	bool there;
	enum res res;

	at->operator_name = (struct span){NULL, 0};
	at->array = NULL;
	if (!json_is_object(entry))
		return place_say(at, why_say(at->why, RES_MALFORMED, "not an object"));
	res = json_name_read(&at->operator_name, &there, entry, "name", at->why);
	if (res == RES_OK && !there)
		res = why_say(at->why, RES_MALFORMED, "no name");
	if (res != RES_OK)
		return place_say(at, res);
	res = logs_read(at, entry, "logs");
	return res == RES_OK ? logs_read(at, entry, "tiled_logs") : res;
}

static enum res
operators_read(struct ctlogs *list, const json_t *root, char **why)
{
	const json_t *operators = json_object_get(root, "operators"), *entry;
	char *sentence = NULL;
	struct place at = {.list = list, .why = &sentence};
	enum res res = RES_OK;
	size_t i;

	if (!json_is_array(operators))
		return why_say(why, RES_MALFORMED, "no array of operators");
	if (json_array_size(operators) > CTLOGS_OPERATORS_MAX)
		return why_say(why, RES_LIMIT, "more than %d operators", CTLOGS_OPERATORS_MAX);
	json_array_foreach (operators, i, entry) {
		at.operator_at = i;
		res = operator_read(&at, entry);
		if (res != RES_OK)
			res = ctlogs_leave_out(list, 0, res, &sentence);
		if (res != RES_OK)
			break;
	}
	if (res != RES_OK)
		(void)why_say(why, res, "%s", sentence != NULL ? sentence : res_text(res));
	free(sentence);
	return res;
}

/* A list that gives no date (Apple's) has the date 0: it can be read and applied, and is always old. */
static enum res
head_read(struct ctlogs *list, const json_t *root, char **why)
{
	struct span version;
	bool there;
	enum res res;

	if (!json_is_object(root))
		return why_say(why, RES_MALFORMED, "not a JSON object");
	res = time_member_read(&list->date_ms, &there, root, "log_list_timestamp", why);
	if (res == RES_OK)
		res = json_name_read(&version, &there, root, "version", why);
	if (res != RES_OK || !there)
		return res;
	list->source = ctlogs_keep(list, version);
	return list->source == NULL ? why_say(why, RES_NOMEM, "no memory") : RES_OK;
}

enum res
ctlogs_from_json(struct ctlogs **out, struct span json, char **why)
{
	static const struct json_bounds bounds = {CTLOGS_FILE_MAX, CTLOGS_NESTING_MAX, VALUES_MAX};
	struct ctlogs *list = NULL;
	json_t *root;
	enum res res = json_read(&root, json, &bounds, why);

	if (res != RES_OK)
		return res;
	res = ctlogs_new(&list);
	if (res != RES_OK)
		res = why_say(why, res, "no memory");
	if (res == RES_OK)
		res = head_read(list, root, why);
	if (res == RES_OK)
		res = operators_read(list, root, why);
	if (res == RES_OK)
		res = ctlogs_finish(list, why);
	json_decref(root);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}

enum res
ctlogs_from_any(struct ctlogs **out, struct span file, char **why)
{
	const char *foreign = text_foreign(file);

	if (foreign != NULL)
		return why_say(why, RES_MALFORMED, "%s", foreign);
	file = text_without_bom(file);
	for (size_t i = 0; i < file.n; i++) {
		uint8_t c = file.p[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
			continue;
		return c == '{' || c == '[' ? ctlogs_from_json(out, file, why)
					    : ctlogs_from_mozilla_header(out, file, why);
	}
	return why_say(why, RES_MALFORMED, "the file is empty");
}
