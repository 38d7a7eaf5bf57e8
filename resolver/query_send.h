/*
 * query_send.h - which server is asked next, and what a query waits for while none can be.
 */
#ifndef RESOLVER_QUERY_SEND_H
#define RESOLVER_QUERY_SEND_H

#include "resolver/query.h"

#define QUERY_STALL_MS 1500 /* nothing came back for this long: the connection counts as dead */
/* Servers that one query is at, at the same time, but for silent ones (QUERY_STALL_MS). */
#define QUERY_OPEN_MAX  3
#define QUERY_SENDS_MAX 16 /* attempts of one query in all: bounds the cost of many faults at once */
/* In addition, so many attempts behind late answers, which take no place of another server. */
#define QUERY_BEHIND_MAX 4
/* After an unusable answer a server gets the question so often once more (RFC 9520, 3.1: three times in all). */
#define QUERY_AGAIN_MAX 2
/* After harm was done, an unknown zone waits this long for a lane, then uses the shared connection. */
#define QUERY_LANE_MS 500

/* Sends the query to the next server. False: there is none. */
bool query_send(struct query *);
/* The same for a query with attempts in flight: sends it to a server without one of these attempts, even if that
 * server was tried before. */
bool query_send_beside(struct query *);
/* The answer is late. If it waits behind another answer, the question is also sent over another connection to the
 * same server. */
void query_look_behind(struct query *);
/* Sends the query, or waits until a server can be asked. False: neither is possible. */
bool query_look(struct query *);
/* Tries the next server; with none left and nothing in flight the query waits or fails. wait: only when nothing is in
 * flight. */
enum query_step query_retry(struct query *, bool wait);
/* Makes an attempt at this server, and records if there was no room for it. */
bool query_attempt(struct query *, struct server *, enum manner);
/* This server failed the question. */
void query_blame(struct query *, const struct server *, enum reason);

#endif
