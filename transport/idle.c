#include "transport/idle.h"

void
idle_on_peer_close(struct idle *idle, int64_t idle_ms)
{
	/* Longer than we keep a connection ourselves: the machine was suspended, and the peer's limit is not known. */
	if (idle_ms < IDLE_LEARN_MIN_MS || idle_ms > 2 * IDLE_MAX_MS)
		return;
	idle->limit_ms = idle_ms;
	idle->own_closes = 0;
}

void
idle_on_own_close(struct idle *idle)
{
	if (idle->limit_ms == 0 || ++idle->own_closes < IDLE_OWN_CLOSES)
		return;
	idle->own_closes = 0;
	idle->limit_ms *= 2;
	if (idle->limit_ms > IDLE_MAX_MS)
		idle->limit_ms = 0;
}

int64_t
idle_use_ms(const struct idle *idle, int64_t keepalive_ms)
{
	int64_t limit = keepalive_ms >= 0 ? keepalive_ms : idle->limit_ms;

	if (limit == 0 && keepalive_ms < 0)
		limit = IDLE_MAX_MS;
	else
		limit -= limit / 10; /* its clock began earlier than ours */
	return limit < IDLE_MAX_MS ? limit : IDLE_MAX_MS;
}
