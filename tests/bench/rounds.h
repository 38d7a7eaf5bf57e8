/*
 * rounds.h - counts how many round trips answers take over the link (link.c). Nothing is timed, so a busy machine changes nothing.
 *
 * A connection that stood already costs one, a new one costs one for TCP and one for each flight of its client until the first TLS
 * record of application data. What a candidate waits for besides (a time-out on a dead connection, settings of HTTP/2, an answer of
 * another question) is not counted: the true number may be larger, never smaller.
 */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side { CLIENT, SERVER };

/* Of a port, since it was read last. */
struct port_rounds {
	unsigned epoch, most;
};

/* Of a piece on its way: what had gone by when it was sent. */
struct piece_rounds {
	unsigned epoch, n;
};

/* Of a connection. */
struct pair_rounds {
	bool speaks; /* its client has sent application data */
	uint8_t head[5]; /* of a TLS record of the client's */
	size_t n_head, rest;
	unsigned epoch, at[2]; /* gone by at each side */
};

void rounds_open(struct pair_rounds *, const struct port_rounds *);
void rounds_client_sends(struct pair_rounds *, const struct port_rounds *, const uint8_t *bytes, size_t n);
struct piece_rounds rounds_of_piece(const struct pair_rounds *, enum side from);
void rounds_arrive(struct pair_rounds *, struct port_rounds *, enum side to, struct piece_rounds);
/* Of the answer that took most since the last call. */
unsigned rounds_take(struct port_rounds *);

#endif
