#include "tests/bench/rounds.h"

#define APPLICATION_DATA 23 /* RFC 8446, 5.1 */

void
rounds_open(struct pair_rounds *r, const struct port_rounds *port)
{
	*r = (struct pair_rounds){.epoch = port->epoch, .at = {[CLIENT] = 1}}; /* SYN, SYN and ACK */
}

static void
look_at_records(struct pair_rounds *r, const uint8_t *bytes, size_t n)
{
	while (n > 0 && !r->speaks) {
		size_t part = r->rest < n ? r->rest : n;

		bytes += part;
		n -= part;
		r->rest -= part;
		while (n > 0 && r->rest == 0 && r->n_head < sizeof r->head) {
			r->head[r->n_head++] = *bytes++;
			n--;
		}
		if (r->n_head == sizeof r->head) {
			r->speaks = r->head[0] == APPLICATION_DATA;
			r->rest = (size_t)r->head[3] << 8 | r->head[4];
			r->n_head = 0;
		}
	}
}

void
rounds_client_sends(struct pair_rounds *r, const struct port_rounds *port, const uint8_t *bytes, size_t n)
{
	if (r->epoch != port->epoch) { /* the connection is from before */
		r->epoch = port->epoch;
		r->at[CLIENT] = r->at[SERVER] = 0;
	}
	look_at_records(r, bytes, n);
}

struct piece_rounds
rounds_of_piece(const struct pair_rounds *r, enum side from)
{
	return (struct piece_rounds){r->epoch, r->at[from]};
}

void
rounds_arrive(struct pair_rounds *r, struct port_rounds *port, enum side to, struct piece_rounds piece)
{
	if (piece.epoch != port->epoch || piece.epoch != r->epoch)
		return;
	if (to == SERVER)
		r->at[SERVER] = piece.n;
	else if (!r->speaks)
		r->at[CLIENT] = piece.n + 1;
	else if (port->most < piece.n + 1)
		port->most = piece.n + 1;
}

unsigned
rounds_take(struct port_rounds *port)
{
	unsigned n = port->most;

	port->most = 0;
	port->epoch++;
	return n;
}
