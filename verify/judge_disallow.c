/*
 * What disallow lists name: among the presented certificates, in the path, and in other good paths.
 */
#include "verify/judge.h"
#include "verify/path_policy.h"

/* What the lists say of a certificate or a path; a greater value is worse. */
enum entry_hit { ENTRY_NONE, ENTRY_REPORTED, ENTRY_REFUSES };

struct lookup {
	struct judgement *j;
	const struct cert *cert;
	bool add; /* add findings */
	bool reported;
	enum entry_hit worst;
};

/* A name that cannot be compared may be the one that an entry names: that refuses too. */
static void
lookup_add(struct lookup *l, bool found, const struct cert_match_hit *hit)
{
	char who[JUDGE_LABEL_MAX];

	if (!found && hit->res == RES_OK)
		return;
	if (l->worst < ENTRY_REFUSES)
		l->worst = found && l->reported ? ENTRY_REPORTED : ENTRY_REFUSES;
	if (!found && hit->res == RES_NOMEM)
		l->j->v->out_of_memory = true;
	else if (!found && l->add)
		verdict_add(l->j->v, REASON_CERT_MALFORMED, "%s: its names cannot be compared",
			    judge_label(who, l->cert));
	else if (l->add && l->reported)
		verdict_note(l->j->v, REASON_DISALLOWED, "%s: named by the entry \"%s\"",
			     judge_label(who, l->cert), hit->entry);
	else if (l->add)
		verdict_add(l->j->v, REASON_DISALLOWED, "%s: named by the entry \"%s\"",
			    judge_label(who, l->cert), hit->entry);
}

static enum entry_hit
disallow_cert(struct judgement *j, const struct cert *c, bool in_path, bool add)
{
	struct lookup l = {j, c, add, false, ENTRY_NONE};
	struct cert_match_hit hit;
	bool found;

	j->work->lookups++;
	for (size_t i = 0; i < j->policy->n_disallow; i++) {
		const struct cert_match *list = j->policy->disallow[i];

		l.reported = i >= j->policy->n_disallow_always && judge_reports(j, VFY_RULE_DISALLOW);
		found = cert_match_cert(list, c, &hit);
		lookup_add(&l, found, &hit);
		if (!in_path && j->path != NULL)
			continue; /* without a path we do not know who signed what: all presented certificates count */
		found = cert_match_key(list, c, &hit);
		lookup_add(&l, found, &hit);
		found = cert_match_issuer(list, c, &hit);
		lookup_add(&l, found, &hit);
	}
	return l.worst;
}

static void
hit_add(enum entry_hit *worst, enum entry_hit hit)
{
	if (hit > *worst)
		*worst = hit;
}

static void
disallow_path(struct judgement *j, const struct path *p)
{
	for (size_t i = 0; i < path_n(p); i++)
		disallow_cert(j, path_certs(p)[i], true, true);
}

#define KNOWN_MAX 64 /* all that are presented, and many anchors */

/* Remembers what the lists say of certificates that many paths share, because bringing names to compared form is slow. */
struct others {
	struct judgement *j;
	struct known {
		const struct cert *cert;
		enum entry_hit hit;
		bool reported_once;
	} known[KNOWN_MAX];
	size_t n; /* looked up in all; the oldest is forgotten */
};

static struct known *
others_ask(struct others *o, const struct cert *c)
{
	struct known *known;

	for (size_t i = 0; i < KNOWN_MAX && i < o->n; i++)
		if (o->known[i].cert == c)
			return &o->known[i];
	known = &o->known[o->n++ % KNOWN_MAX];
	*known = (struct known){c, disallow_cert(o->j, c, true, false), false};
	return known;
}

static enum entry_hit
others_path(struct others *o, const struct path *p)
{
	enum entry_hit worst = ENTRY_NONE;

	for (size_t i = 0; i < path_n(p); i++)
		hit_add(&worst, others_ask(o, path_certs(p)[i])->hit);
	return worst;
}

static void
others_report(struct others *o, const struct path *p)
{
	for (size_t i = 0; i < path_n(p); i++) {
		struct known *known = others_ask(o, path_certs(p)[i]);

		if (known->hit != ENTRY_NONE && !known->reported_once)
			disallow_cert(o->j, known->cert, true, true);
		known->reported_once = true;
	}
}

/* Another path, good in all but an entry. */
static bool
disallow_on_path(void *arg, const struct path *p)
{
	struct others *o = arg;
	struct judgement *j = o->j;
	struct path_faults faults;

	if (path_equal(p, j->path) || others_path(o, p) == ENTRY_NONE)
		return true;
	faults.n = 0;
	path_validate(&faults, &j->rules, path_certs(p), path_n(p));
	path_policy_judge(&faults, j, p);
	if (path_grade(&faults) == PATH_GOOD)
		others_report(o, p);
	return true;
}

/* What an entry names among all that could be in a path: presented certificates, and the anchors above them. */
static enum entry_hit
disallow_anywhere(struct judgement *j)
{
	enum entry_hit worst = ENTRY_NONE;

	for (size_t i = 0; i < j->n_certs; i++) {
		size_t first = 0, n = trust_find(j->policy->trust, j->certs[i].issuer, &first);

		hit_add(&worst, disallow_cert(j, &j->certs[i], true, false));
		for (size_t k = first; k < first + n; k++)
			hit_add(&worst, disallow_cert(j, trust_at(j->policy->trust, k), true, false));
	}
	return worst;
}

/*
 * A server that is clean by one path and disallowed by another is refused: the server chooses which path is found. So if
 * there are more paths than are tried, or paths whose name constraints could not be judged because they are too many, an entry that
 * names any certificate that could be in a path is enough.
 */
static void
disallow_others(struct judgement *j)
{
	static const char what[] = "there are too many paths to try all, and an entry names a certificate or "
				   "key that one may contain";
	struct others others = {.j = j};
	struct path_search_end end = judge_search(j, PATH_SOUND, disallow_on_path, &others);
	bool all = !end.limited && !j->rules.names.gave_up;
	enum entry_hit hit = all ? ENTRY_NONE : disallow_anywhere(j);

	if (hit == ENTRY_REFUSES)
		verdict_add(j->v, REASON_DISALLOWED, "%s", what);
	else if (hit == ENTRY_REPORTED)
		verdict_note(j->v, REASON_DISALLOWED, "%s", what);
}

bool
judge_disallow(struct judgement *j)
{
	for (size_t i = 0; i < j->n_certs; i++)
		disallow_cert(j, &j->certs[i], false, true);
	if (j->path == NULL)
		return true;
	disallow_path(j, j->path);
	if (j->grade == PATH_GOOD && j->policy->n_disallow > 0)
		disallow_others(j);
	return !j->v->out_of_memory;
}
