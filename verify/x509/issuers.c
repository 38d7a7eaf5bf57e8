#include "verify/x509/issuers.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/trust.h"

#include <string.h>

#define RANKS 3 /* key identifiers are equal, one is missing, they differ */

/* keyIdentifier of authorityKeyIdentifier; empty when there is none. */
static struct span
authority_key_id(const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_AUTHORITY_KEY_ID);
	struct der_reader in;

	if (ext == NULL)
		return (struct span){NULL, 0};
	in = der_only(ext->value, DER_SEQUENCE);
	return der_at(&in, DER_CONTEXT(0)) ? der_any(&in).body : (struct span){NULL, 0};
}

static size_t
rank_of(struct span authority, const struct cert *issuer)
{
	struct span is = authority.n == 0 ? authority : cert_subject_key_id(issuer);

	if (authority.n == 0 || is.n == 0)
		return 1;
	return span_equal(authority, is) ? 0 : 2;
}

struct issuers
issuers_of(const struct issuers_ground *ground, const struct cert *below)
{
	struct issuers it = {.ground = ground, .below = below, .authority = authority_key_id(below)};
	struct der_reader name = der_only(below->issuer, DER_SEQUENCE);

	if (der_more(&name))
		it.anchors = trust_find(ground->trust, below->issuer, &it.anchor);
	else
		it.rank = RANKS; /* an empty name chains to nothing (RFC 5280, 4.1.2.4) */
	return it;
}

static bool
presented_before(const struct issuers_ground *ground, size_t place)
{
	for (size_t i = 0; i < place; i++)
		if (memcmp(ground->certs[i].sha256, ground->certs[place].sha256, 32) == 0)
			return true;
	return false;
}

/* The candidate at that place, anchors first; NULL when it has another name. */
static const struct cert *
candidate_at(const struct issuers *it, size_t at, bool *is_anchor)
{
	const struct cert *c;

	*is_anchor = at < it->anchors;
	if (*is_anchor)
		return trust_at(it->ground->trust, it->anchor + at);
	at = at - it->anchors + 1; /* the leaf issues nothing */
	c = &it->ground->certs[at];
	return span_equal(c->subject, it->below->issuer) && !presented_before(it->ground, at) ? c : NULL;
}

const struct cert *
issuers_next(struct issuers *it, bool *is_anchor)
{
	for (; it->rank < RANKS; it->rank++, it->next = 0)
		while (it->next < it->anchors + it->ground->n_certs - 1) {
			const struct cert *c = candidate_at(it, it->next++, is_anchor);

			if (c != NULL && rank_of(it->authority, c) == it->rank)
				return c;
		}
	return NULL;
}
