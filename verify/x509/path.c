#include "verify/x509/path.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/trust_judge.h"

#include <string.h>

struct search {
	struct path_set *set;
	const struct cert *certs;
	size_t n_certs;
	const struct trust *trust;
	int64_t now_ms;
	struct path path; /* so far */
};

bool
path_cert_expired(const struct cert *c, int64_t now_ms)
{
	return now_ms >= c->not_after_ms + 1000;
}

bool
path_cert_not_yet_valid(const struct cert *c, int64_t now_ms)
{
	return now_ms < c->not_before_ms;
}

bool
path_self_issued(const struct cert *c)
{
	return span_equal(c->subject, c->issuer);
}

static bool
path_in_time(const struct path *p, int64_t now_ms)
{
	for (size_t i = 0; i < p->n; i++)
		if (path_cert_expired(p->certs[i], now_ms) || path_cert_not_yet_valid(p->certs[i], now_ms))
			return false;
	return true;
}

static void
path_keep(struct search *s)
{
	struct path_set *set = s->set;

	if (path_in_time(&s->path, s->now_ms)) {
		if (set->n_valid < VFY_PATHS_MAX)
			set->valid[set->n_valid++] = s->path;
	} else if (set->n_dated < VFY_PATHS_MAX) {
		set->dated[set->n_dated++] = s->path;
	}
}

/* The same CA twice (name and key, under whatever certificate) makes a path no better, only endless. */
static bool
path_has(const struct path *p, const struct cert *c)
{
	for (size_t i = 0; i < p->n; i++)
		if (span_equal(p->certs[i]->subject, c->subject) && span_equal(p->certs[i]->spki, c->spki))
			return true;
	return false;
}

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

static struct span
subject_key_id(const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_SUBJECT_KEY_ID);
	struct der_reader in;

	if (ext == NULL)
		return (struct span){NULL, 0};
	in = der_over(ext->value);
	return der_take(&in, DER_OCTET_STRING).body;
}

/* Key identifiers of both sides are there and differ: tried last. */
static bool
unlikely(const struct cert *c, const struct cert *issuer)
{
	struct span wanted = authority_key_id(c), is = subject_key_id(issuer);

	return wanted.n > 0 && is.n > 0 && !span_equal(wanted, is);
}

/* More could be found, and may be looked for. */
static bool
search_goes_on(const struct search *s)
{
	return s->set->n_valid < VFY_PATHS_MAX && s->set->steps < PATH_STEPS_MAX &&
	       s->path.n < PATH_LENGTH_MAX;
}

static void
search_anchors(struct search *s, const struct cert *top, bool late)
{
	size_t first = 0, n = trust_find(s->trust, top->issuer, &first);

	for (size_t i = first; i < first + n && search_goes_on(s); i++) {
		const struct cert *anchor = trust_at(s->trust, i);

		s->set->steps++;
		if (unlikely(top, anchor) != late || path_has(&s->path, anchor))
			continue;
		s->path.anchor = i;
		s->path.certs[s->path.n++] = anchor;
		path_keep(s);
		s->path.n--;
	}
}

/* Depth first; recursion ends because no CA comes twice, at PATH_LENGTH_MAX at the latest. */
static void
search_from(struct search *s)
{
	const struct cert *top = s->path.certs[s->path.n - 1];
	struct der_reader issuer = der_only(top->issuer, DER_SEQUENCE);

	if (!der_more(&issuer))
		return; /* an empty name chains to nothing (RFC 5280, 4.1.2.4) */
	for (int late = 0; late <= 1; late++) {
		search_anchors(s, top, late != 0);
		for (size_t i = 1; i < s->n_certs && search_goes_on(s); i++) {
			const struct cert *next = &s->certs[i];

			s->set->steps++;
			if (!span_equal(top->issuer, next->subject) || unlikely(top, next) != (late != 0) ||
			    path_has(&s->path, next))
				continue;
			s->path.place[s->path.n] = i;
			s->path.certs[s->path.n++] = next;
			search_from(s);
			s->path.n--;
		}
	}
}

void
path_find(struct path_set *set, const struct cert *certs, size_t n, const struct trust *trust, int64_t now_ms)
{
	struct search s = {set, certs, n, trust, now_ms, {.certs = {&certs[0]}, .n = 1}};
	size_t first = 0, same = trust_find(trust, certs[0].subject, &first);

	set->n_valid = set->n_dated = set->steps = 0;
	for (size_t i = first; i < first + same; i++)
		if (span_equal(trust_at(trust, i)->der, certs[0].der)) {
			s.path.anchor = i;
			path_keep(&s);
		}
	search_from(&s);
}
