/*
 * Chooses the path that counts: of all proven paths the one of the best grade, then with the fewest faults.
 */
#include "verify/judge.h"
#include "verify/path_policy.h"
#include "verify/x509/lead.h"
#include "verify/x509/strength.h"

struct choice {
	struct judgement *j;
	struct path *path; /* the best so far; owned */
	struct lead lead;  /* without one, the best lead; of no certificate when there is none either */
	struct path_faults faults;
	enum path_grade grade;
	bool limited;
};

/* On a tie the path with fewer findings is preferred: choosing it avoids the findings that only the other path has. */
static bool
choice_is_better(const struct choice *best, enum path_grade grade, const struct path_faults *faults)
{
	return best->path == NULL || grade < best->grade ||
	       (grade == best->grade && faults->n < best->faults.n);
}

/* Called for each path that is found; ends the search at the first one that is good and has nothing to report either. */
static bool
choice_on_path(void *arg, const struct path *p)
{
	struct choice *best = arg;
	struct path_faults faults;
	enum path_grade grade;

	faults.n = 0;
	path_validate(&faults, &best->j->rules, path_certs(p), path_n(p));
	path_policy_judge(&faults, best->j, p);
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

/* Paths without a fault first, so that certificates with a fault cost nothing; then all proven paths. */
static void
path_choose(struct choice *best)
{
	best->limited = judge_search(best->j, PATH_SOUND, choice_on_path, best).limited;
	if (best->path == NULL || best->grade > PATH_UNWANTED)
		best->limited |= judge_search(best->j, PATH_PROVEN, choice_on_path, best).limited;
}

static const char too_many_checks[] = "finding a path would take more signature checks than the limit";

/* Called if there is no path: the lead with the fewest faults is the best explanation. Nothing is computed with a weak
 * key, which is a fault already. */
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
choice_faults_report(const struct choice *best)
{
	const struct cert *const *certs = best->path == NULL ? best->lead.certs : path_certs(best->path);
	char who[JUDGE_LABEL_MAX], dates[JUDGE_DATES_MAX];

	for (size_t i = 0; i < best->faults.n; i++) {
		const struct path_fault *fault = &best->faults.fault[i];

		judge_label(who, certs[fault->at]);
		judge_dates(dates, fault->reason, best->j, certs[fault->at]);
		if (fault->reported)
			verdict_note(best->j->v, fault->reason, "%s: %s%s", who, fault->what, dates);
		else
			verdict_add(best->j->v, fault->reason, "%s: %s%s", who, fault->what, dates);
	}
}

/* The path is taken. */
static void
path_settle(struct judgement *j, struct path *p)
{
	const struct cert *const *certs = path_certs(p);
	const struct cert_match *pins = j->policy->pins;

	j->path = p;
	j->issuer = path_issuer(p);
	verdict_show_chain(j->v, certs, path_n(p), true);
	j->v->valid_until_ms = certs[0]->not_after_ms;
	for (size_t i = 1; i < path_n(p); i++)
		if (certs[i]->not_after_ms < j->v->valid_until_ms)
			j->v->valid_until_ms = certs[i]->not_after_ms;
	if (pins != NULL && path_n(p) > 1 && path_policy_pinned(pins, p, 0) &&
	    !path_policy_pinned(pins, p, 1))
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

/* There is no candidate at all: reports where the chain of names ends, going up from the leaf. */
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
	choice_faults_report(&best);
	if (best.path == NULL && best.limited)
		verdict_add(j->v, REASON_UNTRUSTED, "%s", too_many_checks);
	else if (best.path == NULL && best.lead.n == 0)
		untrusted_add(j);
	j->grade = best.grade;
	if (best.path != NULL && best.grade <= PATH_DATED)
		path_settle(j, best.path);
	else
		path_free(best.path);
	return j->issuer != NULL || judge_issuer_find(j);
}
