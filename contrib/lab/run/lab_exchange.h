/*
 * lab_exchange.h - one question to the client under test, while the lab's servers keep working.
 *
 * A daemon is asked over UDP on 127.0.0.1; a command is run and its output read. Either may answer,
 * refuse, stay silent, or not run.
 */
#ifndef CONTRIB_LAB_RUN_LAB_EXCHANGE_H
#define CONTRIB_LAB_RUN_LAB_EXCHANGE_H

#include "contrib/lab/run/lab_ask.h"
#include "contrib/lab/run/lab_client.h"

#include <event2/event.h>

#define EXCHANGE_PORT 5300 /* where adapters make daemons listen */

struct lab_exchange {
	struct asked asked;
	uint16_t id;
	bool done;    /* an answer came */
	bool refused; /* the port is closed: the client is not there (yet) */
	bool woken;   /* one of the two has just happened */
	int64_t ms;   /* from the question, or from when the client listened, to the answer; -1: none came */
};

/* Runs the base's events for that long, or until *stop is set (NULL: never). */
void lab_exchange_wait(struct event_base *, int64_t ms, const bool *stop);

/* *gone becomes true when the daemon has ended. */
void lab_exchange_daemon(struct lab_exchange *, struct event_base *, int64_t patience_ms, const char *name,
			 const bool *gone);
void lab_exchange_command(struct lab_exchange *, struct event_base *, const struct lab_client_about *,
			  int64_t patience_ms, const char *name);

#endif
