#include "transport/idle.h"

/* At most an eighth apart: peers check their idle timers only now and then. */
static bool
idle_is_near(int64_t a, int64_t b)
{
	int64_t apart = a > b ? a - b : b - a;

	return apart <= b / 8;
}

void
idle_on_peer_close(struct idle *idle, int64_t idle_ms)
{
	/* Longer than we keep a connection ourselves: the machine was suspended, and the peer's limit is not known. */
	if (idle_ms < IDLE_LEARN_MIN_MS || idle_ms > 2 * IDLE_MAX_MS)
		return;
	if (idle_is_near(idle_ms, idle->seen_ms))
		idle->trust = idle->trust < IDLE_TRUST_MAX ? 2 * idle->trust : IDLE_TRUST_MAX;
	else
		idle->trust = IDLE_TRUST;
	idle->limit_ms = idle->seen_ms = idle_ms;
	idle->used = 0;
}

void
idle_on_used(struct idle *idle)
{
	if (idle->limit_ms == 0)
		return;
	if (idle->limit_ms > idle->seen_ms) /* the peer kept it for longer than before */
		idle->trust = IDLE_TRUST;
	if (++idle->used < idle->trust)
		return;
	idle->used = 0;
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
