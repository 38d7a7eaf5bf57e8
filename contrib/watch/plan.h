/*
 * plan.h - a configuration made ready for watching: what to watch for, and what is expected.
 *
 * It is the daemon's own file. Files that only the daemon needs and this user may not read (client keys, CRLs) are left
 * out.
 */
#ifndef CONTRIB_WATCH_PLAN_H
#define CONTRIB_WATCH_PLAN_H

#include "config/snapshot.h"
#include "contrib/watch/watch_list.h"

struct watch_plan {
	/* Its settings, policies of the upstreams, and the list of logs in effect. */
	struct snapshot *snapshot;
	struct watch_list *list;
	struct cert_match *known; /* entries of the known-files; never NULL */
};

/* Reads everything that the file names (NULL: the compiled-in defaults). On an error *errors lists everything that is
 * wrong. */
enum res watch_plan_read(struct watch_plan **out, const char *file, struct config_errors *errors);
void watch_plan_free(struct watch_plan *);

#endif
