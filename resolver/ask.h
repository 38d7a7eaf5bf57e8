/*
 * ask.h - a question that was read: local names, the filter and the cache may answer it at once; else its client waits.
 */
#ifndef RESOLVER_ASK_H
#define RESOLVER_ASK_H

#include "resolver/client.h"
#include "resolver/engine_state.h"

/* ASK_REPLIED: the reply was appended to out. */
enum ask ask_question(struct engine *, const struct msg_question *, const struct client *, struct buf *out);
/* The message was not a question that can be answered. The error says why where the RCODE does not; else NULL. */
enum ask ask_refuse(struct engine *, const struct msg_question *, const struct client *, uint16_t rcode,
		    const struct msg_ede *, enum counter, struct buf *out);

#endif
