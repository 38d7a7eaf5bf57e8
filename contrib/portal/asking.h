/*
 * asking.h - one question on its way to the network's resolver: a fresh socket for each attempt, with an unpredictable
 * port and id.
 */
#ifndef CONTRIB_PORTAL_ASKING_H
#define CONTRIB_PORTAL_ASKING_H

#include "contrib/portal/question.h"
#include "contrib/portal/resolvers.h"
#include "transport/loop.h"

#define ASKING_ATTEMPTS 3    /* one resolver is asked again, several in turn */
#define ASKING_WAIT_MS  1000 /* for each: three fit into the 3.5 s that the daemon waits (portal.h) */
/* Datagrams that do not answer it; then the next attempt, so a spoofer gets no more guesses. */
#define ASKING_STRAY_MAX 16

struct asking;

struct asking_setup {
	struct loop *loop;
	const struct resolvers *resolvers; /* lent during the call */
	uint16_t type;
	struct span name; /* lent during the call */
	/* Once, not from inside asking_start. The asking is still there, to be freed. */
	void (*on_done)(void *ctx, const struct portal_message *answer);
	void *ctx;
};

enum res asking_start(struct asking **, const struct asking_setup *);
void asking_free(struct asking *); /* NULL is accepted */

#endif
