/*
 * log_journald.h - log lines in the native protocol of systemd-journald, with their fields.
 *
 * The protocol is documented (systemd, "Native Journal Protocol"): one datagram an entry. It is implemented here because
 * sd_journal_sendv() opens a blocking socket on its first use: a journal that hangs would stop the event loop. Used by
 * log.c only.
 */
#ifndef BASE_LOG_JOURNALD_H
#define BASE_LOG_JOURNALD_H

#include "base/log_field.h"

/* True: JOURNAL_STREAM says that standard error is the journal, and the socket is open. program is kept. */
bool log_journald_open(const char *program);
/* Sends the line (without its end) with its fields; never blocks. False: the journal did not take it, or is not in
 * use. Any thread. */
bool log_journald_send(enum log_level, const char *event, const struct log_field *fields, struct span line);
/* The MESSAGE_ID of an event, 32 hex digits (log_events.def); NULL: it has none. */
const char *log_event_id(const char *event);

#endif
