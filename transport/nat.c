#include "transport/nat.h"

#include "transport/idle.h"

void
nat_on_dead(struct nat *nat, int64_t idle_ms, int64_t now_ms)
{
	/* Longer than connections are kept: the machine was suspended. */
	if (idle_ms < NAT_LEARN_MIN_MS || idle_ms > 2 * IDLE_MAX_MS)
		return;
	nat->dead_ms = idle_ms;
	nat->dead_at_ms = now_ms;
}

void
nat_on_fresh(struct nat *nat, int64_t begun_ms, bool at_once)
{
	int64_t idle_ms = nat->dead_ms;

	nat->dead_ms = 0;
	if (idle_ms == 0 || !at_once || begun_ms - nat->dead_at_ms >= NAT_CONFIRM_MS)
		return;
	if (nat->limit_ms == 0)
		nat->trust = NAT_TRUST;
	else
		nat->trust = 2 * nat->trust < NAT_TRUST_MAX ? 2 * nat->trust : NAT_TRUST_MAX;
	if (nat->limit_ms == 0 || idle_ms < nat->limit_ms)
		nat->limit_ms = idle_ms;
	nat->used = 0;
}

void
nat_on_alive(struct nat *nat, int64_t idle_ms)
{
	if (idle_ms >= nat->limit_ms)
		nat->limit_ms = 0;
}

void
nat_on_used(struct nat *nat)
{
	nat->used++;
}

int64_t
nat_use_ms(const struct nat *nat)
{
	if (nat->limit_ms == 0 || nat->used >= nat->trust)
		return INT64_MAX;
	return nat->limit_ms - nat->limit_ms / 10;
}
