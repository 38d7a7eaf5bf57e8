/*
 * known.h - what is known of the upstreams: facts that a table has or lacks, so that each is reported once.
 *
 * Pure and bounded: the place of the oldest fact goes to a new one. A fact is a keyed hash of its kind, its upstream and its
 * bytes, so the table holds no text.
 */
#ifndef RESOLVER_DAEMON_KNOWN_H
#define RESOLVER_DAEMON_KNOWN_H

#include "base/journal.h"
#include "base/random.h"

/* An upstream of 8 addresses whose certificates change weekly has about 200 facts a year; these are 48 KiB. */
#define KNOWN_MAX 4096

enum known_kind {
	KNOWN_UPSTREAM = 1, /* some address of it was accepted once */
	KNOWN_ADDRESS,
	KNOWN_LEAF,
	KNOWN_KEY,
	KNOWN_ISSUER,
	KNOWN_CA,
	KNOWN_SCTS,
	KNOWN_REFUSED /* the address is refused at present */
};

struct known {
	struct hash_key key;
	uint64_t fact[KNOWN_MAX];
	/* Chains of facts with the same low bits, so that reading a journal of 64 MiB at the start does not compare each of its
	 * facts with all others: the place of the first, and of the one after each, plus 1; 0: none. */
	uint16_t first[KNOWN_MAX], after[KNOWN_MAX];
	size_t n, next;
};

/* The struct must be zeroed by calloc(3), so that most of its pages are not used before there are many facts. */
void known_begin(struct known *);
bool known_has(const struct known *, enum known_kind, struct span upstream, struct span what);
/* True: it was not known before. */
bool known_add(struct known *, enum known_kind, struct span upstream, struct span what);
/* True: it was known. */
bool known_drop(struct known *, enum known_kind, struct span upstream, struct span what);

/*
 * Learns from a record, whose kind says whether the certificate was refused. Its certificate, key, issuer, logs and
 * address are known from now on. For an accepted certificate it sets news (enum journal_news) and the kind: a first
 * acceptance, a change, accepted again, or "known" if nothing is new. True: an upstream that was accepted before
 * presents another issuer or CA.
 */
bool known_learn(struct known *, struct journal_record *);

#endif
