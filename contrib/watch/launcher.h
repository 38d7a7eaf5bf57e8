/*
 * launcher.h - a process beside the monitor that starts programs and asks the daemon to reload: the monitor itself can do
 * neither once it is sealed (sandbox.h).
 *
 * The launcher is forked before the monitor reads anything from outside, and reads the configuration file itself. So all
 * that an attacker in the monitor can do with it is to run the program of watch.exec on input of their choice, and to ask
 * the daemon to reload. The monitor cannot reach the launcher's memory; it can reach that of a running program, as both
 * have one user. The launcher does one thing for each request. It ends when the monitor's end of their socket is closed,
 * also because the monitor was killed; programs that it started go on.
 */
#ifndef CONTRIB_WATCH_LAUNCHER_H
#define CONTRIB_WATCH_LAUNCHER_H

#include "contrib/watch/finding.h"
#include "contrib/watch/record.h"

struct launcher;

/* Before any thread is started. The file is lent; NULL: the compiled-in defaults. RES_IO: errno says why. */
enum res launcher_start(struct launcher **, const char *file);
/* Closes the socket. */
void launcher_stop(struct launcher *);
/* Makes it read the configuration file again; on failure it keeps what it has. RES_MALFORMED: the file has become unusable. */
enum res launcher_configure(struct launcher *);
/* The process is gone, and no request will be answered any more. */
bool launcher_is_gone(const struct launcher *);
/* CHILDREN_MAX are under way (child.h). */
bool launcher_is_full(const struct launcher *);
/* One or more are under way. */
bool launcher_is_busy(const struct launcher *);
/* Runs the program of watch.exec with this line as its input. The note is appended before it runs; if that fails, it does
 * not run. Returns when it runs or could not be started (RES_IO, errno says why; the note may have been appended, and
 * unless launcher_is_gone no process is left that could append it). RES_LIMIT: launcher_is_full. */
enum res launcher_run(struct launcher *, enum finding_kind, struct span line, const struct record_note *);
/* See child_reload; the folder is lent. */
enum res launcher_reload(struct launcher *, int folder);
/* As children_reap. */
void launcher_reap(struct launcher *, void (*ended)(void *ctx, bool reload, int status), void *ctx);

#endif
