/*
 * control_json.h - the text of the control socket: requests read, and responses written. It knows JSON and the status.
 */
#ifndef RESOLVER_DAEMON_CONTROL_JSON_H
#define RESOLVER_DAEMON_CONTROL_JSON_H

#include "base/dns/message.h"
#include "base/log.h"
#include "config/changes.h"
#include "resolver/daemon/status.h"

#define CONTROL_REQUEST_MAX     4096
#define CONTROL_RESPONSE_MAX    (8 * 1024 * 1024)
#define CONTROL_CAPTIVE_MAX_MIN 60

enum control_verb {
	CONTROL_STATUS,
	CONTROL_UPSTREAMS,
	CONTROL_STATS,
	CONTROL_FLUSH,
	CONTROL_RELOAD,
	CONTROL_LOG_LEVEL,
	CONTROL_CAPTIVE
};

struct control_request {
	enum control_verb verb;
	bool prometheus;
	uint8_t name[MSG_NAME_MAX]; /* flush: lower-case wire form; the root is everything */
	uint8_t name_n;
	enum log_level level;
	unsigned minutes;
};

/* line: without its end. *why is constant. */
enum res control_request_read(struct control_request *, struct span line, const char **why);
/* The verb changes something, so only root, the daemon's own user and members of control-group may use it. */
bool control_verb_changes(enum control_verb);

/* Responses: one line with its end, yours. NULL: no memory. */
char *control_json_error(const char *why, const struct config_errors *);
char *control_json_status(const struct status *);
char *control_json_upstreams(const struct status *);
char *control_json_stats(const struct status *);
char *control_json_stats_text(const struct status *);
char *control_json_reload(uint64_t generation, const struct changes *);
char *control_json_number(const char *key, uint64_t value); /* {"ok": true, key: value} */
char *control_json_captive(unsigned minutes, bool portal);
char *control_json_word(const char *key, const char *value);

#endif
