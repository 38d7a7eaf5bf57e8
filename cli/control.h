/*
 * control.h - one request to the running daemon over its control socket; resolver/daemon/control.h describes the protocol.
 */
#ifndef CLI_CONTROL_H
#define CLI_CONTROL_H

#include "cli/cli.h"

#include <jansson.h>
#include <stdio.h>

#define CONTROL_ANSWER_MAX (8 * 1024 * 1024)
#define CONTROL_WAIT_MS    10000 /* a reload reads every file that the configuration names */
#define CONTROL_PATH_MAX   108   /* sun_path */

/* What ends a wait for the daemon before its time. */
struct control_end {
	int fd;    /* readable from then on, as a signalfd that nobody reads; -1: nothing ends a wait */
	bool came; /* a wait was ended by it */
};

struct control_args {
	char socket[CONTROL_PATH_MAX];
	bool json;
	bool prometheus;    /* of `stats` */
	bool watch;         /* of `status` */
	const char *listen; /* of `metrics` */
	int first;          /* index of the first argument that is no option */
	const char *config; /* -c; lent */
	bool other_daemon;  /* --socket without -c: which configuration that daemon has is not known */
	/* Of the wait for an answer; NULL: only the time ends it. */
	struct control_end *end;
	/* Called before anything is printed; NULL: nothing is to be done. */
	void (*begin)(void);
	/* Adds to a good answer what the daemon does not know; NULL: nothing. */
	void (*add)(const struct control_args *, json_t *answer);
	enum exit_code (*judge)(
	    const json_t *answer); /* NULL, or the exit code of an answer that is no failure */
};

/* Ids of the options that control_args_read takes, beside 'c'; tables: control_options and those of the verbs. */
enum {
	CONTROL_OPTION_SOCKET = 256,
	CONTROL_OPTION_JSON,
	CONTROL_OPTION_PROMETHEUS,
	CONTROL_OPTION_LISTEN,
	CONTROL_OPTION_WATCH
};

/* Reads the options, and least to most arguments; finds the socket. False: *code says how to end. */
bool control_args_read(struct control_args *, int argc, char **argv, int least, int most,
		       enum exit_code *code);

/* Sends one line and receives one, without complaints; *why is constant. end: NULL, or what ends the wait. */
enum res control_exchange(struct buf *answer, const char *socket, const char *request,
			  struct control_end *end, const char **why);

/* Sends the request (taken) and prints the answer: as JSON with args->json, even a refusal; else through `people`. Prints
 * nothing when args->end ended the wait. */
enum exit_code control_report(const struct control_args *, const char *verb, json_t *request,
			      void (*people)(const json_t *answer));

/* Writes text from another source so that it is safe on a terminal: a control character becomes "?". lines: line
 * ends stay. NULL: nothing. */
void control_write(FILE *out, const char *text, bool lines);
void control_write_line(FILE *out, const char *text); /* and ends the line */
/* This many texts are kept, for the arguments of one printf, which a compiler may evaluate in any order. */
#define CONTROL_TEXTS 8
/* For people: strings from another source, safe on a terminal; "-" when the key is missing or null. Lent until
 * CONTROL_TEXTS others were asked for. */
const char *control_text(const json_t *object, const char *key);
const char *control_shown(const char *text); /* the same, of a string at hand; NULL: "-" */
long long control_integer(const json_t *object, const char *key); /* 0 when missing */
bool control_is_null(const json_t *object, const char *key);      /* missing or null */

#endif
