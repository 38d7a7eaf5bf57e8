/*
 * time_names.h - resolves the names of time servers while the clock is not set (option time-names).
 *
 * A machine whose clock is not set cannot verify the dates of a certificate, and cannot get the time without resolving a name.
 * For the names that the configuration lists, and for A and AAAA only, the floor serves as the clock (verify/when.h): nothing
 * is refused because it is not valid yet; all other checks apply. This is a separate engine, with its own connections and a
 * small cache, so that no other name is ever sent over a connection that was accepted by fewer checks. Each question that goes
 * upstream is logged and counted, and their rate is limited. The engine is created when it is needed, and freed once the clock
 * is set.
 */
#ifndef RESOLVER_TIME_NAMES_H
#define RESOLVER_TIME_NAMES_H

#include "base/dns/message.h"
#include "resolver/engine_state.h"
#include "resolver/server.h"

/* Of one worker: an NTP client asks for its four servers, in both families, when it starts; after that one in three seconds. */
#define TIME_NAMES_BURST 20
#define TIME_NAMES_MS    3000
#define TIME_NAMES_CACHE (64 * 1024) /* bytes; for 16 names */

/* The configuration lists this name. */
bool time_names_list(const struct engine *, const struct msg_question *);
/* There are time-names, and the clock is not set. */
bool time_names_needed(const struct engine *);
/* ... and this question is for one of them, and is not answered without an upstream. */
bool time_names_have(struct engine *, const struct msg_question *);
/* Such a question goes to e->by_floor. False: too many did. */
bool time_names_take(struct engine *e, const struct msg_question *);
extern const struct server_hooks time_names_hooks; /* they log */

#endif
