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

/* What is known against the server. */
static enum reason
server_complaint(const struct server *s, const struct blame *blame)
{
	enum reason reason = s == blame->server && s->health == HEALTH_GOOD ? blame->reason : s->reason;

	if (reason == REASON_NONE)
		reason = s->doubt;
	if (reason == REASON_NONE)
		reason = server_is_ready(s) ? REASON_CLOSED : REASON_CONNECT_TIMEOUT;
	return reason;
}

/* "title address: what", in the i-th place. */
static struct msg_ede
ede_write(struct upstreams *set, size_t i, const struct server *s, uint16_t code, const char *what,
	  const char *more)
{
	struct buf text = {
	    .p = (uint8_t *)set->ede_text[i], .cap = UPSTREAM_EDE_TEXT_MAX, .max = UPSTREAM_EDE_TEXT_MAX};
	char ip[ADDR_TEXT_MAX];

	buf_format(&text, "%.64s %s: %s%s", s->target->upstream, addr_ip_text(&s->target->addr, ip), what,
		   more);
	return (struct msg_ede){.code = code, .text = buf_span(&text)};
}

size_t
upstreams_explain(struct upstreams *set, const struct route *route, const struct blame *blame,
		  struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	const char *mode = set->captive_until_ms != 0 ? " (captive mode)" : "";
	size_t n = 0;

	if (blame->lame && blame->server != NULL) {
		ede[0] =
		    ede_write(set, 0, blame->server, EDE_UNREACHABLE, "does not recurse (RA is clear)", "");
		return 1;
	}
	for (size_t i = 0; i < route->n_upstream && n < UPSTREAM_EDE_MAX; i++) {
		const struct server *s = upstream_representative(set, route->upstream[i]);
		enum reason reason;

		if (s == NULL && blame->server != NULL && blame->server->upstream == route->upstream[i])
			s = blame->server;
		if (s == NULL)
			continue;
		reason = server_complaint(s, blame);
		ede[n] = ede_write(set, n, s, ede_code(reason), reason_code(reason), mode);
		n++;
	}
	if (n == 0)
		ede[n++] = (struct msg_ede){.code = EDE_UNREACHABLE};
	return n;
}
