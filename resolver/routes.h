/*
 * routes.h - which upstreams a name goes to: the longest suffix wins.
 */
#ifndef RESOLVER_ROUTES_H
#define RESOLVER_ROUTES_H

#include "base/bytes.h"
#include "config/snapshot.h"

struct routes;
enum res routes_compile(struct routes **, const struct snapshot *, struct config_errors *);
void routes_free(struct routes *);

struct route {
	const uint32_t *upstream; /* indices into snapshot.upstream, in order */
	size_t n_upstream;        /* 0: never leaves this machine */
	struct span suffix;       /* the names it is for; wire form */
	bool forwarded;           /* a forward other than the root's names it */
	uint32_t id;              /* number of the route: cache entries and coalescing do not cross it */
};
/* Always returns a route, if only the root's. Lent from the routes. name: lower-case wire form. */
const struct route *routes_find(const struct routes *, struct span name);

/* The route of names that match no forward. */
const struct route *routes_root(const struct routes *);
bool route_has(const struct route *, uint32_t upstream);

/* A forward is for a name below this one, so this name exists too. NULL routes: false. */
bool routes_is_above(const struct routes *, struct span name);

#endif
