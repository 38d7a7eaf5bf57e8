/*
 * anchor_limits_table.h - the inside of a table of limits, for anchor_limits_*.c only.
 */
#ifndef VERIFY_ANCHOR_LIMITS_TABLE_H
#define VERIFY_ANCHOR_LIMITS_TABLE_H

#include "verify/anchor_limits.h"

/* One line of a file, or of the compiled-in table. */
struct limits_entry {
	bool of_file; /* else compiled in */
	bool by_key;  /* spki-sha256, else cert-sha256 */
	uint8_t hash[32];
	struct anchor_limit limit;      /* without its permits; texts of limits_text_keep */
	struct anchor_permits *permits; /* owned, large; NULL: it names none */
};

struct limits_entry *limits_entry_new(bool of_file); /* NULL: no memory */
/* Room for the names and addresses of an entry, allocated for the first one. NULL: no memory. */
struct anchor_permits *limits_permits(struct limits_entry *);
/* A sentence that lives as long as the table, for any number of its entries. NULL: no memory. */
const char *limits_text_keep(struct anchor_limits *, struct span text);
void limits_entry_free(struct limits_entry *);
/* The entry is taken, also on failure. RES_MALFORMED: this anchor has one already. RES_LIMIT: the table is full. */
enum res limits_entry_add(struct anchor_limits *, struct limits_entry *, char **why);

#endif
