#include "contrib/watch/judgement.h"

#include "verify/verify.h"
#include "verify/x509/cert.h"

#include <string.h>

struct judging {
	struct watch_finding *f;
	const struct watch_plan *plan;
	const struct watch_evidence *evidence;
	struct cert_parts parts;
	struct span certs
	    [1 +
	     WATCH_CHAIN_MAX]; /* what is proven: the leaf, unless it is a precertificate, and its issuers */
	size_t n_certs;
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

static bool
is_key_of(struct span der, const uint8_t sha256[32])
{
	struct cert c;

	return cert_read(&c, der) == RES_OK && memcmp(c.spki_sha256, sha256, sizeof c.spki_sha256) == 0;
}

/* Of a precertificate the chain counts from the CA whose key its entry names; one that signs precertificates only is left
 * out (RFC 6962, 3.1). */
static void
chain_take(struct judging *j)
{
	const struct watch_evidence *e = j->evidence;
	size_t from = 0;

	if (!j->f->precertificate)
		j->certs[j->n_certs++] = buf_span(&j->f->der);
	else
		while (from < e->n_chain && !is_key_of(e->chain[from], j->f->issuer_key_hash))
			from++;
	for (; from < e->n_chain && from < WATCH_CHAIN_MAX && j->n_certs < VFY_CERTS_MAX; from++)
		j->certs[j->n_certs++] = e->chain[from];
}

static int64_t
clamp(int64_t ms, int64_t least, int64_t most)
{
	return ms < least ? least : ms > most ? most : ms;
}

/* A path to an anchor of the policy is proven, in which a CA (or, of pins, any key) meets the list. */
static bool
path_meets(const struct judging *j, const struct vfy_policy *of, const struct cert_match *issuers,
	   const struct cert_match *pins)
{
	struct vfy_policy policy = {.ct_mode = CT_OFF,
				    .trust = of->trust,
				    .anchor_limits = of->anchor_limits,
				    .allow_issuer = issuers,
				    .pins = pins};
	const struct watch_finding *f = j->f;
	struct vfy_input in = {.certs = j->certs, .n_certs = j->n_certs, .ip = span_of("\0\0\0\0", 4)};
	struct verdict v = {0};
	bool met;

	if (j->n_certs == 0)
		return false;
	in.now_ms = f->not_after_ms > f->not_before_ms
			? clamp(f->logged_ms, f->not_before_ms, f->not_after_ms)
			: f->logged_ms;
	vfy_check(&v, &policy, &in);
	met = !v.out_of_memory && v.chain_verified && !verdict_has(&v, REASON_ISSUER_NOT_ALLOWED) &&
	      !verdict_has(&v, REASON_PIN_MISMATCH) && !verdict_has(&v, REASON_UNTRUSTED) &&
	      !verdict_has(&v, REASON_BAD_SIGNATURE);
	verdict_clear(&v);
	return met;
}

/* The CA that issued it, or one above that one, is in the list. */
static bool
issuer_is_in(const struct judging *j, const struct vfy_policy *of, const struct cert_match *list)
{
	const struct watch_finding *f = j->f;

	if (list == NULL || cert_match_count(list) == 0)
		return false;
	if (f->precertificate && key_is_in(list, f->issuer_key_hash, (struct span){NULL, 0}))
		return true;
	if (f->precertificate && j->n_certs > 0) { /* by its fingerprint */
		struct cert_match_hit hit;
		struct cert c;

		if (cert_read(&c, j->certs[0]) == RES_OK && cert_match_cert(list, &c, &hit))
			return true;
	}
	return path_meets(j, of, list, NULL);
}

/* ---- what is expected of it */

/* Known whoever it is for. NULL: it is not. */
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
	if (p->pins != NULL && (key_is_in(p->pins, j->f->issuer_key_hash, (struct span){NULL, 0}) ||
				path_meets(j, p, NULL, p->pins)))
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
	struct judging j = {.f = f, .plan = plan, .evidence = evidence};
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
	if (evidence != NULL)
		chain_take(&j);
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
			      evidence == NULL ? ", and its chain was not at hand" : "");
	h.may_change |= cert_match_count(plan->known) > 0;
	return evidence == NULL && h.may_change ? JUDGEMENT_NEEDS_CHAIN : JUDGEMENT_ROGUE;
}
