/*
 * beside.h - no question waits behind a slow one: while the answers on a server's connection are late, others go over
 * a second one.
 *
 * A server that answers in order holds back every answer behind a slow one, and a lost segment does so with any server.
 * tp_slot_is_late detects both. Over HTTP/2 a server allows a number of questions at the same time, often a hundred, and slow
 * ones can take them all (tp_slot_is_full). The late question itself is not repeated: it would only block the next connection.
 * A connection beside the first one is closed when it is not needed any more. With `hedge = false` there is none.
 */
#ifndef RESOLVER_BESIDE_H
#define RESOLVER_BESIDE_H

#include "resolver/upstream_set.h"

/* The connection for a question that may share one: the first connection, or one beside it while the first is
 * blocked. stays: always the first. *beside: it is not the first. NULL: no memory. */
struct tp_slot *server_shared_slot(struct server *, bool stays, bool *beside);
/* A question on its first connection would wait for another question: the connection is late or full. */
bool server_is_blocked(const struct server *);
/* Something came back: closes connections that are no longer needed. */
void server_beside_tidy(struct server *);

#endif
