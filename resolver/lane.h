/*
 * lane.h - separate connections: for questions that may do harm, and for comparing a connection with a new one.
 *
 * In addition to the connection that all questions share, a server has a few lanes: connections with one question at a time.
 * A question whose zone does harm (quarantine.h) gets its own lane. A trial sends a question over a new connection, which
 * becomes the shared one if it does better.
 */
#ifndef RESOLVER_LANE_H
#define RESOLVER_LANE_H

#include "resolver/upstream_set.h"

/* How a question of this zone may be sent to a server. */
enum manner {
	MANNER_SHARED, /* on the connection that all share */
	MANNER_ALONE,  /* on one of its own: it, or its zone, may do harm */
	MANNER_TRIAL,  /* on a fresh one, which takes the shared one's place when it does better */
	MANNER_NOT,    /* not now: see upstreams_due_ms */
	MANNER_NEVER,  /* its zone is known to do harm */
};
/* suspect: connections ended while they carried this question. waited: a question that is not suspect has waited
 * long enough for a free lane. */
enum manner server_manner(struct server *, uint64_t zone, bool suspect, bool waited);
enum quarantine_state server_quarantine(const struct server *, uint64_t zone);
/* True: the question may also be asked over a fresh connection, because this one brings no good answers. Counts the
 * trial. */
bool server_takes_trial(struct server *, uint64_t zone);
/* True: the question may be repeated on the same connection, because repeats have helped there (retries.h). first: or to tell
 * a poor connection from a poor name. Counts the repeat. */
bool server_takes_repeat(struct server *, uint64_t zone, bool first);
/* The answer of a trial. Good: its connection becomes the shared one. */
void server_tried(struct server *, uint64_t zone, int lane, bool good);

/* Takes a free lane, which is then busy; returns its number, or -1. */
int server_lane_take(struct server *, uint64_t zone);
void server_lane_give(struct server *, int lane);
/* A lane's connection could not be made, or was not used, while the shared one is open: the server may allow no more. None is
 * made for a while. */
void server_lane_failed(struct server *);
/* A question of the zone left its lane. Closes idle lanes when they are not needed any more: an upstream normally gets one
 * connection, not five. They stay until they have been idle for long if a zone in quarantine uses them, or if many were made. */
void server_lanes_tidy(struct server *, uint64_t zone);

#endif
