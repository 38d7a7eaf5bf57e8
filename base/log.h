/*
 * log.h - one event, one line.
 *
 * text: "<level> <event> key=value key=value", values with a space or an unusual byte are quoted and escaped. json:
 * {"time":"...","level":"...","event":"...","key":"value"}. Lines go to standard error, which never blocks the caller:
 * lines that do not fit are counted, and the count is logged later. After log_to_journal they go to systemd-journald with
 * their fields (log_journald.h), and to standard error when the journal does not accept them.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/log_field.h"

enum log_format { LOG_TEXT, LOG_JSON };

void log_setup(enum log_level, enum log_format);
/* If standard error is the journal: every line also brings its fields, as CTSTUB_<KEY>, and the MESSAGE_ID of its event
 * (log_events.def). Before threads and sandbox. program: a constant, the identifier of its lines. */
void log_to_journal(const char *program);
enum log_level log_level(void);
bool log_is_json(void);             /* LOG_VALUE will be written: worth making */
void log_level_set(enum log_level); /* any thread */
/* -1 when it is not the name of one of the levels. */
int log_level_read(const char *text);
const char *log_level_text(enum log_level);
bool log_wants(enum log_level);

void log_write(enum log_level, const char *event, const struct log_field *fields);
/* log_event(LOG_NOTICE, "refused", LOG_STR("upstream", name), LOG_INT("have", 1)); values may be NULL ("-"). */
#define log_event(level, event, ...)                                                                         \
	do {                                                                                                 \
		if (log_wants(level))                                                                        \
			log_write(level, event, (const struct log_field[]){__VA_ARGS__, {.kind = LOG_END}}); \
	} while (0)

/* Appends a value as a log line shows it, with quotes and escapes where needed. */
void log_put_string(struct buf *, const char *s, bool json);

/* A limit for lines that a stranger can cause at will: at most `burst` in `per_ms`; then one line says how many were
 * left out. */
struct log_limit {
	int64_t since_ms;
	uint32_t used;
	uint32_t dropped;
};
/* True when this line may be written. *left_out gets how many were dropped before (usually 0). */
bool log_limit_ok(struct log_limit *, uint32_t burst, int64_t per_ms, uint32_t *left_out);

/* Tests: lines go here instead of standard error. NULL: standard error again. */
void log_capture(void (*sink)(void *ctx, const char *line, size_t n), void *ctx);

#endif
