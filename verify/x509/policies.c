#include "verify/x509/policies.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

static const char unreadable[] = "its certificate policies cannot be read, or are too many";
static const char unreadable_limits[] = "its policy constraints or mappings cannot be read, or are too many";
static const char any_is_mapped[] = "it maps anyPolicy (RFC 5280, 6.1.4 (a))";
static const char none_is_valid[] = "it has none of the policies that a CA of the path demands";

/* Sets of policies: OIDs, content bytes. */
struct oids {
	struct span oid[POLICIES_MAX];
	size_t n;
};

/* What a certificate or its extensions say. */
struct own_policies {
	bool has_policies, any;
	struct oids policies; /* without anyPolicy */
	struct oids from, to; /* mappings: issuerDomainPolicy, subjectDomainPolicy; pairs */
	bool has_explicit, has_inhibit_mapping, has_inhibit_any;
	uint32_t explicit_after, inhibit_mapping_after, inhibit_any_after;
};

/* 6.1.2 (a), (d) to (f): the state between two certificates. */
struct state {
	bool any;           /* anyPolicy is valid: so is every policy */
	struct oids valid;  /* what the next certificate may name; with `any` beside others */
	size_t explicit_in; /* certificates until a policy is demanded; 0: it is */
	size_t mapping_in;  /* the same until mapping is inhibited */
	size_t any_in;      /* the same until anyPolicy is */
	size_t died_at;     /* the certificate at which no policy was left */
};

static bool
oids_has(const struct oids *set, struct span oid)
{
	for (size_t i = 0; i < set->n; i++)
		if (span_equal(set->oid[i], oid))
			return true;
	return false;
}

/* False: it is full. */
static bool
oids_put(struct oids *list, struct span oid)
{
	if (list->n == POLICIES_MAX)
		return false;
	list->oid[list->n++] = oid;
	return true;
}

/* ---- reading */

/* CertificatePolicies (4.2.1.4); qualifiers make no difference. */
static bool
policies_read(struct own_policies *s, struct span value)
{
	struct der_reader list = der_only(value, DER_SEQUENCE);

	s->has_policies = true;
	if (!der_more(&list))
		return false;
	while (der_more(&list)) {
		struct der_reader info = der_enter(&list, DER_SEQUENCE);
		struct span oid = der_take(&info, DER_OID).body;

		if (der_more(&info))
			der_take(&info, DER_SEQUENCE);
		if (!der_done(&info) || oid.n == 0 || oids_has(&s->policies, oid))
			return false; /* a policy must not come twice */
		if (span_equal(oid, OID_ANY_POLICY))
			s->any = true;
		else if (!oids_put(&s->policies, oid))
			return false;
	}
	return der_done(&list);
}

/* PolicyMappings (4.2.1.5). */
static bool
mappings_read(struct own_policies *s, struct span value)
{
	struct der_reader list = der_only(value, DER_SEQUENCE);

	if (!der_more(&list))
		return false;
	while (der_more(&list)) {
		struct der_reader pair = der_enter(&list, DER_SEQUENCE);
		struct span from = der_take(&pair, DER_OID).body, to = der_take(&pair, DER_OID).body;

		if (!der_done(&pair) || !oids_put(&s->from, from) || !oids_put(&s->to, to))
			return false;
	}
	return der_done(&list);
}

/* SkipCerts; a number that does not fit counts as larger than any path. */
static bool
skip_read(uint32_t *out, struct span body)
{
	enum res r = der_uint(out, body);

	if (r == RES_LIMIT)
		*out = UINT32_MAX;
	return r == RES_OK || r == RES_LIMIT;
}

/* PolicyConstraints (4.2.1.11): one of the two at least. */
static bool
constraints_read(struct own_policies *s, struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);

	if (!der_more(&in))
		return false;
	if (der_at(&in, DER_CONTEXT(0))) {
		s->has_explicit = true;
		if (!skip_read(&s->explicit_after, der_any(&in).body))
			return false;
	}
	if (der_at(&in, DER_CONTEXT(1))) {
		s->has_inhibit_mapping = true;
		if (!skip_read(&s->inhibit_mapping_after, der_any(&in).body))
			return false;
	}
	return der_done(&in);
}

static bool
inhibit_any_read(struct own_policies *s, struct span value)
{
	struct der_reader in = der_over(value);

	s->has_inhibit_any = true;
	return skip_read(&s->inhibit_any_after, der_take(&in, DER_INTEGER).body) && der_done(&in);
}

static const char *
own_policies_read(struct own_policies *s, const struct cert *c)
{
	const struct cert_ext *policies = cert_ext_find(c, OID_POLICIES);
	const struct cert_ext *mappings = cert_ext_find(c, OID_POLICY_MAPPINGS);
	const struct cert_ext *constraints = cert_ext_find(c, OID_POLICY_CONSTRAINTS);
	const struct cert_ext *inhibit = cert_ext_find(c, OID_INHIBIT_ANY_POLICY);

	s->has_policies = s->any = s->has_explicit = s->has_inhibit_mapping = s->has_inhibit_any = false;
	s->policies.n = s->from.n = s->to.n = 0;
	s->explicit_after = s->inhibit_mapping_after = s->inhibit_any_after = 0;
	if (policies != NULL && !policies_read(s, policies->value))
		return unreadable;
	if ((mappings != NULL && !mappings_read(s, mappings->value)) ||
	    (constraints != NULL && !constraints_read(s, constraints->value)) ||
	    (inhibit != NULL && !inhibit_any_read(s, inhibit->value)))
		return unreadable_limits;
	if (oids_has(&s->from, OID_ANY_POLICY) || oids_has(&s->to, OID_ANY_POLICY))
		return any_is_mapped;
	return NULL;
}

/* ---- one certificate of the path (6.1.3) */

static bool
state_is_dead(const struct state *st)
{
	return !st->any && st->valid.n == 0;
}

/* (d): of the valid policies those stay that the certificate names; its anyPolicy keeps all of them. */
static void
certificate_apply(struct state *st, const struct own_policies *s, bool any_counts)
{
	struct oids before = st->valid;
	bool any_before = st->any, any_here = s->any && any_counts;

	st->valid.n = 0;
	st->any = any_before && any_here;
	for (size_t i = 0; i < s->policies.n; i++)
		if (any_before || oids_has(&before, s->policies.oid[i]))
			oids_put(&st->valid, s->policies.oid[i]);
	for (size_t i = 0; any_here && i < before.n; i++)
		if (!oids_has(&st->valid, before.oid[i]))
			oids_put(&st->valid, before.oid[i]);
}

/* ---- between it and the next (6.1.4) */

/* (b): a mapped policy is replaced by those that it is mapped to, or removed if mapping is inhibited. */
static bool
mappings_apply(struct state *st, const struct own_policies *s)
{
	struct oids before = st->valid;

	st->valid.n = 0;
	for (size_t i = 0; i < before.n; i++)
		if (!oids_has(&s->from, before.oid[i]))
			oids_put(&st->valid, before.oid[i]);
	for (size_t i = 0; st->mapping_in > 0 && i < s->from.n; i++)
		if ((st->any || oids_has(&before, s->from.oid[i])) && !oids_has(&st->valid, s->to.oid[i]) &&
		    !oids_put(&st->valid, s->to.oid[i]))
			return false;
	return true;
}

static void
count_down(size_t *count)
{
	if (*count > 0)
		--*count;
}

static void
lower(size_t *count, bool has, uint32_t to)
{
	if (has && to < *count)
		*count = to;
}

/* (h) to (j) */
static void
counters_apply(struct state *st, const struct own_policies *s, bool self_issued)
{
	if (!self_issued) {
		count_down(&st->explicit_in);
		count_down(&st->mapping_in);
		count_down(&st->any_in);
	}
	lower(&st->explicit_in, s->has_explicit, s->explicit_after);
	lower(&st->mapping_in, s->has_inhibit_mapping, s->inhibit_mapping_after);
	lower(&st->any_in, s->has_inhibit_any, s->inhibit_any_after);
}

/* The certificate at that place; the leaf is at 0. */
static const char *
policies_step(struct state *st, const struct cert *c, size_t at)
{
	bool self_issued = span_equal(c->subject, c->issuer), dead = state_is_dead(st);
	struct own_policies s;
	const char *fault = own_policies_read(&s, c);

	if (fault != NULL)
		return fault;
	certificate_apply(st, &s, st->any_in > 0 || (at > 0 && self_issued));
	if (state_is_dead(st) && !dead)
		st->died_at = at;
	if (at > 0) {
		if (state_is_dead(st) && st->explicit_in == 0)
			return none_is_valid;
		dead = state_is_dead(st);
		if (!mappings_apply(st, &s))
			return unreadable_limits;
		if (state_is_dead(st) && !dead)
			st->died_at = at;
		counters_apply(st, &s, self_issued);
		return NULL;
	}
	/* 6.1.5 (a) and (b) */
	count_down(&st->explicit_in);
	if (s.has_explicit && s.explicit_after == 0)
		st->explicit_in = 0;
	return state_is_dead(st) && st->explicit_in == 0 ? none_is_valid : NULL;
}

const char *
policies_fault(size_t *at, const struct cert *const *certs, size_t n)
{
	struct state st = {.any = true, .explicit_in = n + 1, .mapping_in = n + 1, .any_in = n + 1};

	for (size_t i = n; i-- > 0;) {
		const char *fault = policies_step(&st, certs[i], i);

		if (fault != NULL) {
			*at = fault == none_is_valid ? st.died_at : i;
			return fault;
		}
	}
	return NULL;
}
