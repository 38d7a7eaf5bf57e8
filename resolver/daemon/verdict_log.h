/*
 * verdict_log.h - refusals and acceptances in the log, once per change, however many workers reach the same verdict.
 * With log-format json the line holds the verdict object.
 *
 * Workers report from their threads; the thread of the loop remembers and writes.
 */
#ifndef RESOLVER_DAEMON_VERDICT_LOG_H
#define RESOLVER_DAEMON_VERDICT_LOG_H

#include "resolver/daemon/status.h"
#include "resolver/server.h"

struct verdict_log;
enum res verdict_log_new(struct verdict_log **, struct loop *);
void verdict_log_free(struct verdict_log *); /* no worker may run any more */
/* Any thread. */
void verdict_log_add(struct verdict_log *, const struct server *);
/* Any thread: a connection is ready. Logs a certificate that is about to expire, once for each step of enum expiry. */
void verdict_log_ready(struct verdict_log *, const struct server *);
/* In the loop's thread: the last refusal; its upstream is lent until the next turn of the loop. */
void verdict_log_last(const struct verdict_log *, struct refusal *);

#endif
