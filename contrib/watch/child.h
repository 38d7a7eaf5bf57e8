/*
 * child.h - child processes beside the loop, with limits: programs that are run for a finding, and the request to the
 * daemon to reload. The monitor has its launcher start them (launcher.h).
 *
 * A program gets the finding on its standard input. The input is complete before the program starts, so that it can go on
 * reading after this process has ended. Its output goes to /dev/null, its standard error to ours, and it has no other
 * descriptor. Its time, memory and files are limited; when its time is over, its whole process group is killed.
 */
#ifndef CONTRIB_WATCH_CHILD_H
#define CONTRIB_WATCH_CHILD_H

#include "base/bytes.h"
#include "base/res.h"

#include <sys/types.h>

#define CHILDREN_MAX     4     /* at once; others wait */
#define CHILD_MS         60000 /* then it is killed */
#define CHILD_CPU_S      30
#define CHILD_MEMORY_MAX (1024u * 1024 * 1024) /* of its address space */
#define CHILD_FILE_MAX   (64 * 1024 * 1024)    /* of a file that it writes */
#define CHILD_FILES_MAX  256                   /* descriptors */
#define RELOAD_MS        10000                 /* a reload reads every file that the configuration names */

struct child {
	pid_t pid; /* 0: this place is free */
	bool reload;
	int64_t until_ms; /* by the boot clock */
};

struct children {
	struct child of[CHILDREN_MAX];
};

bool children_full(const struct children *);
bool children_busy(const struct children *);
/*
 * Starts a program whose standard input is this open file, from its current offset. before, unless NULL, is called in the
 * child with ctx; if it fails, nothing is started. Returns when the program runs or could not be started (RES_IO, errno
 * says why). RES_LIMIT: children_full. now_ms, here and below: by the boot clock.
 */
enum res child_start(struct children *, const char *program, int input, const char *const environment[],
		     enum res (*before)(void *ctx), void *ctx, int64_t now_ms);
/*
 * Asks the daemon behind this control socket to reload. When it does not, WATCH_RELOAD_FILE is made in the folder, for
 * ctstub-watch-reload.path. A path unit can miss that a list was replaced, but not a file that stays.
 */
enum res child_reload(struct children *, const char *control_socket, int folder, int64_t now_ms);
/* Removes the children that have ended or whose time is over, and calls ended for each: status is waitpid(2)'s, or -1 if
 * the child was killed here. */
void children_reap(struct children *, void (*ended)(void *ctx, const struct child *, int status), void *ctx,
		   int64_t now_ms);

#endif
