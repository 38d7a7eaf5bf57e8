/* Judging a connection's peer: in the handshake, and again later. */
#include "transport/conn.h"

#include "base/clock.h"

#include <stdlib.h>

/* If there is no memory for them, the report has none. */
static void
presented_keep(struct conn *c, const struct tls_peer *peer)
{
	buf_clear(&c->presented);
	for (size_t i = 0; i < peer->n_cert; i++) {
		buf_u24(&c->presented, (uint32_t)peer->cert[i].n);
		buf_put(&c->presented, peer->cert[i]);
	}
	if (!buf_ok(&c->presented))
		buf_free(&c->presented);
}

bool
conn_on_peer(void *ctx, const struct tls_peer *peer)
{
	struct conn *c = ctx;
	const struct tp_target *target = c->shared->target;
	struct span also[VFY_ALSO_IPS_MAX];
	struct vfy_input in = {
	    .certs = peer->cert,
	    .n_certs = peer->n_cert,
	    .larger_than = peer->larger_than,
	    .staple = peer->staple,
	    .staple_unread = peer->staple_unread,
	    .ip = addr_ip(&target->addr),
	    .also_ips = also,
	    .name = target->name,
	    .now_ms = clock_wall_ms(),
	    .known = sigcache_under(c->shared->known, target->generation),
	};

	for (; in.n_also_ips < target->n_also && in.n_also_ips < VFY_ALSO_IPS_MAX; in.n_also_ips++)
		also[in.n_also_ips] = addr_ip(&target->also[in.n_also_ips]);
	verdict_clear(&c->verdict);
	vfy_check(&c->verdict, target->policy, &in);
	presented_keep(c, peer);
	c->judged_ms = loop_now_ms(c->shared->loop);
	c->judge_again = false;
	c->report_until_ms = c->verdict.report_until_ms;
	return verdict_accepted(&c->verdict);
}

bool
conn_judge_again(struct conn *c)
{
	bool report_ended = c->report_until_ms != 0 && clock_wall_ms() >= c->report_until_ms;
	bool old = loop_now_ms(c->shared->loop) - c->judged_ms >= CONN_AGE_MAX_MS;
	bool new_policy = c->judge_again;
	struct tls_peer *peer;
	bool accepted;

	if (!new_policy && !report_ended && !old)
		return true;
	peer = malloc(sizeof *peer);
	if (peer == NULL) {
		conn_end(c, REASON_OUT_OF_MEMORY, NULL);
		return false;
	}
	tls_peer(c->tls, peer);
	accepted = conn_on_peer(c, peer);
	free(peer);
	if (accepted) {
		c->shared->ops->on_judged(c->shared, c);
		buf_free(&c->presented);
		return c->state == CONN_READY;
	}
	if (new_policy) {
		conn_end_refused(c);
	} else {
		tickets_clear(&c->shared->tickets);
		c->outdated = true;
		conn_end(c, REASON_CLOSED, "no longer acceptable");
	}
	return false;
}
