/*
 * log_field.h - the parts of a log line: its level, and keys with values.
 */
#ifndef BASE_LOG_FIELD_H
#define BASE_LOG_FIELD_H

#include "base/addr.h"

enum log_level { LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

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

#endif
