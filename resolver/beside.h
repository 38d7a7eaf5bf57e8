/*
 * beside.h - no question waits behind a slow one: while the answers on a server's connection are late, others go over
 * a second one.
 *
 * A server that answers in order holds back every answer behind a slow one, and a lost segment does so with any server.
 * tp_slot_is_late detects both. The late question itself is not repeated: it would only block the next connection. A
 * connection beside the first one is closed when nothing is late any more. With `hedge = false` there is none.
 */
#ifndef RESOLVER_BESIDE_H
#define RESOLVER_BESIDE_H

#include "resolver/upstream_set.h"

/* The connection for a question that may share one: the first one, or while that is late one beside it. *beside: it is not the
 * first one. NULL: no memory. */
struct tp_slot *server_shared_slot(struct server *, bool *beside);
/* A question on its first connection would wait behind a late answer. */
bool server_is_late(const struct server *);
/* Something came back: connections that are not needed any longer are closed. */
void server_beside_tidy(struct server *);
/* All of them, as after a change of network. */
void server_beside_drop(struct server *);

#endif
