/*
 * rounds.h - counts the round trips that answers take over the link (link.c). Nothing is timed, so a busy machine has no effect.
 *
 * An open connection costs one; a new one costs one for TCP and one for each flight of its client, up to the first one with a TLS
 * record of application data. Other waits of a candidate (a time-out on a dead connection, settings of HTTP/2, an answer to another
 * question) are not counted: the true number may be larger, never smaller.
 */
#ifndef TESTS_BENCH_ROUNDS_H
#define TESTS_BENCH_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum side { CLIENT, SERVER };

/* Of a port, since the last rounds_take. */
struct port_rounds {
	unsigned epoch, most;
};

/* Of a piece on its way: the round trips before it was sent. */
struct piece_rounds {
	unsigned epoch, n;
};

/* Of a connection. */
struct pair_rounds {
	bool speaks; /* its client has sent application data */
	uint8_t head[5]; /* of a TLS record of the client's */
	size_t n_head, rest;
	unsigned epoch, at[2]; /* round trips so far, as each side knows */
};

void rounds_open(struct pair_rounds *, const struct port_rounds *);
void rounds_client_sends(struct pair_rounds *, const struct port_rounds *, const uint8_t *bytes, size_t n);
struct piece_rounds rounds_of_piece(const struct pair_rounds *, enum side from);
void rounds_arrive(struct pair_rounds *, struct port_rounds *, enum side to, struct piece_rounds);
/* The round trips of the slowest answer since the last call. */
unsigned rounds_take(struct port_rounds *);

#endif
