/*
 * admission.h - which question in flight is dropped when there are too many.
 *
 * On loopback every program has the same address, so quotas by address do not help there. The questions of a flood differ
 * from others in that they stay: names without an answer hold their places for seconds, while an answer takes
 * milliseconds. So the question with the highest cost is dropped. Its cost is its age times the number that its group (one
 * registered domain and one client address) holds, plus a little for the numbers that its address and its port hold. The
 * cost is lower for domains that have answered lately. The victim is the worst of a small random sample, so that no client
 * can aim at another, and choosing it takes the same time whatever the number.
 *
 * A domain with many questions that stay unanswered while other domains get answers gets no more places until it
 * gives some back: its flood is shed before it reaches an upstream.
 *
 * Knows no names and no clock: domains are keyed hashes, time is a parameter.
 */
#ifndef RESOLVER_ADMISSION_H
#define RESOLVER_ADMISSION_H

#include "base/addr.h"
#include "base/res.h"

#include <sys/queue.h>

/* Entries sampled to find the victim, or all if there are no more: a flood of 9 in 10 is missed once in 10^16. */
#define ADMISSION_SAMPLE 16
/* Unanswered questions of a group beyond which it is a flood, if it is also late. */
#define ADMISSION_GROUP 256
/* Unanswered for this long: most answers, and all of a healthy domain's, have come by then. */
#define ADMISSION_LATE_MS  1000
#define ADMISSION_PROVEN   4096  /* domains remembered to have answered lately, in sets of four */
#define ADMISSION_TRUST_MS 60000 /* ... for so long, or up to a second less */
#define ADMISSION_CREDIT   16    /* their questions cost this fraction */

struct admission_entry;

/* The total of all questions that have something in common: a group, an address, or a port. */
struct admission_tally {
	uint64_t key;
	uint32_t entries, weight;
	TAILQ_HEAD(, admission_entry) list; /* of a group only; the oldest first */
	SLIST_ENTRY(admission_tally) link;  /* in its bucket, or among the free ones */
};

/* Embedded in a question, zeroed before the first use. */
struct admission_entry {
	uint32_t at;     /* its place among all, from 1; 0: it is not in */
	uint32_t weight; /* clients that wait for it; at least 1 counts */
	int64_t since_ms;
	uint64_t zone;
	struct admission_tally *group, *address, *port;
	TAILQ_ENTRY(admission_entry) link; /* of its group */
};

/* Who asks, and for what. */
struct admission_claim {
	uint64_t zone; /* keyed hash of the registered domain */
	const struct addr *client;
};

struct admission;
/* max: entries at the same time. */
enum res admission_new(struct admission **, uint32_t max);
void admission_free(struct admission *); /* the entries must have left, or go as well */

/* True: this question may be asked; *victim (lent; NULL: none) must be dropped for it. */
bool admission_admits(struct admission *, const struct admission_claim *, int64_t now_ms,
		      struct admission_entry **victim);
/* The question to drop next; NULL: there is none. Lent. */
struct admission_entry *admission_worst(const struct admission *, int64_t now_ms);

/* False: all max places are taken. */
bool admission_enter(struct admission *, struct admission_entry *, const struct admission_claim *,
		     int64_t now_ms);
void admission_leave(struct admission *, struct admission_entry *); /* harmless when it is not in */
/* One more client waits for it, or one less. */
void admission_weigh(struct admission_entry *, int change);
/* The domain answered. */
void admission_answered(struct admission *, uint64_t zone, int64_t now_ms);
uint32_t admission_count(const struct admission *);

#endif
