#include "resolver/keep_warm.h"

#include "base/clock.h"
#include "resolver/order.h"
#include "resolver/server_slot.h"

static int64_t
keep_most_ms(const struct upstreams *set)
{
	return set->by_floor ? 0 : set->plan->snapshot->settings->keep_warm_ms;
}

static void
server_keep(struct server *s, int64_t most_ms)
{
	struct upstreams *set = s->set;
	struct server *other = warm_add(&set->warm, s);

	if (other != NULL)
		tp_slot_keep(other->slot, 0);
	tp_slot_keep(s->slot, loop_now_ms(set->loop) + warm_hold_ms(&set->warm, most_ms));
}

void
server_keep_warm(struct server *s)
{
	int64_t most_ms = keep_most_ms(s->set);

	if (most_ms == 0)
		return;
	warm_on_question(&s->set->warm, clock_mono_ms(), most_ms);
	server_keep(s, most_ms);
}

/* Sets anew how long the kept servers are kept: the time of the present option, counted from the last question. */
static void
servers_keep_anew(struct upstreams *set, int64_t most_ms)
{
	int64_t since_ms = clock_mono_ms() - set->warm.asked_ms;
	int64_t until_ms = loop_now_ms(set->loop) + warm_hold_ms(&set->warm, most_ms) - since_ms;

	for (size_t i = 0; i < WARM_SERVERS_MAX; i++)
		if (set->warm.server[i] != NULL)
			tp_slot_keep(set->warm.server[i]->slot, until_ms);
}

void
upstreams_keep_set(struct upstreams *set)
{
	int64_t most_ms = keep_most_ms(set);

	servers_keep_anew(set, most_ms);
	if (most_ms == 0)
		set->warm = (struct warm){0};
}

void
upstreams_reopen(struct upstreams *set)
{
	const struct tries none = {.n = 0};
	int64_t most_ms = keep_most_ms(set);
	struct server *s, *rival;

	set->racing = false;
	if (most_ms == 0 || !warm_is_in_use(&set->warm, clock_mono_ms(), most_ms))
		return;
	s = upstreams_next(set, routes_root(set->plan->routes), &none, UINT32_MAX);
	if (s == NULL)
		return;
	server_connect(s);
	if (s->slot != NULL)
		server_keep(s, most_ms);
	if ((rival = server_rival(s)) == NULL)
		return;
	set->racing = true;
	server_connect(rival);
}
