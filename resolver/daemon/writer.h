/*
 * writer.h - the helper that writes the journal and the evidence, and the messages between it and the daemon.
 *
 * The daemon sends what is to be written; the helper answers each message but the setup with a report: 0, or the errno of
 * what failed. It opens the folder anew for each message, so it goes on as soon as the folder is there or has room again.
 *
 * It writes nothing while another daemon writes to the same folder (folder_lock.h). After a setup it waits a moment for one
 * that is just ending; it reports when it goes on waiting, and when it waits no longer.
 */
#ifndef RESOLVER_DAEMON_WRITER_H
#define RESOLVER_DAEMON_WRITER_H

#include "config/settings.h"

#include <sys/types.h>

/* ---- the daemon's side: messages for helper_send. Each clears the buf first. */

/* Where it writes and how much. Sent before anything else, and again after a reload. */
void writer_put_setup(struct buf *message, const struct settings *);
/* A line of the journal, with its end. */
void writer_put_line(struct buf *message, struct span line);
/* Evidence (evidence_folder.h). */
void writer_put_evidence(struct buf *message, const char *name, struct span certs, const char *verdict_json);

struct writer_report {
	enum {
		REPORT_FOLDER,
		REPORT_LINE,
		REPORT_EVIDENCE
	} of;         /* REPORT_FOLDER: of both, nothing was to be written */
	int error;    /* errno, or 0; EBUSY: another daemon writes to the folder */
	pid_t holder; /* EBUSY: its process, 0 when it is not known */
};
/* False: the message is not a report. */
bool writer_report_read(struct writer_report *, struct span message);

/* ---- the helper */

/* As helper_setup.run. self: of the daemon's process, which other daemons are told; lent. */
void writer_run(int socket, void *self);

#endif
