#include "base/text.h"
#include "verify/ct/ctpolicy.h"
#include "verify/x509/pathjudge.h"
#include "verify/x509/trust_judge.h"

#include <string.h>

/* ---- what the policy wants of a path: the anchor's limits, allowed issuers, pins */

static const struct cert *
path_issuer(const struct path *p)
{
	return p->n > 1 ? p->certs[1] : p->certs[0];
}

/* From here on the faults are of this rule. */
static void
faults_report(struct path_faults *f, const struct judgement *j, size_t from, enum vfy_rule rule)
{
	for (size_t i = from; i < f->n; i++)
		f->fault[i].reported = judge_reports(j, rule);
}

/*
 * Does Certificate Transparency refuse by itself a certificate without a valid SCT? Where it does not, because its rule only
 * reports, is off, or rests while the list of logs is old, a limit by SCT dates still wants one in time.
 */
static bool
ct_refuses(const struct judgement *j)
{
	bool rests = j->policy->ct_when_stale == CT_STALE_REPORT && ct_list_is_stale(j);

	return judge_ct_mode(j) == CT_REQUIRE && !rests;
}

static void
limit_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	const char *fault[ANCHOR_LIMIT_FAULTS_MAX];
	struct anchor_case c = {.leaf = p->certs[0], .now_ms = j->in->now_ms};
	struct anchor_limit limit;
	size_t n;

	if (!anchor_limits_find(&limit, j->policy->anchor_limits, p->certs[p->n - 1]))
		return;
	if (limit.has_sct_not_after) {
		if (sct_check_signatures(&j->scts, c.leaf, path_issuer(p)->spki_sha256, &j->budget) ==
		    RES_NOMEM)
			f->starved = true;
		c.issued = ctpolicy_issued_at(&c.issued_ms, &j->scts, j->in->now_ms);
	}
	n = anchor_limit_faults(fault, &limit, &c);
	for (size_t i = 0; i < n; i++)
		path_faults_add(f, REASON_ANCHOR_DISTRUSTED, p->n - 1, fault[i]);
	if (limit.has_sct_not_after && !c.issued && !ct_refuses(j))
		path_faults_add(f, REASON_ANCHOR_DISTRUSTED, p->n - 1,
				"it is trusted for certificates logged earlier only, and no valid SCT shows "
				"when this one was");
}

/* A name is asked of the anchor only: any CA can mint a sub-CA of any name. */
static bool
issuer_allowed(const struct disallow *allowed, const struct path *p)
{
	struct disallow_hit hit;

	for (size_t i = p->n > 1 ? 1 : 0; i < p->n; i++) {
		if (disallow_match_key(allowed, p->certs[i], &hit))
			return true;
		if (disallow_match_cert(allowed, p->certs[i], &hit) && hit.kind == DISALLOW_CERT)
			return true;
	}
	return disallow_match_subject(allowed, p->certs[p->n - 1], &hit);
}

static bool
pin_met(const struct disallow *pins, const struct path *p, size_t from)
{
	struct disallow_hit hit;

	for (size_t i = from; i < p->n; i++)
		if (disallow_match_key(pins, p->certs[i], &hit))
			return true;
	return false;
}

static void
wishes_judge(struct path_faults *f, struct judgement *j, const struct path *p)
{
	size_t from = f->n;

	limit_judge(f, j, p);
	faults_report(f, j, from, VFY_RULE_LIMITS);
	from = f->n;
	if (j->policy->allow_issuer != NULL && !issuer_allowed(j->policy->allow_issuer, p))
		path_faults_add(f, REASON_ISSUER_NOT_ALLOWED, p->n - 1,
				"no CA of the path to it is allowed for this upstream");
	faults_report(f, j, from, VFY_RULE_ALLOW_ISSUER);
	from = f->n;
	if (j->policy->pins != NULL && !pin_met(j->policy->pins, p, 0))
		path_faults_add(f, REASON_PIN_MISMATCH, p->n - 1, "no key of the path to it is pinned");
	faults_report(f, j, from, VFY_RULE_PIN);
}

/* ---- the path */

struct choice {
	const struct path *path;
	struct path_faults faults;
	enum path_grade grade;
};

/* Of two that are as bad, the one with less to say: what only the other has is cured by choosing this one. */
static bool
choice_is_better(const struct choice *best, enum path_grade grade, const struct path_faults *faults)
{
	return best->path == NULL || grade < best->grade ||
	       (grade == best->grade && faults->n < best->faults.n);
}

/* Judges candidates in order until one is good and has nothing to report either; keeps the best. */
static bool
choose_from(struct choice *best, struct judgement *j, const struct path *paths, size_t n)
{
	for (size_t i = 0; i < n && (best->path == NULL || best->grade != PATH_GOOD || best->faults.n > 0);
	     i++) {
		struct path_faults faults;
		enum path_grade grade;

		path_judge(&faults, j, &paths[i]);
		/* What the policy wants is asked of a path; a chain whose signatures do not hold is none, and
		 * its next certificate is not the issuer whose key SCTs are checked with. */
		if (path_grade(&faults) < PATH_UNPROVEN)
			wishes_judge(&faults, j, &paths[i]);
		if (faults.starved)
			return false;
		grade = path_grade(&faults);
		if (choice_is_better(best, grade, &faults))
			*best = (struct choice){&paths[i], faults, grade};
	}
	return true;
}

/* Without a path, or when the leaf is an anchor itself: the presented certificate or the anchor whose key verifies the leaf,
 * so that its SCTs, staple and CRLs can be judged. */
static bool
issuer_search(struct judgement *j)
{
	size_t first = 0, n = 0;
	enum res r = RES_NOT_FOUND;

	for (size_t i = 0; i < j->n_certs && r == RES_NOT_FOUND; i++) {
		if (i == 0 && !path_self_issued(&j->certs[0]))
			continue;
		r = judge_signed_by(j, 0, j->certs[i].spki);
		if (r == RES_OK)
			j->issuer = &j->certs[i];
	}
	if (j->policy->trust != NULL)
		n = trust_find(j->policy->trust, j->certs[0].issuer, &first);
	for (size_t i = first; i < first + n && r == RES_NOT_FOUND; i++) {
		r = judge_signed_by(j, 0, trust_at(j->policy->trust, i)->spki);
		if (r == RES_OK)
			j->issuer = trust_at(j->policy->trust, i);
	}
	return r != RES_NOMEM;
}

static void
path_settle(struct judgement *j, const struct path *p)
{
	j->path = p;
	j->issuer = p->n > 1 ? p->certs[1] : NULL; /* of a leaf that is an anchor it has to be found */
	verdict_show_chain(j->v, p->certs, p->n, true);
	j->v->valid_until_ms = p->certs[0]->not_after_ms;
	for (size_t i = 1; i < p->n; i++)
		if (p->certs[i]->not_after_ms < j->v->valid_until_ms)
			j->v->valid_until_ms = p->certs[i]->not_after_ms;
	if (j->policy->pins != NULL && p->n > 1 && pin_met(j->policy->pins, p, 0) &&
	    !pin_met(j->policy->pins, p, 1))
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
	struct choice best = {0};
	char who[JUDGE_LABEL_MAX];

	path_find(&j->paths, j->certs, j->n_certs, j->policy->trust, j->in->now_ms);
	j->work->path_steps = j->paths.steps;
	if (!choose_from(&best, j, j->paths.valid, j->paths.n_valid))
		return false;
	/* Out of date is a better answer than a signature that does not hold. */
	if ((best.path == NULL || best.grade > PATH_WEAK) &&
	    !choose_from(&best, j, j->paths.dated, j->paths.n_dated))
		return false;
	if (best.path == NULL)
		untrusted_add(j);
	for (size_t i = 0; best.path != NULL && i < best.faults.n; i++) {
		const struct path_fault *fault = &best.faults.fault[i];

		judge_label(who, best.path->certs[fault->at]);
		if (fault->reported)
			verdict_note(j->v, fault->reason, "%s: %s", who, fault->what);
		else
			verdict_add(j->v, fault->reason, "%s: %s", who, fault->what);
	}
	if (best.path != NULL && best.grade <= PATH_DATED)
		path_settle(j, best.path);
	return j->issuer != NULL || issuer_search(j);
}

/* ---- disallow entries */

struct lookup {
	struct judgement *j;
	const struct cert *cert;
	bool tell; /* add findings */
	bool reported;
	size_t hits;
};

/* A name that can not be compared may be the one that an entry names: that refuses too. */
static void
lookup_add(struct lookup *l, bool found, const struct disallow_hit *hit)
{
	char who[JUDGE_LABEL_MAX];

	if (!found && hit->res == RES_OK)
		return;
	l->hits++;
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

static size_t
disallow_cert(struct judgement *j, const struct cert *c, bool in_path, bool tell)
{
	struct lookup l = {j, c, tell, false, 0};
	struct disallow_hit hit;
	bool found;

	for (size_t i = 0; i < j->policy->n_disallow; i++) {
		const struct disallow *list = j->policy->disallow[i];

		l.reported = i >= j->policy->n_disallow_always && judge_reports(j, VFY_RULE_DISALLOW);
		found = disallow_match_cert(list, c, &hit);
		lookup_add(&l, found, &hit);
		if (!in_path)
			continue;
		found = disallow_match_key(list, c, &hit);
		lookup_add(&l, found, &hit);
		found = disallow_match_issuer(list, c, &hit);
		lookup_add(&l, found, &hit);
	}
	return l.hits;
}

static size_t
disallow_path(struct judgement *j, const struct path *p, bool tell)
{
	size_t hits = 0;

	for (size_t i = 0; i < p->n; i++)
		hits += disallow_cert(j, p->certs[i], true, tell);
	return hits;
}

/*
 * A server that is clean by one path and disallowed by another is refused: which path is found is up to
 * whoever presents the chain.
 */
static bool
disallow_others(struct judgement *j)
{
	const struct path *end = j->paths.valid + j->paths.n_valid;

	for (const struct path *p = j->paths.valid; p < end; p++) {
		struct path_faults faults;

		if (p == j->path || disallow_path(j, p, false) == 0)
			continue;
		path_judge(&faults, j, p);
		wishes_judge(&faults, j, p);
		if (faults.starved)
			return false;
		if (path_grade(&faults) == PATH_GOOD)
			disallow_path(j, p, true);
	}
	return true;
}

bool
judge_disallow(struct judgement *j)
{
	for (size_t i = 0; i < j->n_certs; i++)
		disallow_cert(j, &j->certs[i], false, true);
	if (j->path == NULL)
		return true;
	disallow_path(j, j->path, true);
	if (j->path < j->paths.valid || j->path >= j->paths.valid + j->paths.n_valid)
		return true;
	return disallow_others(j);
}
