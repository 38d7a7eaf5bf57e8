#include "resolver/explain.h"

/* All were busy with other questions, or went with a reload. */
static const char nobody[] = "no upstream could be asked";

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

/* A server of the upstream that has not answered. It may have answered other questions meanwhile, so that nothing is known
 * against it. */
static const struct server *
upstream_unanswered(const struct unanswered *open, uint32_t u)
{
	for (size_t i = 0; i < open->n; i++)
		if (open->server[i]->upstream == u)
			return open->server[i];
	return NULL;
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

/* What is known of this upstream, in the i-th place. False: nothing. */
static bool
upstream_explain(struct upstreams *set, size_t i, uint32_t u, const struct blame *blame,
		 const struct unanswered *open, struct msg_ede *ede)
{
	const char *mode = set->captive_until_ms != 0 ? " (captive mode)" : "";
	const struct server *s = upstream_representative(set, u);
	bool blamed = blame->server != NULL && blame->server->upstream == u;
	enum reason reason;

	if (s == NULL && blamed && blame->reason != REASON_NONE)
		s = blame->server;
	if (s != NULL) {
		reason = server_complaint(s, blame);
		*ede = ede_write(set, i, s, ede_code(reason), reason_code(reason), mode);
		return true;
	}
	s = blamed ? blame->server : upstream_unanswered(open, u);
	if (s != NULL)
		*ede = ede_write(set, i, s, server_is_ready(s) ? EDE_NETWORK : EDE_UNREACHABLE, "no answer",
				 mode);
	return s != NULL;
}

size_t
upstreams_explain(struct upstreams *set, const struct route *route, const struct blame *blame,
		  const struct unanswered *open, struct msg_ede ede[UPSTREAM_EDE_MAX])
{
	size_t n = 0;

	if (blame->lame && blame->server != NULL) {
		ede[0] =
		    ede_write(set, 0, blame->server, EDE_UNREACHABLE, "does not recurse (RA is clear)", "");
		return 1;
	}
	for (size_t i = 0; i < route->n_upstream && n < UPSTREAM_EDE_MAX; i++)
		if (upstream_explain(set, n, route->upstream[i], blame, open, &ede[n]))
			n++;
	if (n == 0)
		ede[n++] = (struct msg_ede){.code = EDE_UNREACHABLE, .text = span_str(nobody)};
	return n;
}
