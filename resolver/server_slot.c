#include "resolver/server_slot.h"

#include "resolver/health.h"

#include <stdio.h>
#include <string.h>

/* Both were accepted, over the same path. */
static bool
shows_the_same(const struct verdict *a, const struct verdict *b)
{
	if (!verdict_accepted(a) || !verdict_accepted(b) || a->n_chain == 0 || a->n_chain != b->n_chain)
		return false;
	for (size_t i = 0; i < a->n_chain; i++)
		if (memcmp(a->chain[i].sha256, b->chain[i].sha256, sizeof a->chain[i].sha256) != 0)
			return false;
	return true;
}

/* The verdict of an event becomes the server's. True: it reports something else than the one before. */
static bool
server_verdict_take(struct server *s, struct tp_event *e)
{
	uint64_t before = s->judged ? verdict_reported(&s->verdict) : 0, reported;
	bool same;

	if (e->verdict == NULL)
		return false;
	same = s->judged && shows_the_same(&s->verdict, e->verdict);
	verdict_clear(&s->verdict);
	s->verdict = *e->verdict;
	memset(e->verdict, 0, sizeof *e->verdict);
	s->judged = true;
	(void)snprintf(s->tls.version, sizeof s->tls.version, "%s", e->tls_version);
	(void)snprintf(s->tls.cipher, sizeof s->tls.cipher, "%s", e->cipher);
	(void)snprintf(s->tls.group, sizeof s->tls.group, "%s", e->group);
	reported = verdict_reported(&s->verdict);
	counter_add_reports(s->set->counters, reported);
	if (!same && s->set->server_hooks.on_certificate != NULL)
		s->set->server_hooks.on_certificate(s->set->server_hooks.ctx, s, e->presented);
	return reported != before;
}

static void
server_verdict_log(struct server *s)
{
	if (s->set->server_hooks.on_verdict != NULL)
		s->set->server_hooks.on_verdict(s->set->server_hooks.ctx, s);
}

/* No question is written on any connection but the shared one if that is the refused one: a new one is to be made there. */
static void
server_retire(struct server *s, const struct tp_slot *refused)
{
	if (s->slot != NULL && s->slot != refused)
		tp_slot_retire(s->slot);
	server_other_slots(s, tp_slot_retire);
}

/* A verdict refused the server, on whichever of its connections. If another one is in use, or a reload refuses what this one
 * showed when it was made, the server is judged again, on a new connection, before any question fails because of the refusal. */
static void
server_refused(struct server *s, struct tp_slot *slot, struct tp_event *e)
{
	bool news = !s->judged || verdict_accepted(&s->verdict) || verdict_reason(&s->verdict) != e->reason;
	bool in_use = s->slot != NULL && tp_slot_state(s->slot) != TP_IDLE;

	server_failed(s, e->reason, true, e->detail);
	news |= server_verdict_take(s, e);
	if (news)
		server_verdict_log(s);
	server_retire(s, slot);
	if (in_use || e->kind == TP_EVENT_CLOSED)
		server_connect(s);
}

/* Takes the verdict of a new connection. True: it is news. */
static bool
server_verdict_accept(struct server *s, struct tp_event *e)
{
	bool news = s->judged && !verdict_accepted(&s->verdict);

	news |= server_verdict_take(s, e);
	return news;
}

static void
server_accepted(struct server *s, struct tp_event *e)
{
	bool news = server_verdict_accept(s, e);

	server_connected(s);
	if (news)
		server_verdict_log(s);
	if (s->set->server_hooks.on_ready != NULL)
		s->set->server_hooks.on_ready(s->set->server_hooks.ctx, s);
}

/* A refusal of another connection stays: that one may lead to another machine. */
static void
server_judged_again(struct server *s, struct tp_event *e)
{
	if (s->health == HEALTH_REFUSED)
		return;
	(void)server_verdict_take(s, e);
	server_verdict_log(s);
}

static void
server_on_event(void *ctx, struct tp_slot *slot, struct tp_event *e)
{
	struct server *s = ctx;

	switch (e->kind) {
	case TP_EVENT_READY:
		server_accepted(s, e);
		break;
	case TP_EVENT_JUDGED:
		server_judged_again(s, e);
		return;
	case TP_EVENT_FAILED:
		if (e->refused) {
			server_refused(s, slot, e);
			break;
		}
		server_unreached(s, e->reason, e->detail);
		server_lanes_drop_idle(s); /* the server may allow no more connections than these */
		break;
	case TP_EVENT_CLOSED:
		if (e->refused)
			server_refused(s, slot, e);
		else
			server_log(s, LOG_DEBUG, "upstream-closed", e->reason, e->detail);
		break;
	}
	s->set->hooks.on_change(s->set->hooks.ctx);
}

void
server_on_other_event(struct server *s, struct tp_slot *slot, struct tp_event *e)
{
	if (e->refused) {
		server_refused(s, slot, e);
		s->set->hooks.on_change(s->set->hooks.ctx);
	} else if (e->kind == TP_EVENT_READY) {
		if (s->health != HEALTH_REFUSED &&
		    server_verdict_accept(s, e)) /* a refusal stays, as above */
			server_verdict_log(s);
	} else if (e->kind == TP_EVENT_JUDGED) {
		server_judged_again(s, e);
	} else if (e->kind == TP_EVENT_FAILED && !server_is_ready(s)) {
		server_failed(s, e->reason, false, NULL);
	}
}

struct tp_slot *
server_slot(struct server *s)
{
	const struct tp_hooks hooks = {.on_event = server_on_event, .ctx = s, .known = s->set->known};

	if (s->slot == NULL && tp_slot_new(&s->slot, s->loop, s->target, &hooks) != RES_OK)
		return NULL;
	s->tried_ms = loop_now_ms(s->loop);
	return s->slot;
}

void
server_connect(struct server *s)
{
	struct tp_slot *slot;

	if (!server_is_ready(s) && (slot = server_slot(s)) != NULL)
		tp_slot_connect(slot);
}
