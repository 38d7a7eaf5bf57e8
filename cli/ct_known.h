/*
 * ct_known.h - which upstreams the update window may ask, and by which keys: those of the last acceptance of each address in
 * the journal (base/journal.h).
 *
 * The journal is read as the other files of state-dir are (config/file.h): one that another user could have written, or that
 * cannot be read, vouches for nobody.
 */
#ifndef CLI_CT_KNOWN_H
#define CLI_CT_KNOWN_H

#include "config/snapshot.h"

struct ct_known;

/* NULL: no upstream is usable; standard error says why. The snapshot is lent and outlives it. compiled_in: the list
 * in effect is the compiled-in one. Then a machine whose journal has no acceptance at all is new, and every upstream
 * may be asked. */
struct ct_known *ct_known_read(const struct snapshot *, const char *state_dir, bool compiled_in);
/* The targets, whose policies require a known key. */
const struct tp_target *ct_known_targets(const struct ct_known *);
size_t ct_known_count(const struct ct_known *);
void ct_known_free(struct ct_known *); /* NULL is allowed */

#endif
