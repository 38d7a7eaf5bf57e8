/*
 * control_status.h - the part of the answer to `status` that tells by whom this machine is served, and how well.
 */
#ifndef RESOLVER_DAEMON_CONTROL_STATUS_H
#define RESOLVER_DAEMON_CONTROL_STATUS_H

#include "resolver/daemon/status.h"

#include <jansson.h>

/* Adds the keys listen, addresses, last_refusal, report_windows, portal and cache. */
void control_status_add(json_t *object, const struct status *);
json_t *control_json_cache(const struct cache_stats *);

#endif
