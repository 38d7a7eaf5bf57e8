/*
 * shown.h - the certificates that an upstream shows: what an entry of a known-file is made of.
 *
 * They come from the daemon's journal, which records what it accepted. If the journal has nothing about the upstream,
 * they come from its servers: we connect to each address as the daemon does, and judge it by the upstream's own policy;
 * only accepted certificates count.
 */
#ifndef CONTRIB_WATCH_SHOWN_H
#define CONTRIB_WATCH_SHOWN_H

#include "base/journal_shown.h"
#include "config/settings.h"
#include "contrib/watch/commands.h"

#define SHOWN_MAX     JOURNAL_SHOWN_MAX /* more than an upstream has addresses (CONFIG_ADDRESSES_MAX) */
#define SHOWN_LIVE_MS 10000             /* for one address */

struct shown {
	uint8_t sha256[32], spki_sha256[32];
	bool has_issuer;
	uint8_t issuer_spki_sha256[32];
	char subject[512]; /* RFC 4514; cut where it is longer */
	char from[128];    /* a file, or the address */
};

/* Certificates of a file, PEM or DER: appends the first, *n is its size, and the second where there is one. */
bool shown_certificates(struct buf *der, size_t *n, struct span text);
/* What the upstream of that title shows; at most SHOWN_MAX. The settings may be taken, and are NULL then. Complains:
 * WATCH_REFUSED when none was accepted, WATCH_USAGE when there is no such upstream. */
enum watch_exit shown_live(struct shown out[], size_t *n, struct settings **, const char *title);

#endif
