/*
 * portal.h - the window for a captive portal, as a question sees it: while it is open, questions for the names of portal
 * probes go to a helper that asks the network's own resolver (ctstub-portal(8)), instead of to an upstream.
 *
 * It takes addresses of listed names (config/portal_names.h) that no forward of the configuration claims, and nothing else;
 * local names and the filter come first. Nothing that the helper says enters the cache. Equal questions are asked once.
 * It knows no sockets: portal_link.h carries the messages.
 */
#ifndef RESOLVER_PORTAL_H
#define RESOLVER_PORTAL_H

#include "base/dns/portal_message.h"
#include "resolver/client.h"
#include "resolver/engine_state.h"

#define PORTAL_TIME_MS       3500 /* the helper makes three attempts of a second; a client waits for five (glibc) */
#define PORTAL_QUESTIONS_MAX 16 /* in flight, as many as the helper takes from a worker */

struct portal;

/* Sends one ASK to the helper. False: it cannot be reached, and the question is handled as usual. */
struct portal_helper {
	bool (*ask)(void *ctx, const struct portal_message *);
	void *ctx;
};

enum res portal_new(struct portal **, struct engine *);
void portal_free(struct portal *); /* clients that wait are not called back */

/* Opens the window, or moves its end. helper: copied. until_ms: boot clock. */
void portal_open(struct portal *, const struct portal_helper *helper, int64_t until_ms);
void portal_close(struct portal *); /* clients that wait get SERVFAIL */
bool portal_is_open(const struct portal *);

/* True: the portal handles the question; *done as for engine_ask. False: the question is handled as if there were no
 * window. */
bool portal_ask(struct portal *, const struct msg_question *, const struct route *, const struct client *,
		struct buf *out, enum ask *done);
/* A new plan: a question whose name is answered here by now, or is not the portal's any more, gets no answer of the helper. */
void portal_reroute(struct portal *);
/* The helper's ANSWER; one that nobody waits for is dropped. */
void portal_answer(struct portal *, const struct portal_message *);
/* The helper has gone: clients that wait get SERVFAIL, and the next question tries it again. */
void portal_helper_gone(struct portal *);

#endif
