/*
 * accepted.h - compares a finding with the certificates that the daemon accepted from its upstreams, as its journal
 * records them.
 *
 * A CA can issue a rogue certificate with the key of a good one, or with its serial and issuer name. An entry that blocks
 * the rogue certificate must not match the good one too, which we may never have seen in a log, as it was issued before
 * we began to read.
 */
#ifndef CONTRIB_WATCH_ACCEPTED_H
#define CONTRIB_WATCH_ACCEPTED_H

#include "contrib/watch/finding.h"

struct accepted {
	bool key;    /* another certificate with its key was accepted */
	bool serial; /* another certificate with its serial and issuer name was accepted */
};

/*
 * An accepted certificate with the same serial, key and signer is the rogue one itself, and does not count. If the
 * journal cannot be read, `key` is true, because the key may belong to a good certificate; *why is a constant or
 * strerror's text.
 */
void accepted_read(struct accepted *, const char *state_dir, const struct watch_finding *, const char **why);

#endif
