/*
 * What of an answer goes into a reply that is too small for all of it (RFC 2181, 9): additional records are left out
 * first, then an authority section that the client can do without. Only then is the answer section cut, and TC set.
 *
 * A cut keeps the front of the message, so every compression pointer in it still leads where it did.
 */
#include "base/dns/message_walk.h"

#include "base/text.h"

#include <string.h>

/* The walk over an answer: how far the front of it fits. */
struct cutter {
	const struct msg_answer *a;
	size_t room;
	struct msg_cut answer; /* the records of the answer section that fit */
	size_t answer_end, authority_end;
	size_t set_at; /* of the additional RRset under way: where it begins ... */
	uint16_t sets; /* ... and how many records are before it */
	uint16_t set_type;
	uint8_t set_name[MSG_NAME_MAX];
	size_t set_name_n;
	bool proof; /* the authority section holds one that a name or type does not exist */
};

/* Only records before the OPT fit: those after it would have to be moved, so they are left out. */
static bool
fits(const struct cutter *c, size_t end)
{
	return end <= c->room && (c->a->opt_n == 0 || end <= c->a->opt_at);
}

/* The record begins another RRset than the one before it. */
static bool
begins_set(struct cutter *c, const struct walk_rr *rr)
{
	uint8_t name[MSG_NAME_MAX], spelled[MSG_NAME_MAX];
	size_t n = walk_name_expand(c->a->wire, rr->name_at, spelled);
	bool same;

	ascii_lower_copy(name, spelled, n);
	same = rr->type == c->set_type && n == c->set_name_n && memcmp(name, c->set_name, n) == 0;
	c->set_type = rr->type;
	c->set_name_n = n;
	memcpy(c->set_name, name, n);
	return !same;
}

static void
answer_section(struct cutter *c, struct walk *w)
{
	struct walk_rr rr;

	for (unsigned i = 0; i < c->a->an && walk_rr(w, &rr); i++) {
		/* RFC 2181, 9: with TC, part of an RRset may stay. Clients that do not ask again have something. */
		if (c->answer.n == rr.name_at && fits(c, rr.end)) {
			c->answer.n = rr.end;
			c->answer.an++;
		}
	}
	c->answer_end = w->at;
}

static void
authority_section(struct cutter *c, struct walk *w)
{
	struct walk_rr rr;

	for (unsigned i = 0; i < c->a->ns && walk_rr(w, &rr); i++)
		c->proof |= rr.type == TYPE_NSEC || rr.type == TYPE_NSEC3;
	c->authority_end = w->at;
}

/* Whole RRsets from the front. Gives where they end. */
static size_t
additional_section(struct cutter *c, struct walk *w, uint16_t *ar)
{
	struct walk_rr rr;
	uint16_t n = 0;

	c->set_at = w->at;
	while (n < c->a->ar && walk_rr(w, &rr) && rr.type != TYPE_OPT) {
		if (begins_set(c, &rr)) {
			c->set_at = rr.name_at;
			c->sets = n;
		}
		if (!fits(c, rr.end))
			break;
		if (++n == c->a->ar) {
			*ar = n;
			return w->at;
		}
	}
	*ar = c->sets;
	return c->set_at;
}

/* The SOA of a negative answer (RFC 2308, 3), and for a validator the proof that no better name exists (RFC 4035, 3.1.3). */
static bool
authority_is_needed(const struct cutter *c, bool do_bit)
{
	bool negative = c->a->rcode == RCODE_NXDOMAIN || !c->a->has_answer_of_type;

	return c->a->ns > 0 && (negative || (do_bit && c->proof));
}

struct msg_cut
msg_cut(const struct msg_answer *a, size_t room, bool do_bit)
{
	size_t head = MSG_HEADER + a->section.n;
	struct cutter c = {.a = a, .room = room, .answer = {.n = head}};
	struct walk w = walk_over(a->wire, head);
	struct msg_cut cut;

	answer_section(&c, &w);
	authority_section(&c, &w);
	if (fits(&c, c.authority_end)) {
		cut = (struct msg_cut){.an = a->an, .ns = a->ns};
		cut.n = additional_section(&c, &w, &cut.ar);
		return cut;
	}
	cut = c.answer;
	cut.truncated = !fits(&c, c.answer_end) || authority_is_needed(&c, do_bit);
	return cut;
}
