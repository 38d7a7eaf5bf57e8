/*
 * snapshot.h - settings compiled for use: policies, anchors, lists, targets, routes. Immutable and counted.
 *
 * A snapshot is compiled as a whole or not at all, and replaces the running one as a whole. Threads share it:
 * a thread that keeps a pointer beyond a call holds a reference.
 *
 * The path of a setting: its row in options.def -> parse.h (words) -> options.h (a typed field of settings.h) ->
 * snapshot_compile (reads the files that the field names: compile.h) -> in the daemon plan.h, which each worker adopts.
 */
#ifndef CONFIG_SNAPSHOT_H
#define CONFIG_SNAPSHOT_H

#include "config/file.h"
#include "config/owned.h"
#include "config/settings.h"

struct upstream_plan {
	const char *title;
	const struct tp_target *target; /* one an address, in the order of the configuration */
	size_t n_target;
	/* The same, judged by the floor while the clock is not set (verify/when.h), for time-names; NULL without such names. */
	const struct tp_target *target_by_floor;
	const struct vfy_policy *policy; /* of all its targets */
	bool general;                    /* serves names that no forward claims */
	bool trust_ad;
	const char **warning; /* for `ctstubd -t` and the log: "a set of one pin", ... */
	size_t n_warning;
};

struct forward_plan {
	struct span suffix;       /* wire form, lower case, uncompressed; "." is one zero byte */
	const uint32_t *upstream; /* indices into snapshot.upstream */
	size_t n_upstream;        /* 0: never leaves this machine */
};

struct snapshot {
	_Atomic uint32_t refs;
	uint64_t generation;
	const struct settings *settings; /* owned */
	struct upstream_plan *upstream;
	size_t n_upstream;
	struct forward_plan *forward; /* address prefixes are expanded to their reverse zones */
	size_t n_forward;
	const struct vfy_policy *policy; /* the global one, without any upstream's own lists */
	const struct ctlogs *ctlogs;     /* the global list (ct.log-list, state-dir or compiled in) */
	const char *ctlogs_from;         /* "compiled in" or a path */
	const char *ctlogs_unread;       /* why a list in state-dir cannot be used; NULL: none is bad */
	/* The latest floor (verify/policy.h) of the upstreams' policies: before it some upstream counts the clock as not set. */
	int64_t floor_ms;
	struct span *time_name; /* time-names, wire form, lower case */
	size_t n_time_name;
	const char **warning; /* of no upstream in particular: "the stored log list is not used ..." */
	size_t n_warning;
	const char *
	    *list_warning; /* of files that the options name: items left out, lists that cannot be read */
	size_t n_list_warning;
	bool watch_unread;       /* this user may not read the watcher's entries; a list warning says why */
	struct owned_list owned; /* everything it points to */
};

/* The settings are taken, also on failure. Reads every file that they name; errors as in settings_read, with the
 * place of the option. Broken settings are only searched for more errors, and never become a snapshot. generation
 * must be larger than any before. */
enum res snapshot_compile(struct snapshot **out, struct settings *, uint64_t generation,
			  struct config_errors *);
/* Adds list warnings to a snapshot that is not shared yet. RES_NOMEM: some are missing. */
enum res snapshot_warn(struct snapshot *, const struct config_errors *warnings);
struct snapshot *snapshot_ref(struct snapshot *);
void snapshot_unref(struct snapshot *); /* any thread; the last one frees */

/* The upstream of this title; NULL when there is none. */
const struct upstream_plan *snapshot_upstream(const struct snapshot *, const char *title);

#endif
