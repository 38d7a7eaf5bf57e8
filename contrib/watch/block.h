/*
 * block.h - disallow entries made of a finding: proposed.txt for a person, disallow.txt that every upstream honours.
 *
 * A certificate gives two: its serial and issuer, and its key. A key that is expected of somebody (pinned, known, or in a
 * certificate that was found and expected) is never blocked: whoever has a certificate issued for a resolver's own key
 * must not thereby cut everybody off. Nor is the serial of a certificate that was found and expected.
 *
 * Of a finding that is not proven (issued.h) the entries are comments: a log can make a certificate up, with the serial
 * and the key of a good one. A person may know better.
 */
#ifndef CONTRIB_WATCH_BLOCK_H
#define CONTRIB_WATCH_BLOCK_H

#include "contrib/watch/finding.h"

#define BLOCK_PROPOSED_FILE "proposed.txt"
enum block_by { BLOCK_SERIAL = 1, BLOCK_KEY = 2 };
#define BLOCK_FILE_MAX (16 * 1024 * 1024) /* of all entries; a finding takes about 1 KB */

/* Appends the entries of a finding as lines, with a comment before them that tells log, index and why. by: of enum
 * block_by, what may be blocked. RES_MALFORMED: there is nothing in it that an entry could name. */
enum res block_entries(struct buf *out, const struct watch_finding *, unsigned by);
/* Adds entries to the file in that folder, which is replaced as a whole; those of a finding that is there already are not
 * added again. *why (yours) on failure. */
enum res block_add(int folder, const char *file, const struct watch_finding *, unsigned by, char **why);
/* Takes the entries of the finding with this id out of the file; all other lines stay. *changed: there were some. */
enum res block_remove(int folder, const char *file, const uint8_t id[FINDING_ID_SIZE], bool *changed,
		      char **why);

#endif
