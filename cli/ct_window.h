/*
 * ct_window.h - the update window: while the list of CT logs is so old that every upstream is refused, `ct-logs update` asks
 * the upstreams itself for the names of its sources.
 *
 * Bounded in names (those of the sources), in time (10 minutes a day, kept in state-dir) and in trust: everything but the age
 * of the list holds for the upstream. Off with `update-window = false`.
 */
#ifndef CLI_CT_WINDOW_H
#define CLI_CT_WINDOW_H

#include "config/snapshot.h"

#define CT_WINDOW_MS     (10 * 60 * 1000LL)
#define CT_WINDOW_DAY_MS (24 * 3600 * 1000LL)

/* Takes a part of today's window. True, and *out is a snapshot of the upstreams to ask (yours), when the settings need and
 * allow it. config: as cli_settings takes it. */
bool ct_window_open(struct snapshot **out, const char *config, const char *state_dir,
		    const struct ctlogs *known, int64_t now_ms);

#endif
