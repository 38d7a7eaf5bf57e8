#include "verify/x509/lead.h"

#include <string.h>

struct search {
	const struct issuers_ground *ground;
	lead_visit *visit;
	void *arg;
	struct lead lead; /* so far */
	size_t leads, steps;
};

static bool
lead_search_goes_on(const struct search *s)
{
	return s->leads < LEADS_MAX && s->steps < LEAD_STEPS_MAX && s->lead.n < PATH_LENGTH_MAX;
}

static bool
lead_has(const struct lead *l, const struct cert *c)
{
	for (size_t i = 0; i < l->n; i++)
		if (memcmp(l->certs[i]->spki_sha256, c->spki_sha256, 32) == 0 &&
		    span_equal(l->certs[i]->subject, c->subject))
			return true;
	return false;
}

static void
lead_search_from_top(struct search *s)
{
	struct issuers it = issuers_of(s->ground, s->lead.certs[s->lead.n - 1]);
	const struct cert *above;
	bool is_anchor;

	while (lead_search_goes_on(s) && (above = issuers_next(&it, &is_anchor)) != NULL) {
		s->steps++;
		if (lead_has(&s->lead, above))
			continue;
		s->lead.certs[s->lead.n++] = above;
		if (is_anchor) {
			s->leads++;
			s->visit(s->arg, &s->lead);
		} else {
			lead_search_from_top(s);
		}
		s->lead.n--;
	}
}

void
leads_find(const struct issuers_ground *ground, lead_visit *visit, void *arg)
{
	struct search s = {.ground = ground, .visit = visit, .arg = arg};

	s.lead.certs[s.lead.n++] = &ground->certs[0];
	lead_search_from_top(&s);
}
