/*
 * budget.h - limits the bytes that many holders have together, and chooses which of them gives way.
 *
 * Each holder's weight is updated when its bytes change. Above the maximum the heaviest gives way, by powers of two; among
 * those of about the same weight, the one that has had this weight the longest. So a holder of few bytes is safe from those
 * with many, however many they are.
 */
#ifndef RESOLVER_BUDGET_H
#define RESOLVER_BUDGET_H

#include <stddef.h>
#include <sys/queue.h>

#define BUDGET_CLASSES 24 /* the last: 8 MiB and more, far beyond what one connection may hold */

/* Embedded in its holder, zeroed before the first use. */
struct budget_item {
	size_t bytes;
	unsigned class; /* of its list; 0: holds nothing and is in none */
	TAILQ_ENTRY(budget_item) link;
};

struct budget {
	size_t max, used;
	TAILQ_HEAD(, budget_item) class[BUDGET_CLASSES + 1]; /* by weight; each has the oldest first */
};

void budget_init(struct budget *, size_t max);
/* Sets what the holder has from now on. Must be set to 0 before the holder is freed. */
void budget_set(struct budget *, struct budget_item *, size_t bytes);
/* The holder that must give way; NULL: none. Lent. */
struct budget_item *budget_victim(const struct budget *);

#endif
