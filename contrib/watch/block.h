/*
 * block.h - disallow entries made from a finding: proposed.txt for a person to review, disallow.txt that applies to every
 * upstream.
 *
 * A certificate gives two entries: its serial with its issuer, and its key. A key that is expected (pinned, known, or in
 * a certificate that was found and expected) is never blocked: otherwise an attacker could cut everybody off with a
 * certificate issued for the resolver's own key. The serial of a certificate that was found and expected is not blocked
 * either.
 *
 * The entries of a finding that is not proven (issued.h) are written as comments: a log can make up a certificate with
 * the serial and the key of a good one. A person may know better.
 */
#ifndef CONTRIB_WATCH_BLOCK_H
#define CONTRIB_WATCH_BLOCK_H

#include "contrib/watch/finding.h"

#define BLOCK_PROPOSED_FILE "proposed.txt"
enum block_by { BLOCK_SERIAL = 1, BLOCK_KEY = 2 };
#define BLOCK_FILE_MAX (16 * 1024 * 1024) /* of all entries; a finding takes about 1 KB */

/* Appends the entries of a finding as lines, with a comment before them that gives the log, the index and the reason. by:
 * bits of enum block_by, what may be blocked. RES_MALFORMED: the finding has nothing that an entry could name. */
enum res block_entries(struct buf *out, const struct watch_finding *, unsigned by);
/* Adds the entries of a finding to the file in that folder, which is replaced as a whole. Adds nothing if the file has
 * the finding already. *why (yours) on failure. */
enum res block_add(int folder, const char *file, const struct watch_finding *, unsigned by, char **why);
/* Removes the entries of the finding with this id from the file; all other lines stay. *changed: there were some. */
enum res block_remove(int folder, const char *file, const uint8_t id[FINDING_ID_SIZE], bool *changed,
		      char **why);

#endif
