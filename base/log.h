/*
 * log.h - one event, one line.
 *
 * text: "<level> <event> key=value key=value", values with a space or an odd byte quoted and escaped.
 * json: {"time":"...","level":"...","event":"...","key":"value"}.
 * Lines go to standard error, which never blocks the caller: lines that do not fit are counted, and the count is logged later.
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "base/addr.h"
#include "base/bytes.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };
enum log_format { LOG_TEXT, LOG_JSON };

enum log_kind { LOG_END, LOG_KIND_STR, LOG_KIND_INT, LOG_KIND_ADDR, LOG_KIND_IP, LOG_KIND_JSON };

struct log_field {
	const char *key; /* a constant of ours: [a-z0-9_-] */
	enum log_kind kind;
	const char *s;
	int64_t i;
	const struct addr *addr;
};

#define LOG_STR(k, v)  ((struct log_field){.key = (k), .kind = LOG_KIND_STR, .s = (v)})
#define LOG_INT(k, v)  ((struct log_field){.key = (k), .kind = LOG_KIND_INT, .i = (int64_t)(v)})
#define LOG_ADDR(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_ADDR, .addr = (v)}) /* with port */
#define LOG_IP(k, v)   ((struct log_field){.key = (k), .kind = LOG_KIND_IP, .addr = (v)})   /* without */
/* A JSON value, as it stands, without line breaks; only in json lines, and left out when it is NULL or too long. */
#define LOG_VALUE(k, v) ((struct log_field){.key = (k), .kind = LOG_KIND_JSON, .s = (v)})

void log_setup(enum log_level, enum log_format);
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

/* What a stranger can cause at will: at most `burst` lines in `per_ms`; then one line says how many were left out. */
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
