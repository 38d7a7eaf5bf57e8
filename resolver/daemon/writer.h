/*
 * writer.h - the helper that writes the journal and the evidence, and the messages between it and the daemon.
 *
 * The daemon sends what is to be written; the helper answers each message but the setup with a report: 0, or the errno of
 * what failed. It opens the folder anew for each message, so it goes on as soon as the folder is there or has room again.
 */
#ifndef RESOLVER_DAEMON_WRITER_H
#define RESOLVER_DAEMON_WRITER_H

#include "config/settings.h"

/* ---- the daemon's side: messages for helper_send. Each clears the buf first. */

/* Where it writes and how much. Sent before anything else, and again after a reload. */
void writer_put_setup(struct buf *message, const struct settings *);
/* A line of the journal, with its end. */
void writer_put_line(struct buf *message, struct span line);
/* Evidence (evidence_folder.h). */
void writer_put_evidence(struct buf *message, const char *name, struct span certs, const char *verdict_json);

struct writer_report {
	bool evidence; /* else a line of the journal */
	int error;     /* errno, or 0 */
};
/* False: the message is not a report. */
bool writer_report_read(struct writer_report *, struct span message);

/* ---- the helper */

/* As helper_setup.run. */
void writer_run(int socket, void *ctx);

#endif
