#include "config/snapshot.h"

#include "config/owned.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum res
snapshot_warn(struct snapshot *snap, const struct config_errors *warnings)
{
	bool all = true;

	for (size_t i = 0; i < warnings->n; i++)
		all &= owned_append_text(&snap->owned, &snap->list_warning, &snap->n_list_warning,
					 warnings->line[i]);
	if (warnings->more)
		all &= owned_append_text(&snap->owned, &snap->list_warning, &snap->n_list_warning,
					 "and more items of lists were left out");
	return all ? RES_OK : RES_NOMEM;
}

struct snapshot *
snapshot_ref(struct snapshot *snap)
{
	atomic_fetch_add_explicit(&snap->refs, 1, memory_order_relaxed);
	return snap;
}

void
snapshot_unref(struct snapshot *snap)
{
	if (snap == NULL || atomic_fetch_sub_explicit(&snap->refs, 1, memory_order_acq_rel) != 1)
		return;
	owned_drop(&snap->owned);
	settings_free((struct settings *)(uintptr_t)snap->settings);
	free(snap);
}

const struct upstream_plan *
snapshot_upstream(const struct snapshot *snap, const char *title)
{
	for (size_t i = 0; i < snap->n_upstream; i++)
		if (strcmp(snap->upstream[i].title, title) == 0)
			return &snap->upstream[i];
	return NULL;
}
