#include "base/text.h"
#include "verify/judge.h"
#include "verify/wishes.h"
#include "verify/x509/lead.h"
#include "verify/x509/path.h"
#include "verify/x509/strength.h"
#include "verify/x509/trust.h"

/* ---- the path */

struct choice {
	struct judgement *j;
	struct path *path; /* the best so far; owned */
	struct lead lead;  /* without one, the best lead; of no certificate when there is none either */
	struct path_faults faults;
	enum path_grade grade;
	bool limited;
};

/* On a tie the path with fewer findings is preferred: what only the other has is cured by choosing this one. */
static bool
choice_is_better(const struct choice *best, enum path_grade grade, const struct path_faults *faults)
{
	return best->path == NULL || grade < best->grade ||
	       (grade == best->grade && faults->n < best->faults.n);
}

/* Of proven paths; ends the search at the first that is good and has nothing to report either. */
static bool
choice_on_path(void *arg, const struct path *p)
{
	struct choice *best = arg;
	struct path_faults faults;
	enum path_grade grade;

	faults.n = 0;
	path_validate(&faults, &best->j->rules, path_certs(p), path_n(p));
	wishes_judge(&faults, best->j, p);
	grade = path_grade(&faults);
	if (!choice_is_better(best, grade, &faults))
		return true;
	path_free(best->path);
	best->path = path_copy(p);
	best->faults = faults;
	best->grade = grade;
	best->j->v->out_of_memory |= best->path == NULL;
	return best->path != NULL && (grade != PATH_GOOD || faults.n > 0);
}

static struct path_search_end
search(struct judgement *j, enum path_kind kind, path_visit *visit, void *arg)
{
	struct path_ground ground = judge_ground(j);
	struct path_search_end end = path_search(&ground, kind, visit, arg);

	j->work->paths += end.paths;
	j->work->path_steps += end.steps;
	j->v->out_of_memory |= end.starved;
	return end;
}

/* Paths without a fault first, so that certificates with one cost nothing; then what else is proven. */
static void
path_choose(struct choice *best)
{
	best->limited = search(best->j, PATH_SOUND, choice_on_path, best).limited;
	if (best->path == NULL || best->grade > PATH_UNWANTED)
		best->limited |= search(best->j, PATH_PROVEN, choice_on_path, best).limited;
}

static const char too_many_checks[] = "finding a path takes more signature checks than are made";

/* Where there is no path; the lead with the fewest faults explains most. Nothing is computed with a weak key, which is
 * a fault already. */
static void
choice_on_lead(void *arg, const struct lead *lead)
{
	struct choice *best = arg;
	struct judgement *j = best->j;
	struct path_faults faults;

	j->work->paths++;
	faults.n = 0;
	path_validate(&faults, &j->rules, lead->certs, lead->n);
	for (size_t i = 0; i + 1 < lead->n; i++) {
		enum res r = proofs_ask(&j->proofs, lead->certs[i], lead->certs[i + 1]);

		j->v->out_of_memory |= r == RES_NOMEM;
		if (r == RES_LIMIT)
			path_faults_add(&faults, REASON_UNTRUSTED, i, too_many_checks);
		else if (r != RES_OK && strength_key_fault(lead->certs[i + 1]->spki) == NULL)
			path_faults_add(&faults, REASON_BAD_SIGNATURE, i, "its issuer's key did not sign it");
	}
	if (best->lead.n == 0 || faults.n < best->faults.n) {
		best->lead = *lead;
		best->faults = faults;
	}
}

static void
faults_tell(const struct choice *best)
{
	const struct cert *const *certs = best->path == NULL ? best->lead.certs : path_certs(best->path);
	char who[JUDGE_LABEL_MAX];

	for (size_t i = 0; i < best->faults.n; i++) {
		const struct path_fault *fault = &best->faults.fault[i];

		judge_label(who, certs[fault->at]);
		if (fault->reported)
			verdict_note(best->j->v, fault->reason, "%s: %s", who, fault->what);
		else
			verdict_add(best->j->v, fault->reason, "%s: %s", who, fault->what);
	}
}

/* The path is taken. */
static void
path_settle(struct judgement *j, struct path *p)
{
	const struct cert *const *certs = path_certs(p);
	const struct disallow *pins = j->policy->pins;

	j->path = p;
	j->issuer = path_issuer(p);
	verdict_show_chain(j->v, certs, path_n(p), true);
	j->v->valid_until_ms = certs[0]->not_after_ms;
	for (size_t i = 1; i < path_n(p); i++)
		if (certs[i]->not_after_ms < j->v->valid_until_ms)
			j->v->valid_until_ms = certs[i]->not_after_ms;
	if (pins != NULL && path_n(p) > 1 && pin_met(pins, p, 0) && !pin_met(pins, p, 1))
		verdict_warn(
		    j->v,
		    "only the server's own key is pinned; certificates rotate: pin a key of its CA as well");
}

/* The presented certificate of that name, NULL: none. */
static const struct cert *
presented_named(const struct judgement *j, struct span subject)
{
	for (size_t i = 1; i < j->n_certs; i++)
		if (span_equal(j->certs[i].subject, subject))
			return &j->certs[i];
	return NULL;
}

/* No candidate at all: where do the names end, going up from the leaf? */
static void
untrusted_add(struct judgement *j)
{
	const struct cert *top = &j->certs[0], *next = top;
	size_t first;
	char who[JUDGE_LABEL_MAX];

	if (trust_count(j->policy->trust) == 0) {
		verdict_add(j->v, REASON_UNTRUSTED, "there are no trust anchors");
		return;
	}
	for (size_t i = 0; i < j->n_certs && next != NULL && !path_self_issued(top); i++) {
		next = presented_named(j, top->issuer);
		top = next == NULL ? top : next;
	}
	if (path_self_issued(top))
		verdict_add(j->v, REASON_UNTRUSTED, "no path to a trust anchor: %s is not one of them",
			    judge_label(who, top));
	else if (next == NULL && trust_find(j->policy->trust, top->issuer, &first) == 0)
		verdict_add(j->v, REASON_UNTRUSTED,
			    "no path to a trust anchor: the issuer of %s was not sent and is not one of them",
			    judge_label(who, top));
	else
		verdict_add(j->v, REASON_UNTRUSTED, "%s", reason_sentence(REASON_UNTRUSTED));
}

bool
judge_path(struct judgement *j)
{
	struct choice best = {.j = j};
	struct path_ground ground = judge_ground(j);

	path_choose(&best);
	if (j->v->out_of_memory) {
		path_free(best.path);
		return false;
	}
	if (best.path == NULL)
		leads_find(&ground.issuers, choice_on_lead, &best);
	faults_tell(&best);
	if (best.path == NULL && best.limited)
		verdict_add(j->v, REASON_UNTRUSTED, "%s", too_many_checks);
	else if (best.path == NULL && best.lead.n == 0)
		untrusted_add(j);
	j->grade = best.grade;
	if (best.path != NULL && best.grade <= PATH_DATED)
		path_settle(j, best.path);
	else
		path_free(best.path);
	return j->issuer != NULL || issuer_search(j);
}

/* ---- disallow entries */

/* What the lists say of a certificate or a path; the greater is the worse. */
enum entry_hit { ENTRY_NONE, ENTRY_REPORTED, ENTRY_REFUSES };

struct lookup {
	struct judgement *j;
	const struct cert *cert;
	bool tell; /* add findings */
	bool reported;
	enum entry_hit worst;
};

/* A name that can not be compared may be the one that an entry names: that refuses too. */
static void
lookup_add(struct lookup *l, bool found, const struct disallow_hit *hit)
{
	char who[JUDGE_LABEL_MAX];

	if (!found && hit->res == RES_OK)
		return;
	if (l->worst < ENTRY_REFUSES)
		l->worst = found && l->reported ? ENTRY_REPORTED : ENTRY_REFUSES;
	if (!found && hit->res == RES_NOMEM)
		l->j->v->out_of_memory = true;
	else if (!found && l->tell)
		verdict_add(l->j->v, REASON_CERT_MALFORMED, "%s: its names can not be compared",
			    judge_label(who, l->cert));
	else if (l->tell && l->reported)
		verdict_note(l->j->v, REASON_DISALLOWED, "%s: named by the entry \"%s\"",
			     judge_label(who, l->cert), hit->entry);
	else if (l->tell)
		verdict_add(l->j->v, REASON_DISALLOWED, "%s: named by the entry \"%s\"",
			    judge_label(who, l->cert), hit->entry);
}

static enum entry_hit
disallow_cert(struct judgement *j, const struct cert *c, bool in_path, bool tell)
{
	struct lookup l = {j, c, tell, false, ENTRY_NONE};
	struct disallow_hit hit;
	bool found;

	j->work->lookups++;
	for (size_t i = 0; i < j->policy->n_disallow; i++) {
		const struct disallow *list = j->policy->disallow[i];

		l.reported = i >= j->policy->n_disallow_always && judge_reports(j, VFY_RULE_DISALLOW);
		found = disallow_match_cert(list, c, &hit);
		lookup_add(&l, found, &hit);
		if (!in_path && j->path != NULL)
			continue; /* without a path nothing is known of who signed what: all that was sent counts */
		found = disallow_match_key(list, c, &hit);
		lookup_add(&l, found, &hit);
		found = disallow_match_issuer(list, c, &hit);
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

/* What the lists say of certificates that many paths share; names are long to bring to one spelling. */
struct others {
	struct judgement *j;
	struct known {
		const struct cert *cert;
		enum entry_hit hit;
		bool told;
	} known[KNOWN_MAX];
	size_t n; /* ever asked; the oldest is forgotten */
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
others_tell(struct others *o, const struct path *p)
{
	for (size_t i = 0; i < path_n(p); i++) {
		struct known *known = others_ask(o, path_certs(p)[i]);

		if (known->hit != ENTRY_NONE && !known->told)
			disallow_cert(o->j, known->cert, true, true);
		known->told = true;
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
	wishes_judge(&faults, j, p);
	if (path_grade(&faults) == PATH_GOOD)
		others_tell(o, p);
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
 * A server that is clean by one path and disallowed by another is refused: which path is found is up to whoever presents
 * the chain. So where there are more paths than are tried, it is enough that an entry names what could be in one.
 */
static void
disallow_others(struct judgement *j)
{
	static const char what[] =
	    "there are more paths than are tried, and an entry names what may be in one";
	struct others others = {.j = j};
	struct path_search_end end = search(j, PATH_SOUND, disallow_on_path, &others);
	enum entry_hit hit = end.limited ? disallow_anywhere(j) : ENTRY_NONE;

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
