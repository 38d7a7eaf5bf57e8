/*
 * warm.h - for how long, and to which servers, connections are kept open between queries.
 *
 * The first question after a pause is three round trips faster when its connection is open. So connections are kept for
 * several times the longest recent pause between questions, for a minute while no pause is known, and never for longer than
 * the option keep-warm. While somebody uses the machine they are open most of the time; if a program sends a query once an
 * hour, they are not kept open after the first one. Only questions that went to an upstream count. What keeping costs is in
 * transport.h (tp_slot_keep).
 */
#ifndef RESOLVER_WARM_H
#define RESOLVER_WARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WARM_PAUSES       8     /* that are remembered */
#define WARM_PAUSE_MIN_MS 1000  /* shorter ones occur while one page loads */
#define WARM_FIRST_MS     60000 /* while no pause is known: a new user usually continues sooner */
#define WARM_FACTOR       8     /* the pauses of one person differ by this factor */
#define WARM_SERVERS_MAX  4     /* kept at the same time: those asked last */

struct server; /* server.h */

/* Zeroed before its first use. */
struct warm {
	int64_t asked_ms; /* awake time of the last question; 0: none yet */
	int64_t pause_ms[WARM_PAUSES];
	unsigned next;
	bool paused;                             /* some pause is known */
	struct server *server[WARM_SERVERS_MAX]; /* the one asked last first */
};

/* A question goes out. most_ms: keep-warm. Times stand still while the machine sleeps (engine_awake_ms). */
void warm_on_question(struct warm *, int64_t awake_ms, int64_t most_ms);
/* How long connections are kept after a question; 0: not at all. */
int64_t warm_hold_ms(const struct warm *, int64_t most_ms);
/* There was a question less than keep-warm ago. */
bool warm_is_in_use(const struct warm *, int64_t awake_ms, int64_t most_ms);

/* Puts the server first. Returns the server that is no longer kept, or NULL. */
struct server *warm_add(struct warm *, struct server *);
void warm_forget(struct warm *, const struct server *);

#endif
