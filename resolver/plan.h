/*
 * plan.h - a snapshot with the resolver's own parts: local data, routes, filter, rebinding.
 *
 * Compiled as a whole or not at all, immutable, counted, shared by all workers.
 */
#ifndef RESOLVER_PLAN_H
#define RESOLVER_PLAN_H

#include "config/snapshot.h"

struct local_data; /* local_data.h */
struct filter;     /* filter.h */
struct rebinding;  /* rebinding.h */
struct routes;     /* routes.h */

struct plan {
	_Atomic uint32_t refs;
	struct snapshot *snapshot;
	struct local_data *local;
	struct routes *routes;
	struct filter *filter;
	struct rebinding *rebinding;
	struct prefix *allow; /* clients that are not this machine */
	size_t n_allow;
};

/* Reads the files (settings_read) and compiles their settings. One run reports all errors. generation: see
 * snapshot_compile. RES_OK: *out is yours. at_boot: lists that cannot be read are warnings (settings.h,
 * serve_without): without DNS the next list cannot even be fetched. */
enum res plan_read(struct plan **out, const char *file, uint64_t generation, bool at_boot,
		   struct config_errors *);
/* May this client ask? This machine always may, over loopback. */
bool plan_allows(const struct plan *, const struct addr *client);
struct plan *plan_ref(struct plan *);
void plan_unref(struct plan *);

#endif
