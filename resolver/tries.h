/*
 * tries.h - the servers to which one question has already been sent.
 */
#ifndef RESOLVER_TRIES_H
#define RESOLVER_TRIES_H

#include <stdbool.h>
#include <stdint.h>

/* Of one question, in all; each address at most once (the transport may repeat it once). */
#define TRIES_MAX 16

/* Zeroed before its first use. Servers are known by their ids (server.h). */
struct tries {
	uint32_t id[TRIES_MAX];
	bool spent[TRIES_MAX]; /* it had the question and gave no answer: not to be asked again */
	unsigned n;
	uint32_t spin; /* strategy spread: where this question begins */
};

/* Does nothing if the server is in the list already, or the list is full. */
void tries_add(struct tries *, uint32_t id);
/* The server got the question. */
void tries_spend(struct tries *, uint32_t id);
/* Servers that never got the question may be tried again. */
void tries_forget_unspent(struct tries *);
bool tries_have(const struct tries *, uint32_t id);
bool tries_have_spent(const struct tries *, uint32_t id);

#endif
