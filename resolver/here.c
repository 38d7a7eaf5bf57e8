#include "resolver/here.h"

#include "resolver/filter.h"
#include "resolver/routes.h"

struct reply
here_blocked(struct engine *e, const struct msg_question *q, const struct msg_ede *ede,
	     enum counter counts_as, struct msg_answer *room)
{
	const struct local_view view = engine_local(e);

	buf_clear(&e->scratch);
	if (local_blocked(&view, q, e->plan->snapshot->settings->filter_answer, &e->scratch))
		return engine_reply_made(e, room, ede, counts_as);
	return reply_empty(RCODE_REFUSED, ede, counts_as);
}

/* The engine's scratch holds a whole message; the reply adapts it to its client. */
bool
here_reply(struct engine *e, const struct msg_question *q, const struct route *route, struct msg_answer *room,
	   struct reply *out)
{
	const struct local_view view = engine_local(e);

	buf_clear(&e->scratch);
	switch (local_answer(&view, q, route, loop_now_ms(e->loop), &e->scratch)) {
	case LOCAL_ANSWERED:
		*out = engine_reply_made(e, room, NULL, COUNTER_LOCAL);
		return true;
	case LOCAL_REFUSED:
		*out = reply_empty(RCODE_REFUSED, &reply_ede_single_label, COUNTER_REFUSED);
		return true;
	case LOCAL_NOT_OURS:
		break;
	}
	if (filter_has(e->plan->filter, span_of(q->name, q->name_n))) {
		*out = here_blocked(e, q, &reply_ede_filtered, COUNTER_FILTERED, room);
		return true;
	}
	/* `forward "x" { upstream = {} }`: the name exists here or nowhere. */
	if (route->n_upstream == 0)
		local_nothing(&view, q, route->suffix, &e->scratch);
	else if (q->type == TYPE_ANY)
		local_any(q, &e->scratch);
	if (e->scratch.n == 0)
		return false;
	*out = engine_reply_made(e, room, NULL, COUNTER_LOCAL);
	return true;
}
