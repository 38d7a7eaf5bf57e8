/*
 * query_line.h - one line of the query log for one question, as text or JSON.
 *
 * Names and texts of others are escaped: nothing in them ends a line, or looks like another key (ctstub-log(5)).
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_LINE_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_LINE_H

#include "resolver/daemon/querylog/query_event.h"

/* A name of 255 bytes, each escaped; a reason of MSG_EDE_TEXT_MAX bytes; and keys. */
#define QUERY_LINE_MAX 8192

/* Appends the line of a QUERY_EVENT_REPLIED, with its line break. */
void query_line_write(struct buf *, const struct query_event *, bool json);

#endif
