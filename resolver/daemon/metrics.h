/*
 * metrics.h - the status as Prometheus text (exposition format 0.0.4).
 *
 * Rendering only: a status in, bytes out. A new metric is a field of the status and a line here.
 */
#ifndef RESOLVER_DAEMON_METRICS_H
#define RESOLVER_DAEMON_METRICS_H

#include "resolver/daemon/status.h"

/* Appends. version: of the program. */
void metrics_write(struct buf *out, const struct status *, const char *version);

#endif
