#include "resolver/explain.h"

/* The server that speaks for its upstream: a refused one says more than one that could not be reached. */
static const struct server *
upstream_representative(const struct upstreams *set, uint32_t u)
{
	const struct server *failing = NULL;
	size_t n = set->plan->snapshot->upstream[u].n_target;

	for (size_t i = 0; i < n; i++) {
		const struct server *s = set->server[set->first[u] + i];

		if (s->health == HEALTH_REFUSED)
			return s;
		if (failing == NULL && (s->health == HEALTH_FAILING || s->suspect_until_ms != 0))
			failing = s;
	}
	return failing;
}

/* RFC 8914, 4.23 and 4.24: not reached, and broken on the way. */
static uint16_t
ede_code(enum reason reason)
{
	if (reason_is_verdict(reason))
		return EDE_OTHER;
	return reason == REASON_CONNECT_REFUSED || reason == REASON_CONNECT_TIMEOUT ||
		       reason == REASON_UNREACHABLE
		   ? EDE_UNREACHABLE
		   : EDE_NETWORK;
}

/* What is known against the server; blame: how it failed this question, when it was blamed. */
static enum reason
server_complaint(const struct server *s, bool blamed, enum reason blame)
{
	enum reason reason = blamed && s->health == HEALTH_GOOD ? blame : s->reason;

	if (reason == REASON_NONE)
		reason = s->doubt;
	if (reason == REASON_NONE)
		reason = server_is_ready(s) ? REASON_CLOSED : REASON_CONNECT_TIMEOUT;
	return reason;
}

size_t
upstreams_explain(struct upstreams *set, const struct route *route, const struct server *blamed,
		  enum reason blame, struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < route->n_upstream && n < UPSTREAM_EDE_MAX; i++) {
		const struct server *s = upstream_representative(set, route->upstream[i]);
		struct buf text = {.p = (uint8_t *)set->ede_text[n],
				   .cap = UPSTREAM_EDE_TEXT_MAX,
				   .max = UPSTREAM_EDE_TEXT_MAX};
		char ip[ADDR_TEXT_MAX];
		enum reason reason;

		if (s == NULL && blamed != NULL && blamed->upstream == route->upstream[i])
			s = blamed;
		if (s == NULL)
			continue;
		reason = server_complaint(s, s == blamed, blame);
		buf_format(&text, "%.64s %s: %s%s", s->target->upstream, addr_ip_text(&s->target->addr, ip),
			   reason_code(reason), set->captive_until_ms != 0 ? " (captive mode)" : "");
		ede[n++] = (struct msg_ede){.code = ede_code(reason), .text = span_of(text.p, text.n)};
	}
	return n;
}
