/*
 * stage.h - the surroundings of a client in a trial: servers at the resolver's addresses, the target of redirects, the
 * trap for clear text, and the environment of the adapter.
 *
 * It knows scenarios, but neither clients nor outcomes.
 */
#ifndef CONTRIB_LAB_RUN_STAGE_H
#define CONTRIB_LAB_RUN_STAGE_H

#include "contrib/lab/server/lab_server.h"
#include "contrib/lab/scenarios/site.h"
#include "contrib/lab/run/trap.h"

#include <event2/event.h>

#define STAGE_ADDRESSES 4 /* of the resolver */

struct stage {
	enum lab_server_protocol protocol;
	const char *folder; /* of the trial; lent */
	struct event_base *base;
	struct world *world;
	struct site *good, *site, *other; /* good-v4; the scenario's; where a redirect leads */
	struct lab_server *servers[STAGE_ADDRESSES], *elsewhere;
	struct trap *trap;
};

/* Sets up servers, traps and the adapter's environment in the cell. Call stage_strike afterwards,
 * whatever it returns. */
enum res stage_set(struct stage *, const struct scenario *, enum lab_server_protocol,
		   const char *world_folder, const char *folder);
void stage_strike(struct stage *);

/* Gives the policy of a site to the adapter, as $LAB_CONF. */
enum res stage_give_policy(const struct stage *, const struct site *);
/* The scenario's site replaces the good one, and connections are closed. */
enum res stage_switch(struct stage *, bool keep_tickets);
void stage_drop_connections(struct stage *);

/* The counts of all the resolver's servers together. */
struct lab_server_counts stage_counts(const struct stage *);

/* Does the scenario begin with the good server, or with its own? */
bool scenario_begins_good(const struct scenario *);

#endif
