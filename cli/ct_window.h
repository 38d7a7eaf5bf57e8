/*
 * ct_window.h - the update window: if the list of CT logs is older than list-max-age, the daemon may refuse the
 * upstreams for that reason. Then `ct-logs update` itself asks the upstreams for the addresses of its sources.
 *
 * The window is bounded in names (those of the sources), in time (10 minutes a day, recorded in state-dir:
 * config/window_record.h) and in trust. All checks except that of the list's age apply (SCTs of logs that are not on
 * the list count as those of newer logs), and an upstream must present the key, or the key of the issuer, of its last
 * acceptance in the journal. A new machine has no acceptance in its journal, and no list but the compiled-in one: there
 * every upstream that is acceptable except for the list's age is asked. Off with `update-window = false`.
 */
#ifndef CLI_CT_WINDOW_H
#define CLI_CT_WINDOW_H

#include "config/snapshot.h"
#include "config/window_record.h"

struct ct_window; /* while it is open */

/* Opens a window. NULL: the settings do not need or allow it, or it is over for this day; standard error says which.
 * config: as cli_settings takes it. state_dir: where the record is kept, beside the list. compiled_in: the list in
 * effect is the compiled-in one. */
struct ct_window *ct_window_open(const char *config, const char *state_dir, const struct ctlogs *known,
				 bool compiled_in, int64_t now_ms);
/* Appends the addresses of one source's host, as lookup_host. RES_NOT_FOUND: the time is over, or it cannot be recorded. */
enum res ct_window_lookup(struct ct_window *, struct buf *out, const char *host);
/* A window in which no upstream answered does not count for the day. NULL is allowed. */
void ct_window_close(struct ct_window *);

#endif
