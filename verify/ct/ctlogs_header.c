/*
 * Mozilla's source header of known logs.
 *
 * Read as tokens of C++ (tokens.h): the expiry, the array of logs and the array of operators are understood as a whole, or
 * the file is refused; what stands between them (types, namespaces) is passed over. The header gives an expiry, which is 70
 * days after the list's date, no intervals, and two states; an admissible log is written as `usable`.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/ct/tokens.h"
#include "verify/why.h"

#include <stdlib.h>
#include <string.h>

#define EXPIRY_AFTER_MS ((int64_t)70 * 86400 * 1000)

struct header_reader {
	struct tokens in;
	struct ctlogs *list;
	struct buf operators; /* names, each with a NUL */
	size_t n_operators;
	size_t operator_index[CTLOGS_MAX]; /* of each log, by the order of reading */
	bool saw_expiry, saw_logs, saw_operators;
};

static enum res
comma(struct tokens *in)
{
	return tokens_expect(in, ",");
}

/* kCTExpirationTime = INT64_C(microseconds); */
static enum res
header_expiry_read(struct header_reader *r)
{
	int64_t us;
	enum res res;

	if (r->saw_expiry)
		return tokens_refuse(&r->in, "a second expiry");
	r->saw_expiry = true;
	res = tokens_expect(&r->in, "= INT64_C (");
	if (res == RES_OK)
		res = tokens_number(&r->in, &us, INT64_MAX);
	if (res == RES_OK)
		res = tokens_expect(&r->in, ") ;");
	if (res != RES_OK)
		return res;
	r->list->date_ms = us / 1000 - EXPIRY_AFTER_MS;
	return r->list->date_ms > 0 ? RES_OK : tokens_refuse(&r->in, "an expiry in 1970");
}

/* CTLogState::X, CTLogFormat::Y, */
static enum res
header_enums_read(struct header_reader *r, struct ctlog *log)
{
	enum res res = tokens_expect(&r->in, "CTLogState : :");

	if (res != RES_OK)
		return res;
	if (!tokens_is(&r->in, "Admissible") && !tokens_is(&r->in, "Retired"))
		return tokens_refuse(&r->in, "an unknown state");
	log->state = tokens_is(&r->in, "Retired") ? CTLOG_RETIRED : CTLOG_USABLE;
	res = tokens_next(&r->in);
	if (res == RES_OK)
		res = tokens_expect(&r->in, ", CTLogFormat : :");
	if (res != RES_OK)
		return res;
	if (!tokens_is(&r->in, "RFC6962") && !tokens_is(&r->in, "Tiled"))
		return tokens_refuse(&r->in, "an unknown format");
	log->tiled = tokens_is(&r->in, "Tiled");
	res = tokens_next(&r->in);
	return res == RES_OK ? comma(&r->in) : res;
}

/* "key", length */
static enum res
header_key_read(struct header_reader *r, struct buf *key)
{
	int64_t n;
	enum res res;

	if (r->in.kind != TOKEN_STRING)
		return tokens_refuse(&r->in, "expected the key");
	buf_put(key, r->in.token);
	if (buf_res(key) == RES_NOMEM)
		return why_say(r->in.why, RES_NOMEM, "no memory");
	res = tokens_next(&r->in);
	if (res == RES_OK)
		res = comma(&r->in);
	if (res == RES_OK)
		res = tokens_number(&r->in, &n, CTLOG_KEY_MAX);
	if (res == RES_OK && (!buf_ok(key) || (size_t)n != key->n))
		return tokens_refuse(&r->in, "the key has another length than the one given");
	return res;
}

/* { name, state, format, timestamp, operator index, key, length } */
static enum res
header_log_read(struct header_reader *r, struct buf *key)
{
	struct ctlog log = {.operator_name = ""};
	int64_t operator_index = 0;
	char *why = NULL;
	enum res res = tokens_expect(&r->in, "{");

	if (res == RES_OK && (r->in.kind != TOKEN_STRING || !ctlogs_name_ok(r->in.token)))
		return tokens_refuse(&r->in, "expected the name of a log");
	if (res == RES_OK && (log.description = ctlogs_keep(r->list, r->in.token)) == NULL)
		return why_say(r->in.why, RES_NOMEM, "no memory");
	if (res == RES_OK)
		res = tokens_next(&r->in);
	if (res == RES_OK)
		res = comma(&r->in);
	if (res == RES_OK)
		res = header_enums_read(r, &log);
	if (res == RES_OK)
		res = tokens_number(&r->in, &log.state_ms, (int64_t)1 << 48);
	if (res == RES_OK)
		res = comma(&r->in);
	if (res == RES_OK)
		res = tokens_number(&r->in, &operator_index, CTLOGS_OPERATORS_MAX - 1);
	if (res == RES_OK)
		res = comma(&r->in);
	if (res == RES_OK)
		res = header_key_read(r, key);
	if (res == RES_OK && log.state_ms == 0)
		return tokens_refuse(&r->in, "a log without a time");
	if (res != RES_OK)
		return res;
	log.key = buf_span(key);
	res = ctlogs_add(r->list, &log, &why);
	if (res == RES_OK)
		r->operator_index[r->list->n - 1] = (size_t)operator_index;
	else
		res = ctlogs_leave_out(r->list, r->in.line,
				       why_prefix(&why, res, "log \"%s\"", log.description), &why);
	if (res == RES_OK)
		return tokens_expect(&r->in, "}");
	res = why_say(r->in.why, res, "%s", why != NULL ? why : res_text(res));
	free(why);
	return res;
}

static enum res
header_log_entry_read(struct header_reader *r)
{
	struct buf key = buf_max(CTLOG_KEY_MAX);
	enum res res = header_log_read(r, &key);

	buf_free(&key);
	return res;
}

/* { "name", number }: the number is the position */
static enum res
header_operator_entry_read(struct header_reader *r)
{
	int64_t number;
	enum res res = tokens_expect(&r->in, "{");

	if (res == RES_OK && (r->in.kind != TOKEN_STRING || !ctlogs_name_ok(r->in.token)))
		return tokens_refuse(&r->in, "expected the name of an operator");
	if (res == RES_OK && r->n_operators >= CTLOGS_OPERATORS_MAX)
		return tokens_refuse(&r->in, "too many operators");
	buf_put(&r->operators, r->in.token);
	buf_u8(&r->operators, 0);
	if (res == RES_OK)
		res = tokens_next(&r->in);
	if (res == RES_OK)
		res = comma(&r->in);
	if (res == RES_OK)
		res = tokens_number(&r->in, &number, CTLOGS_OPERATORS_MAX);
	if (res == RES_OK && (size_t)number != r->n_operators)
		return tokens_refuse(&r->in, "an operator's number is not its position");
	r->n_operators++;
	return res == RES_OK ? tokens_expect(&r->in, "}") : res;
}

/* [] = { entry, entry, }; */
static enum res
header_array_read(struct header_reader *r, bool *saw, enum res (*entry_read)(struct header_reader *))
{
	enum res res;

	if (*saw)
		return tokens_refuse(&r->in, "a second array of that name");
	*saw = true;
	res = tokens_expect(&r->in, "[ ] = {");
	while (res == RES_OK && !tokens_is(&r->in, "}")) {
		res = entry_read(r);
		if (res == RES_OK && !tokens_is(&r->in, "}"))
			res = comma(&r->in);
	}
	return res == RES_OK ? tokens_expect(&r->in, "} ;") : res;
}

/* The logs name their operators by position, and come first. */
static enum res
header_operators_give(struct header_reader *r)
{
	for (size_t i = 0; i < r->list->n; i++) {
		const char *name = (const char *)r->operators.p;
		struct ctlog *log = &r->list->log[i];

		if (r->operator_index[i] >= r->n_operators)
			return why_say(r->in.why, RES_MALFORMED,
				       "log \"%s\": operator %zu is not in the list", log->description,
				       r->operator_index[i]);
		for (size_t skip = r->operator_index[i]; skip > 0; skip--)
			name += strlen(name) + 1;
		log->operator_name = ctlogs_keep(r->list, span_str(name));
		if (log->operator_name == NULL)
			return why_say(r->in.why, RES_NOMEM, "no memory");
	}
	return RES_OK;
}

static enum res
header_read_all(struct header_reader *r)
{
	enum res res = tokens_next(&r->in);

	while (res == RES_OK && r->in.kind != TOKEN_END) {
		bool expiry = tokens_is(&r->in, "kCTExpirationTime"), logs = tokens_is(&r->in, "kCTLogList"),
		     operators = tokens_is(&r->in, "kCTLogOperatorList");

		res = tokens_next(&r->in);
		if (res != RES_OK)
			break;
		if (expiry)
			res = header_expiry_read(r);
		else if (logs)
			res = header_array_read(r, &r->saw_logs, header_log_entry_read);
		else if (operators)
			res = header_array_read(r, &r->saw_operators, header_operator_entry_read);
	}
	if (res == RES_OK && !(r->saw_expiry && r->saw_logs && r->saw_operators))
		res = why_say(r->in.why, RES_MALFORMED, "neither v3 JSON nor Mozilla's header: it has no %s",
			      !r->saw_expiry ? "kCTExpirationTime"
			      : !r->saw_logs ? "kCTLogList"
					     : "kCTLogOperatorList");
	if (res == RES_OK && !buf_ok(&r->operators))
		res = why_say(r->in.why, RES_NOMEM, "no memory");
	if (res == RES_OK)
		res = header_operators_give(r);
	return res == RES_OK ? ctlogs_finish(r->list, r->in.why) : res;
}

enum res
ctlogs_from_mozilla_header(struct ctlogs **out, struct span text, char **why)
{
	struct header_reader *r;
	struct ctlogs *list = NULL;
	enum res res;

	if (text.n > CTLOGS_FILE_MAX)
		return why_say(why, RES_LIMIT, "larger than %d bytes", CTLOGS_FILE_MAX);
	r = calloc(1, sizeof *r);
	if (r == NULL || ctlogs_new(&list) != RES_OK) {
		free(r);
		return why_say(why, RES_NOMEM, "no memory");
	}
	tokens_open(&r->in, text, why);
	r->list = list;
	r->operators = buf_max(CTLOGS_OPERATORS_MAX * (CTLOG_NAME_MAX + 1));
	list->source = "Mozilla's known logs";
	res = header_read_all(r);
	tokens_close(&r->in);
	buf_free(&r->operators);
	free(r);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}
