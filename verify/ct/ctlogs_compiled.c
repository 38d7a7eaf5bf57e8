/*
 * The lists compiled in: verify/data/ctlogs.txt, and ctlogs_retired.txt of logs that ended before; a line a log.
 *
 *   date TIME
 *   operator NAME
 *   log KIND STATE SINCE FROM TO MMD KEY NAME
 *   url READ [SUBMISSION]
 *
 * A log belongs to the operator above it, a URL to the log above it; not every log has a URL. KIND is rfc6962 or tiled,
 * FROM and TO are `-` where no interval is known, KEY is base64. The text is ours: a fault in it is a bug that the unit
 * test finds, but it is read just as strictly.
 */
#include "verify/ct/ctlogs_build.h"

#include "base/text.h"
#include "verify/data_text.h"
#include "verify/why.h"

#include <string.h>

/* The next word of the line, "" after the last one. */
static char *
word_next(char **line)
{
	char *word = *line;
	size_t n = strcspn(word, " ");

	*line = word + n + (word[n] == ' ');
	word[n] = '\0';
	return word;
}

static bool
state_find(enum ctlog_state *out, const char *word)
{
	for (int state = CTLOG_PENDING; state <= CTLOG_REJECTED; state++) {
		*out = (enum ctlog_state)state;
		if (strcmp(word, ctlog_state_text(*out)) == 0)
			return true;
	}
	return false;
}

static bool
compiled_interval_read(struct ctlog *log, const char *from, const char *to)
{
	if (strcmp(from, "-") == 0 && strcmp(to, "-") == 0)
		return true;
	return time_read(&log->interval_start_ms, from) == RES_OK &&
	       time_read(&log->interval_end_ms, to) == RES_OK &&
	       log->interval_start_ms < log->interval_end_ms;
}

static enum res
compiled_log_read(struct ctlogs *list, const char *operator_name, char *line, struct buf *key, char **why)
{
	struct ctlog log = {.operator_name = operator_name};
	const char *kind = word_next(&line), *state = word_next(&line), *since = word_next(&line);
	const char *from = word_next(&line), *to = word_next(&line), *mmd = word_next(&line),
		   *der = word_next(&line);
	enum res res = base64_read(key, span_str(der));
	int64_t seconds;

	if (res == RES_NOMEM)
		return why_say(why, res, "no memory");
	log.tiled = strcmp(kind, "tiled") == 0;
	if ((!log.tiled && strcmp(kind, "rfc6962") != 0) || operator_name == NULL ||
	    !state_find(&log.state, state) || time_read(&log.state_ms, since) != RES_OK ||
	    !compiled_interval_read(&log, from, to) || number_read(&seconds, mmd) != RES_OK || seconds < 0 ||
	    seconds > INT32_MAX || res != RES_OK || !ctlogs_name_ok(span_str(line)))
		return why_say(why, RES_MALFORMED, "a malformed log line");
	log.mmd_s = (uint32_t)seconds;
	log.key = buf_span(key);
	log.description = ctlogs_keep(list, span_str(line));
	if (log.description == NULL)
		return why_say(why, RES_NOMEM, "no memory");
	return ctlogs_add(list, &log, why);
}

/* The URLs of the log that was added last. */
static enum res
url_read(struct ctlogs *list, char *line, char **why)
{
	const char *read = word_next(&line), *submission = word_next(&line);
	struct ctlog *log = list->n > 0 ? &list->log[list->n - 1] : NULL;

	if (log == NULL || log->url != NULL || *line != '\0' || (*submission != '\0') != log->tiled)
		return why_say(why, RES_MALFORMED, "a malformed url line");
	if (ctlogs_keep_url(&log->url, list, span_str(read)) != RES_OK ||
	    (log->tiled && ctlogs_keep_url(&log->submission_url, list, span_str(submission)) != RES_OK))
		return RES_NOMEM;
	return log->url != NULL && (log->submission_url != NULL) == log->tiled ? RES_OK : RES_MALFORMED;
}

static enum res
compiled_line_read(struct ctlogs *list, const char **operator_name, char *line, char **why)
{
	const char *first = word_next(&line);
	struct buf key = buf_max(CTLOG_KEY_MAX);
	enum res res;

	if (first[0] == '\0' || first[0] == '#')
		return RES_OK;
	if (strcmp(first, "date") == 0)
		return time_read(&list->date_ms, line);
	if (strcmp(first, "operator") == 0) {
		*operator_name = ctlogs_keep(list, span_str(line));
		return *operator_name == NULL ? RES_NOMEM : RES_OK;
	}
	if (strcmp(first, "url") == 0)
		return url_read(list, line, why);
	if (strcmp(first, "log") != 0)
		return RES_MALFORMED;
	res = compiled_log_read(list, *operator_name, line, &key, why);
	buf_free(&key);
	return res;
}

static enum res
compiled_text_read(struct ctlogs *list, const char *text, char **why)
{
	const char *operator_name = NULL;
	enum res res = RES_OK;
	char line[2048];

	while (res == RES_OK && *text != '\0') {
		size_t n = strcspn(text, "\n");

		if (n >= sizeof line)
			return RES_LIMIT;
		memcpy(line, text, n);
		line[n] = '\0';
		text += n + (text[n] == '\n');
		res = compiled_line_read(list, &operator_name, line, why);
	}
	if (res == RES_OK && list->date_ms == 0)
		return RES_MALFORMED;
	return res == RES_OK ? ctlogs_finish(list, why) : res;
}

static enum res
text_load(struct ctlogs **out, const char *text)
{
	struct ctlogs *list;
	enum res res = ctlogs_new(&list);

	if (res != RES_OK)
		return res;
	list->source = "compiled in";
	res = compiled_text_read(list, text, NULL);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}

enum res
ctlogs_add_retired(struct ctlogs *list)
{
	return list->retired != NULL ? RES_OK : text_load(&list->retired, data_text_ctlogs_retired);
}

enum res
ctlogs_compiled_in(struct ctlogs **out)
{
	struct ctlogs *list;
	enum res res = text_load(&list, data_text_ctlogs);

	if (res != RES_OK)
		return res;
	res = ctlogs_add_retired(list);
	if (res != RES_OK) {
		ctlogs_free(list);
		return res;
	}
	*out = list;
	return RES_OK;
}
