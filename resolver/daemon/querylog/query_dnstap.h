/*
 * query_dnstap.h - one event of the query log as a dnstap message (dnstap.proto), the content of one frame.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_DNSTAP_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_DNSTAP_H

#include "resolver/daemon/querylog/query_event.h"

/* Appends the bytes. False: no memory, and nothing was appended. */
bool query_dnstap_write(struct buf *, const struct query_event *);

#endif
