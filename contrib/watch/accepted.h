/*
 * accepted.h - a finding held against the certificates that the daemon accepted from its upstreams, by its journal.
 *
 * A CA can put the key of a good certificate into a rogue one, and its serial and issuer name too. What is blocked must not
 * meet the good one, also where no log has shown that to us yet: it was issued before we began to read.
 */
#ifndef CONTRIB_WATCH_ACCEPTED_H
#define CONTRIB_WATCH_ACCEPTED_H

#include "contrib/watch/finding.h"

struct accepted {
	bool key;    /* another certificate with its key was accepted */
	bool serial; /* another certificate with its serial and issuer name was accepted */
};

/*
 * The daemon may have accepted the rogue certificate itself: one with its serial, key and signer protects nothing. Where the
 * journal cannot be read (*why, a constant or strerror's), the key may be of a good certificate: `key` is true.
 */
void accepted_read(struct accepted *, const char *state_dir, const struct watch_finding *, const char **why);

#endif
