/*
 * upstreams.h - the servers of one worker: they are created, kept across a reload, told of changes of network and clock, and
 * reported.
 */
#ifndef RESOLVER_UPSTREAMS_H
#define RESOLVER_UPSTREAMS_H

#include "resolver/upstream_set.h"

/* Captive mode: how often unusable upstreams are tried, so that service is back within 2 s of a login. */
#define UPSTREAM_CAPTIVE_MS 1000

/* by_floor: certificates are judged by the floor while the clock is not set, for time-names. */
enum res upstreams_new(struct upstreams **, struct loop *, struct counters *, const struct upstreams_hooks *,
		       const struct server_hooks *, bool by_floor);
void upstreams_free(struct upstreams *);
/* Takes over a plan (lent; must live until the next call). Servers of the same upstream, address and protocol stay, with
 * their connection, which the transport judges again; refused ones are connected to at once. RES_NOMEM: all is as before. */
enum res upstreams_plan_set(struct upstreams *, const struct plan *);

/* The machine woke from sleep, or is on another network: drops every connection, and forgets all rests and
 * preferences. If the machine is in use, connects again at once (keep_warm.h). */
void upstreams_network_changed(struct upstreams *);
/* The wall clock was set: a verdict belongs to its time, so the peers of open connections are judged again, and
 * refused servers are connected to at once. */
void upstreams_clock_set(struct upstreams *);
/* Captive mode until then (boot ms); 0: off. */
void upstreams_captive_set(struct upstreams *, int64_t until_ms);

enum res upstreams_report(struct upstreams *, struct upstreams_report *);

#endif
