/*
 * time_names.h - names of time servers, resolved while the clock is not set (option time-names).
 *
 * A machine without a clock of its own cannot judge a certificate, and cannot learn the time without a name. For the names that
 * the configuration lists, and for A and AAAA only, the floor serves as the clock (verify/when.h): nothing is refused for not
 * having begun yet, everything else holds as ever. It is an engine of its own, with connections and a small cache of its own, so
 * that no other name ever goes over a connection that was accepted by less. Each question that goes upstream is logged and
 * counted, and they are few. It is made when it is needed, and goes once the clock is set.
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

/* There are such names, and the clock is not set. */
bool time_names_needed(const struct engine *);
/* ... and this question is for one of them. */
bool time_names_have(const struct engine *, const struct msg_question *);
/* Such a question goes to e->by_floor. False: too many did. */
bool time_names_take(struct engine *e, const struct msg_question *);
extern const struct server_hooks time_names_hooks; /* they log */

#endif
