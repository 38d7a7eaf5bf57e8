#include "verify/x509/path.h"
#include "verify/x509/trust.h"

#include <stdlib.h>
#include <string.h>

struct path {
	const struct cert *certs[PATH_LENGTH_MAX];
	size_t n;
};

struct search {
	const struct path_ground *ground;
	enum path_kind kind;
	path_visit *visit;
	void *arg;
	struct path path; /* so far */
	struct path_search_end end;
	bool over;
};

size_t
path_n(const struct path *p)
{
	return p->n;
}

const struct cert *const *
path_certs(const struct path *p)
{
	return p->certs;
}

const struct cert *
path_leaf(const struct path *p)
{
	return p->certs[0];
}

const struct cert *
path_anchor(const struct path *p)
{
	return p->certs[p->n - 1];
}

const struct cert *
path_issuer(const struct path *p)
{
	return p->n > 1 ? p->certs[1] : NULL;
}

bool
path_equal(const struct path *a, const struct path *b)
{
	return a->n == b->n && memcmp(a->certs, b->certs, a->n * sizeof a->certs[0]) == 0;
}

struct path *
path_copy(const struct path *p)
{
	struct path *copy = malloc(sizeof *copy);

	if (copy != NULL)
		*copy = *p;
	return copy;
}

void
path_free(struct path *p)
{
	free(p);
}

/* ---- the search */

static bool
path_has(const struct path *p, const struct cert *c)
{
	for (size_t i = 0; i < p->n; i++)
		if (memcmp(p->certs[i]->spki_sha256, c->spki_sha256, 32) == 0 &&
		    span_equal(p->certs[i]->subject, c->subject))
			return true;
	return false;
}

/* The only place where a path grows: `above` must have signed the certificate at its top. */
static enum res
path_extend(struct path *p, struct proofs *proofs, const struct cert *above)
{
	enum res r = proofs_ask(proofs, path_anchor(p), above);

	if (r == RES_OK)
		p->certs[p->n++] = above;
	return r;
}

static bool
issuer_is_sound(struct search *s, const struct cert *above, bool is_anchor)
{
	s->path.certs[s->path.n] = above; /* looked at, not part of the path */
	return path_issuer_sound(s->ground->rules, s->path.certs, s->path.n, is_anchor);
}

/* False: this step leads nowhere. */
static bool
step_take(struct search *s, const struct cert *above, bool is_anchor)
{
	bool sound = s->kind == PATH_SOUND;
	enum res r;

	s->end.steps++;
	if (s->path.n == PATH_LENGTH_MAX || path_has(&s->path, above))
		return false;
	if (sound && !issuer_is_sound(s, above, is_anchor))
		return false;
	r = path_extend(&s->path, s->ground->proofs, above);
	s->end.limited |= r == RES_LIMIT; /* the search goes on: results that are known cost nothing */
	s->end.starved |= r == RES_NOMEM;
	s->over |= r == RES_NOMEM;
	if (r != RES_OK)
		return false;
	if (!sound || path_names_sound(s->ground->rules, s->path.certs, s->path.n - 1))
		return true;
	s->path.n--;
	return false;
}

/* May the search go on? */
static bool
path_search_goes_on(struct search *s)
{
	if (s->end.steps < PATH_STEPS_MAX && s->end.paths < PATHS_MAX)
		return !s->over;
	s->end.limited = s->over = true;
	return false;
}

static void
path_show(struct search *s)
{
	s->end.paths++;
	s->over = !s->visit(s->arg, &s->path);
}

/* Depth first; recursion ends because no CA comes twice, at PATH_LENGTH_MAX at the latest. */
static void
path_search_from_top(struct search *s)
{
	struct issuers it = issuers_of(&s->ground->issuers, path_anchor(&s->path));
	const struct cert *above;
	bool is_anchor;

	while (!s->over && (above = issuers_next(&it, &is_anchor)) != NULL && path_search_goes_on(s)) {
		if (!step_take(s, above, is_anchor))
			continue;
		if (is_anchor)
			path_show(s);
		else
			path_search_from_top(s);
		s->path.n--;
	}
}

/* A path of one, its certificate being an anchor. */
static void
search_leaf(struct search *s)
{
	const struct trust *trust = s->ground->issuers.trust;
	const struct cert *leaf = path_leaf(&s->path);
	size_t first = 0, n = trust_find(trust, leaf->subject, &first);

	for (size_t i = first; i < first + n; i++)
		if (span_equal(trust_at(trust, i)->der, leaf->der))
			path_show(s);
}

struct path_search_end
path_search(const struct path_ground *ground, enum path_kind kind, path_visit *visit, void *arg)
{
	struct search s = {.ground = ground, .kind = kind, .visit = visit, .arg = arg};

	s.path.certs[s.path.n++] = &ground->issuers.certs[0];
	if (kind == PATH_SOUND && !path_leaf_sound(ground->rules, path_leaf(&s.path)))
		return s.end;
	search_leaf(&s);
	if (!s.over)
		path_search_from_top(&s);
	return s.end;
}
