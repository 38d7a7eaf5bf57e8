/*
 * plan.h - a snapshot together with what only the resolver understands: local data, routes, filter,
 * rebinding.
 *
 * Compiled as a whole or not at all, immutable, counted, shared by all workers.
 */
#ifndef RESOLVER_PLAN_H
#define RESOLVER_PLAN_H

#include "config/snapshot.h"
#include "resolver/message.h"

struct local_data; /* local.h */
struct filter;     /* filter.h */
struct routes;     /* routes.h */

struct plan {
	_Atomic uint32_t refs;
	struct snapshot *snapshot;
	struct local_data *local;
	struct routes *routes;
	struct filter *filter;
	struct rebinding *rebinding;
};

/* The snapshot is taken, also on failure. */
enum res plan_compile(struct plan **, struct snapshot *, struct config_errors *);
struct plan *plan_ref(struct plan *);
void plan_unref(struct plan *);

#endif
