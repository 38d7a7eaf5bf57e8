/*
 * serve.h - the daemon's connections, and the rules that no message of the daemon can relax: a question goes out only
 * within a window of at most an hour, for a name on the list (portal_names.h), for addresses, and within a rate limit.
 *
 * One connection is one window of one worker of the daemon. A message that breaks the protocol ends its connection.
 */
#ifndef CONTRIB_PORTAL_SERVE_H
#define CONTRIB_PORTAL_SERVE_H

#include "config/settings.h"
#include "contrib/portal/resolvers.h"
#include "transport/loop.h"

#define SERVE_SESSIONS_MAX CONFIG_WORKERS_MAX /* one for each worker */
#define SERVE_ASKINGS_MAX  16 /* of a session in flight: a desktop probes with two or three names */
/* Of all sessions in SERVE_QUESTIONS_MS: a browser and a desktop ask a few times a second. */
#define SERVE_QUESTIONS_MAX 60
#define SERVE_QUESTIONS_MS  10000
#define SERVE_OPEN_MS       5000  /* a connection that has not asked for a window by then is closed */
#define SERVE_IDLE_MS       10000 /* without a connection the program ends; systemd starts it again */

struct serve;

struct serve_setup {
	struct loop *loop;
	int fd;                          /* listens, SOCK_SEQPACKET; taken */
	const struct settings *settings; /* lent, as long as this lives */
	/* The network's resolver, looked up for each question: the machine may be on another network by then. */
	void (*find)(void *ctx, struct resolvers *);
	void *find_ctx;
	void (*on_idle)(void *ctx); /* nobody has been connected for SERVE_IDLE_MS */
	void *idle_ctx;
};

enum res serve_new(struct serve **, const struct serve_setup *);
void serve_free(struct serve *);

#endif
