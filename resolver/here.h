/*
 * here.h - the questions that are answered without an upstream: local names, single labels, filtered names, and names that
 * exist here or nowhere.
 */
#ifndef RESOLVER_HERE_H
#define RESOLVER_HERE_H

#include "resolver/engine_state.h"

/* False: an upstream has to be asked. Else *out is the reply; it is lent from *room and the engine's scratch. */
bool here_reply(struct engine *, const struct msg_question *, const struct route *, struct msg_answer *room,
		struct reply *out);
/* The reply of filter-answer to a name that is not given out; ede says why. Lent like the one above. */
struct reply here_blocked(struct engine *, const struct msg_question *, const struct msg_ede *ede,
			  enum counter counts_as, struct msg_answer *room);

#endif
