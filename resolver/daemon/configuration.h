/*
 * configuration.h - the configuration file of the running daemon: read at the start, read again on a reload, and the plan
 * that is in force.
 *
 * Main thread only. It logs what it finds, and knows no workers.
 */
#ifndef RESOLVER_DAEMON_CONFIGURATION_H
#define RESOLVER_DAEMON_CONFIGURATION_H

#include "config/changes.h"
#include "resolver/daemon/held.h"
#include "resolver/plan.h"

struct configuration {
	const char *file;                /* lent; NULL: the compiled-in defaults */
	int verbose;                     /* so many levels more log than configured */
	const struct held_sockets *held; /* lent; what `listen` must fit */
	struct plan *plan;
	uint64_t generation;
	char *reload_error; /* why the last reload was refused; NULL: it was not */
	struct start_values started;
	struct changes *restart_needed; /* by what reloads have changed since the start; NULL: nothing */
};

/* *errors is yours in either case. held: lent, for reloads too. */
enum res configuration_read(struct configuration *, const char *file, int verbose,
			    const struct held_sockets *held, struct config_errors *errors);
/* *changes (yours) gets what the new plan changes; the changes are also logged. *before (yours) is the plan that it
 * replaces. RES_MALFORMED: the old plan stays, and *errors (yours) says why. */
enum res configuration_reload(struct configuration *, struct config_errors *errors, struct changes *changes,
			      struct plan **before);
void configuration_free(struct configuration *);

/* Logs the warnings of the plan in force. */
void configuration_warn(const struct configuration *);
/* Prints the errors on standard error; without a line, memory was short. */
void configuration_errors_print(const struct config_errors *);

#endif
