/*
 * health.h - events of a server, from its connections and from its answers, and how they change its health.
 *
 * zone: a keyed hash of the registered domain of a question. One bad name does not prove that the server is bad, so most
 * failures count against the zone of the question first.
 */
#ifndef RESOLVER_HEALTH_H
#define RESOLVER_HEALTH_H

#include "resolver/upstream_set.h"

/*
 * How long a server rests after this many failures in a row: twice as long after each, from least to most milliseconds.
 * Half of the time is random, so that a fleet that lost its upstream does not return all at once.
 */
int64_t health_rest_ms(unsigned failures, int64_t least, int64_t most);

/* An answer to a question of this zone, which was sent at that time: the zone does no harm. */
void server_answered_zone(struct server *, uint64_t zone, int64_t sent_ms);
/* A verdict refused the server, or something else failed: the network, or memory of our own. detail: for the log; may be
 * NULL. */
void server_failed(struct server *, enum reason, bool refused, const char *detail);
/* The shared connection could not be made, and no verdict was the reason. A refused server counts as failing then, unless
 * only memory of our own is short. */
void server_unreached(struct server *, enum reason, const char *detail);
/* The server is alive but sent no usable answer. One such answer is blamed on the question. UPSTREAM_BAD_MAX zones in
 * a row make the server come after the others; its connection stays open. */
void server_answered_badly(struct server *, uint64_t zone, enum reason);
/* Connections ended while they carried the question; `alone` of them carried nothing else. apart: the question had
 * its own connection. */
void server_killed(struct server *, uint64_t zone, unsigned alone, bool apart);
/* The shared connection brought a failure, or no answer at all. */
void server_answered_poorly(struct server *);
void server_answered_well(struct server *, uint64_t zone);
/* It asked for a pause of this length (Retry-After: RFC 9110, 10.2.3). Only the answer to a question that was sent
 * later, as a probe, ends the pause early. */
#define UPSTREAM_WAIT_MAX_MS 300000 /* the longest pause that a server is granted */
void server_asked_to_wait(struct server *, enum reason, int64_t ms);
/* The server has not answered this question for longer than usual. */
void server_is_slow(struct server *);
/* The server has sent nothing for so long that the connection must be dead: it is dropped, and open questions are
 * repeated. */
void server_stalled(struct server *);
/* The connection is up and its verdict accepted. */
void server_connected(struct server *);

/* One line of the log, within the limit of lines of all upstreams. */
void server_log(struct server *, enum log_level, const char *event, enum reason, const char *detail);

#endif
