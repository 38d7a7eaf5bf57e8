/*
 * compile.h - inside config/: a snapshot on its way, and the things it owns.
 *
 * Everything that a snapshot points to is kept in one list, so that a failure half way and the normal end free it in the same
 * way. An item that cannot be read is reported with the place of the option that names it, and compiling goes on, so that
 * one run shows all of it.
 */
#ifndef CONFIG_COMPILE_H
#define CONFIG_COMPILE_H

#include "config/owned.h"
#include "config/snapshot.h"

struct compile {
	struct snapshot *snap;
	const struct settings *s;
	struct config_errors *errors;
	/* About what the options name: items left out, lists that cannot be read. */
	struct config_errors warnings;
	bool failed;
	bool nomem;
};

/* Gives a thing to the snapshot (owned.h). Without memory, also notes that. */
void *compile_keep(struct compile *, const char *key, void *thing, void (*drop)(void *));
void *compile_array(struct compile *, size_t n, size_t size); /* zeroed */
/* Reports what is wrong with an item that an option names; why is taken. */
void compile_fail(struct compile *, struct place, enum option_id, enum res, char *why);

/* As compile_fail, but about data that others collect. At boot (settings.h, serve_without) it is only a warning, and
 * whatever depends on the data is refused or left out. True: continue without it. */
bool compile_lack(struct compile *, struct place, enum option_id, enum res, char *why);

/* NULL: an error says why. Anchors and log lists are read only once, even if several options name them. */
const struct trust *compile_trust(struct compile *, const char *where, struct place, enum option_id);
const struct ctlogs *compile_log_list(struct compile *, const char *file, struct place, enum option_id);
/* A list of these entries and, unless NULL, of the entries in these files. */
const struct cert_match *compile_entries(struct compile *, const struct strings *entries, enum option_id,
					 const struct strings *files, enum option_id files_id, bool builtin);
/* The entries that ctstub-watch(8) keeps in state-dir; NULL: there are none. */
const struct cert_match *compile_watch_entries(struct compile *);
const struct anchor_limits *compile_anchor_limits(struct compile *, const struct strings *files);
const struct crls *compile_crls(struct compile *, const struct strings *files); /* NULL without files */
const struct tp_identity *compile_identity(struct compile *,
					   const struct upstream_settings *); /* NULL without one */
/* The global log list, into snap->ctlogs and ctlogs_from. *warning: see log_list_choose. */
void compile_global_log_list(struct compile *, char **warning);
/* The global anchors, into policy. Anchors that no upstream uses need not exist. */
void compile_global_trust(struct compile *, struct vfy_policy *);

#endif
