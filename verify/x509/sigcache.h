/*
 * sigcache.h - signatures that were found to hold, so that the next judgement of the same chain need not compute them again.
 *
 * That a key verifies a signature over some bytes is a fact of mathematics: it depends on no time, policy, list or peer. Only
 * such facts are kept, and only those that hold. What does not hold is computed anew each time, and so is all else that a
 * judgement says: dates, names, revocation, disallow entries, pins, and which keys are trusted.
 *
 * A fact is known by a SHA-256 over everything that the check depends on, so nothing that differs in a bit can meet it. A hit
 * takes as much of the judgement's budget as the check did: a verdict is the same with and without the cache.
 *
 * Changed by judgements, so one thread at a time may use it. It is bounded; a newer fact replaces an older one.
 */
#ifndef VERIFY_X509_SIGCACHE_H
#define VERIFY_X509_SIGCACHE_H

#include "base/res.h"
#include "verify/x509/cert.h"

/* A chain has two signatures of CAs and two to five of logs, and the addresses of an upstream usually present the
 * same chain. So this is enough for the chains of about 70 upstreams, in 18 KiB. */
#define SIGCACHE_MAX 512

struct sigcache;

/* The key of one check. The caller gives everything that its check depends on; sigcache_key hashes it. */
struct sigcache_key {
	uint8_t sha256[32];
};

enum sigcache_kind {
	SIGCACHE_CERT, /* a certificate's signature: the certificate's SHA-256, the key's */
	SIGCACHE_SCT /* an SCT's: the leaf's SHA-256, the issuer key's, the log key's, and the SCT's signed fields and signature */
};

enum res sigcache_new(struct sigcache **);
void sigcache_free(struct sigcache *); /* accepts NULL */
/* The cache for a judgement under a policy of this generation: whatever was found under an older one is forgotten.
 * NULL for an older generation than the cache's, and for no cache: then every signature is computed. */
struct sigcache *sigcache_under(struct sigcache *, uint64_t generation);
size_t sigcache_count(const struct sigcache *);

/* The lengths of the parts are hashed too, so that different parts never give the same bytes. False: no memory;
 * nothing can be looked up. */
bool sigcache_key(struct sigcache_key *, enum sigcache_kind, const struct span *parts, size_t n);
/* The cost of the check when it was made (spki.h); 0: the signature is not known to verify. */
unsigned sigcache_cost(const struct sigcache *, const struct sigcache_key *);
/* Remembers that the signature verified. The cost must not be 0. */
void sigcache_add(struct sigcache *, const struct sigcache_key *, unsigned cost);

#endif
