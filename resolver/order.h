/*
 * order.h - which server of a route is asked next, and how long to wait for it.
 */
#ifndef RESOLVER_ORDER_H
#define RESOLVER_ORDER_H

#include "resolver/tries.h"
#include "resolver/upstream_set.h"

#define UPSTREAM_RACE_MS      250 /* RFC 8305, 8: head start of the preferred family */
#define UPSTREAM_HEDGE_MIN_MS 250
#define UPSTREAM_LOOK_MS      100 /* how soon a question that found no free lane looks again */

/* The next server. avoid: an upstream that comes last (UINT32_MAX: none). NULL: none may be asked now. */
struct server *upstreams_next(const struct upstreams *, const struct route *, const struct tries *,
			      uint32_t avoid);
/* How long to wait for this server before another is asked as well; `hedge` as configured. */
int64_t server_patience_ms(const struct server *, bool hedge);
/* When to look again for a usable server (boot ms; news comes earlier through upstreams_hooks.on_change). INT64_MAX:
 * nothing more can become known, and no server is usable. */
int64_t upstreams_due_ms(const struct upstreams *, const struct route *, const struct tries *, uint64_t zone);

#endif
