/*
 * launcher.h - a process beside the monitor that starts programs and asks the daemon to reload: the monitor itself can do
 * neither once it is sealed (sandbox.h).
 *
 * It is forked before the monitor reads anything from outside, and reads the configuration file itself: a monitor that was
 * taken over can have the program of watch.exec run with input of its own and have the daemon asked to reload. The memory
 * of the launcher is out of its reach; that of a program while it runs is not, as both have one user. It does one thing for
 * each request, and ends when the monitor's end of their socket is closed, which also a killed monitor does. Programs go on.
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
/* It reads the configuration file anew. RES_MALFORMED: that has become unusable. */
enum res launcher_configure(struct launcher *);
/* The process is gone, and no request will be answered any more. */
bool launcher_is_gone(const struct launcher *);
/* CHILDREN_MAX are under way (child.h). */
bool launcher_is_full(const struct launcher *);
/* One or more are under way. */
bool launcher_is_busy(const struct launcher *);
/* Runs the program of watch.exec with this line as its input. The note is appended before it runs; when that fails it does
 * not run. Returns when it runs, or did not come to that: RES_IO, errno says why. RES_LIMIT: launcher_is_full. */
enum res launcher_run(struct launcher *, enum finding_kind, struct span line, const struct record_note *);
/* See child_reload; the folder is lent. */
enum res launcher_reload(struct launcher *, int folder);
/* Takes those that ended or whose time is over, as children_reap. */
void launcher_reap(struct launcher *, void (*ended)(void *ctx, bool reload, int status), void *ctx);

#endif
