/*
 * control.h - one question to the running daemon over its control socket (resolver/daemon/control.h tells the protocol).
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "cli/cli.h"

#include <jansson.h>

#define CONTROL_ANSWER_MAX (8 * 1024 * 1024)
#define CONTROL_WAIT_MS    10000 /* a reload reads every file that the configuration names */
#define CONTROL_PATH_MAX   108   /* sun_path */

struct control_args {
	char socket[CONTROL_PATH_MAX];
	bool json;
	bool flag;          /* the verb's own switch was given */
	const char *listen; /* of `metrics` */
	int first;          /* index of the first argument that is no option */
};

/* Reads -c, --socket, --json and, unless NULL, a switch of the verb's own. False: *code says how to end. */
bool control_args_read(struct control_args *, int argc, char **argv, const char *own_switch, int least,
		       int most, enum exit_code *code);

/* One line there and one back, without complaints; *why is constant. */
enum res control_exchange(struct buf *answer, const char *socket, const char *request, const char **why);

/* Asks (request is taken) and prints the answer: as JSON with args->json, a refusal too; else through `people`. */
enum exit_code control_report(const struct control_args *, const char *verb, json_t *request,
			      void (*people)(const json_t *answer));

/* For people: strings that came from elsewhere, fit for a terminal; "-" when the key is missing or null. Lent until the
 * fourth call after it. */
const char *text_of(const json_t *object, const char *key);
long long number_of(const json_t *object, const char *key); /* 0 when missing */
bool is_null(const json_t *object, const char *key);        /* missing or null */

#endif
