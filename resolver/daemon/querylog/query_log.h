/*
 * query_log.h - the query log of the daemon: its writer, a helper process, and the feeds of the workers.
 *
 * Main thread. It starts before the workers and the sandbox. The log never makes a question wait: what the writer does not
 * take in time is dropped and counted. Losing it does not end the daemon.
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_LOG_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_LOG_H

#include "resolver/daemon/querylog/query_feed.h"

struct query_log;

/* *out is NULL when the settings want no log. kill: as in helper.h. *why (yours) on failure. */
enum res query_log_start(struct query_log **out, const struct settings *, bool kill, char **why);
/* Listens to the writer: logs its errors, and counts the events that it lost. Harmless without a log, like the
 * others. */
enum res query_log_listen(struct query_log *, struct loop *, struct counters *);
/* A reload: changes at once how clients are shown, and opens the file anew. */
void query_log_reload(struct query_log *, const struct settings *);
/* The daemon ends: until then (clock_mono_ms) the ends of the feeds and query_log_end wait for the writer. */
void query_log_ending(struct query_log *, int64_t until_ms);
/* Called after the feeds are freed: the writer finishes its work. Logs what it did not take, and whether it is late. */
void query_log_end(struct query_log *);

/* As configured at the start (lent). NULL: there is no log. */
const char *query_log_to(const struct query_log *);
/* Why the log is not written (lent until the next report), also if the settings want a log and there is none; NULL:
 * it is written. */
const char *query_log_trouble(const struct query_log *, const struct settings *);
/* For the feeds; NULL: there is no log. */
struct query_channel *query_log_channel(struct query_log *);

#endif
