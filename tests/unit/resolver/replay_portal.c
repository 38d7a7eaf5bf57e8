/* replay_portal.c - the helper of portal windows, as the resolver sees it. */
#include "tests/unit/resolver/replay_play.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdio.h>
#include <string.h>

static bool
on_ask(void *ctx, const struct portal_message *m)
{
	struct play *p = ctx;
	struct portal_asked *a;
	struct buf b = buf_max(1024);

	if (p->portal_gone || p->n_portal == PORTAL_ASKED_MAX)
		return false;
	a = &p->portal[p->n_portal++];
	*a = (struct portal_asked){.id = m->id, .type = m->type};
	msg_name_text(&b, m->name);
	(void)snprintf(a->name, sizeof a->name, "%s", buf_cstr(&b));
	buf_free(&b);
	return true;
}

void
verb_portal(struct play *p)
{
	const struct portal_helper helper = {on_ask, p};
	long ms = play_number(p, play_word(p, 2));

	if (ms == 0)
		portal_close(engine_portal(p->engine));
	else
		portal_open(engine_portal(p->engine), &helper, loop_now_ms(p->loop) + ms);
}

static struct portal_asked *
asked_find(struct play *p, bool fresh)
{
	uint16_t type = (uint16_t)ldns_get_rr_type_by_name(play_word(p, 3));

	for (size_t i = 0; i < p->n_portal; i++) {
		struct portal_asked *a = &p->portal[i];

		if (a->type == type && strcmp(a->name, play_word(p, 2)) == 0 && !(fresh ? a->seen : a->answered))
			return a;
	}
	return NULL;
}

void
verb_portal_sent(struct play *p)
{
	struct portal_asked *a = asked_find(p, true);

	if (a == NULL)
		play_wrong(p, "the helper was not asked for %s %s", play_word(p, 2), play_word(p, 3));
	else
		a->seen = true;
}

void
verb_portal_quiet(struct play *p)
{
	for (size_t i = 0; i < p->n_portal; i++)
		if (!p->portal[i].seen)
			play_wrong(p, "the helper was asked for %s", p->portal[i].name);
}

void
verb_portal_answer(struct play *p)
{
	struct portal_asked *a = asked_find(p, false);
	struct portal_message m = {.kind = PORTAL_ANSWER};

	if (a == NULL) {
		play_wrong(p, "the helper was not asked for %s", play_word(p, 2));
		return;
	}
	a->answered = true;
	m.id = a->id;
	m.type = a->type;
	if (play_has_word(p, 4, "failed")) {
		m.outcome = PORTAL_FAILED;
	} else if (play_has_word(p, 4, "nothing")) {
		m.outcome = PORTAL_NOTHING;
	} else {
		m.outcome = PORTAL_ADDRESSES;
		m.ttl = (uint32_t)play_number(p, play_word(p, 4));
		for (size_t i = 5; i < p->n_words && m.n < PORTAL_ADDRESSES_MAX; i++)
			if (inet_pton(m.type == TYPE_A ? AF_INET : AF_INET6, play_word(p, i), m.ip[m.n++]) != 1)
				play_wrong(p, "no address: %s", play_word(p, i));
	}
	portal_answer(engine_portal(p->engine), &m);
}

void
verb_portal_helper(struct play *p)
{
	p->portal_gone = strcmp(play_word(p, 2), "up") != 0;
	if (strcmp(play_word(p, 2), "gone") != 0)
		return;
	for (size_t i = 0; i < p->n_portal; i++)
		p->portal[i].answered = true;
	portal_helper_gone(engine_portal(p->engine));
}
