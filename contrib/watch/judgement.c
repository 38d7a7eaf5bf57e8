#include "contrib/watch/judgement.h"

#include "contrib/watch/issued.h"
#include "verify/x509/cert.h"

#include <string.h>

struct judging {
	struct watch_finding *f;
	const struct watch_plan *plan;
	struct cert_parts parts;
	struct issued issued;
};

static void
judgement_nothing(void *ctx, const struct identifier *id)
{
	(void)ctx;
	(void)id;
}

/* Does an entry of the list name this key? */
static bool
key_is_in(const struct cert_match *list, const uint8_t sha256[32], struct span spki)
{
	struct cert c = {.spki = spki};
	struct cert_match_hit hit;

	memcpy(c.spki_sha256, sha256, sizeof c.spki_sha256);
	return list != NULL && cert_match_key(list, &c, &hit);
}

static bool
fingerprint_is_in(const struct cert_match *list, const struct watch_finding *f)
{
	struct cert_match_hit hit;
	struct cert c;

	return list != NULL && !f->precertificate && cert_read(&c, buf_span(&f->der)) == RES_OK &&
	       cert_match_cert(list, &c, &hit);
}

/* ---- who issued it */

/* Does one of its items belong to that upstream? */
static bool
is_of_upstream(const struct watch_plan *plan, const struct watch_match *m, size_t upstream)
{
	for (size_t i = 0; i < m->n; i++)
		if ((watch_list_at(plan->list, m->hit[i].item)->owners.bits[upstream / 64] >>
			 (upstream % 64) &
		     1) != 0)
			return true;
	return false;
}

static int64_t
clamp(int64_t ms, int64_t least, int64_t most)
{
	return most <= least || ms < least ? least : ms > most ? most : ms;
}

/* The time of the finding, or the nearest at which the certificate is valid: an old one may have been found now. */
static int64_t
time_found(const struct watch_finding *f)
{
	return clamp(f->found_ms, f->not_before_ms, f->not_after_ms);
}

/*
 * Is a CA of its path in the list? The key that signed it counts whatever chain its log keeps: a server may send another
 * certificate of the same CA, which leads to another anchor.
 */
static bool
issuer_is_in(const struct judging *j, const struct vfy_policy *of, const struct cert_match *list)
{
	if (list == NULL || cert_match_count(list) == 0 || j->issued.fault != NULL)
		return false;
	return key_is_in(list, j->issued.signer_spki_sha256, (struct span){NULL, 0}) ||
	       issued_path_allowed(&j->issued, of, list, time_found(j->f));
}

/* Does a client with this configuration trust its CA, by the system's anchors or by those of an upstream? */
static void
proof_take(struct judging *j, const struct watch_match *m)
{
	const struct settings *s = j->plan->snapshot->settings;
	const char *fault = issued_path_fault(&j->issued, j->plan->snapshot->policy, time_found(j->f));

	for (size_t i = 0; fault != NULL && j->issued.fault == NULL && i < s->n_upstream; i++) {
		const struct upstream_plan *u = snapshot_upstream(j->plan->snapshot, s->upstream[i].title);

		if (u == NULL || !is_of_upstream(j->plan, m, i))
			continue;
		fault =
		    issued_path_fault(&j->issued, u->policy,
				      time_found(j->f)); /* more telling than what the system's anchors say */
	}
	j->f->has_signer = j->issued.fault == NULL;
	memcpy(j->f->signer_spki_sha256, j->issued.signer_spki_sha256, sizeof j->f->signer_spki_sha256);
	j->f->proven = fault == NULL;
	j->f->unproven = fault;
}

/* ---- what is expected of it */

/* Why it is known, whatever it is for; NULL: it is not known. */
static const char *
known_as(const struct judging *j)
{
	const struct cert_match *known = j->plan->known;

	if (fingerprint_is_in(known, j->f))
		return "its fingerprint is known";
	if (key_is_in(known, j->f->spki_sha256, j->parts.spki))
		return "its key is known";
	if (issuer_is_in(j, j->plan->snapshot->policy, known))
		return "its issuer is known";
	return NULL;
}

static const char *
expected_of(const struct judging *j, const struct vfy_policy *p)
{
	if (key_is_in(p->pins, j->f->spki_sha256, j->parts.spki))
		return "its key is pinned";
	if (issuer_is_in(j, p, p->allow_issuer))
		return "its issuer is allowed";
	if (issuer_is_in(j, p, p->pins))
		return "the key of its issuer is pinned";
	return NULL;
}

struct hits {
	const char *expected, *rogue; /* an upstream's reason; an item that nobody expects */
	bool may_change;              /* with the chain */
};

static void
item_judge(struct hits *h, const struct judging *j, const struct watch_item *item)
{
	const struct settings *s = j->plan->snapshot->settings;

	for (size_t i = 0; i < s->n_upstream; i++) {
		const struct upstream_plan *u = snapshot_upstream(j->plan->snapshot, s->upstream[i].title);
		const char *why;

		if (u == NULL || (item->owners.bits[i / 64] >> (i % 64) & 1) == 0)
			continue;
		why = expected_of(j, u->policy);
		if (why != NULL) {
			h->expected = why;
			return;
		}
		h->may_change |= u->policy->allow_issuer != NULL || u->policy->pins != NULL;
	}
	h->rogue = item->text;
}

static void
items_judge(struct hits *h, const struct judging *j, const struct watch_match *m)
{
	for (size_t i = 0; i < m->n; i++)
		item_judge(h, j, watch_list_at(j->plan->list, m->hit[i].item));
	if (m->n == 0) /* the list has changed since */
		h->rogue = j->f->n_item > 0 ? j->f->item[0] : "?";
}

/* Items beyond the most that a match holds were not judged: an attacker may have put the one that matters there. */
static const char *
trouble_of(const struct watch_match *m, bool known)
{
	return m->trouble == NULL && m->more && !known ? "it matches more items than the limit" : m->trouble;
}

enum finding_judged
finding_judge(struct watch_finding *f, const struct watch_plan *plan, const struct watch_evidence *evidence)
{
	struct judging j = {.f = f, .plan = plan, .issued = {.fault = "its chain is not available"}};
	struct hits h = {.expected = NULL};
	struct watch_match m;
	const char *known, *trouble;

	(void)watch_list_match(plan->list, &m, buf_span(&f->der), f->precertificate);
	if (f->n_item == 0) {
		(void)finding_because(f, FINDING_UNREADABLE, "%s",
				      m.trouble != NULL ? m.trouble : "it could not be read");
		return JUDGEMENT_ROGUE;
	}
	identifiers_read(&j.parts, buf_span(&f->der), f->precertificate, judgement_nothing, NULL);
	if (evidence != NULL && issued_read(&j.issued, f, evidence) != RES_OK)
		j.issued.fault = "no memory";
	if (evidence != NULL)
		proof_take(&j, &m);
	known = known_as(&j);
	if (known == NULL)
		items_judge(&h, &j, &m);
	trouble = trouble_of(&m, known != NULL);
	if ((known != NULL || h.rogue == NULL) && trouble != NULL) {
		(void)finding_because(f, FINDING_UNREADABLE, "%s; what can be read is expected", trouble);
		return JUDGEMENT_ROGUE;
	}
	if (known != NULL || h.rogue == NULL) {
		(void)finding_because(f, FINDING_EXPECTED, "%s", known != NULL ? known : h.expected);
		return JUDGEMENT_EXPECTED;
	}
	(void)finding_because(f, FINDING_ROGUE, "neither its key nor its issuer is expected of %s%s", h.rogue,
			      evidence == NULL ? ", and its chain was not available" : "");
	h.may_change |= cert_match_count(plan->known) > 0;
	return evidence == NULL && h.may_change ? JUDGEMENT_NEEDS_CHAIN : JUDGEMENT_ROGUE;
}
