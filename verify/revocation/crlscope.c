#include "verify/revocation/crlscope.h"

#include "verify/x509/altname.h"
#include "verify/x509/der.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"
#include "verify/x509/usage.h"

#define POINT_NAME_MAX (16 * 1024) /* of a directory name, as DER or in compared form */

struct crl_scope
crl_scope_everything(struct span issuer)
{
	return (struct crl_scope){.reasons = CRL_REASONS_ALL, .issuer = issuer};
}

/* fullName: at least one GeneralName, each readable. */
static bool
full_name_ok(struct span names, size_t *n)
{
	struct der_reader in = der_over(names);
	struct altname one;

	for (*n = 0; der_more(&in); ++*n)
		if (altname_read(&one, &in) != RES_OK)
			return false;
	return der_done(&in) && *n > 0;
}

/* DistributionPointName: a fullName, or one RDN that follows the issuer's name. */
static struct crl_point
point_read(struct der_reader *in)
{
	struct der_reader choice = der_enter(in, DER_CONTEXT_CONS(0));
	struct der_element name = der_any(&choice);
	struct crl_point point = {true, name.id == DER_CONTEXT_CONS(1), name.body};
	size_t n = 1;

	if (!der_done(&choice) || name.body.n == 0 ||
	    (!point.relative && (name.id != DER_CONTEXT_CONS(0) || !full_name_ok(name.body, &n))))
		in->bad = true;
	if (n > CRL_SCOPE_NAMES_MAX)
		point.names = (struct span){NULL, 0};
	return point;
}

/* ReasonFlags in [id]; all of them when it is absent. */
static unsigned
reasons_read(struct der_reader *in, uint8_t id)
{
	struct span bits;
	unsigned reasons = 0;

	if (!der_at(in, id))
		return CRL_REASONS_ALL;
	bits = der_any(in).body;
	if (der_bits(&bits) != RES_OK)
		in->bad = true;
	for (unsigned flag = 1; !in->bad && flag <= 8 && flag / 8 < bits.n; flag++)
		if ((bits.p[flag / 8] & (0x80u >> flag % 8)) != 0)
			reasons |= 1u << flag;
	return reasons;
}

static bool
flag_read(struct der_reader *in, uint8_t id)
{
	bool flag = false;

	if (der_at(in, id) && der_bool(&flag, der_any(in).body) != RES_OK)
		in->bad = true;
	return flag;
}

enum res
crl_scope_read(struct crl_scope *out, struct span value, struct span issuer)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);
	struct crl_scope s = {.issuer = issuer};
	bool empty = !der_more(&in), indirect, attributes;

	if (der_at(&in, DER_CONTEXT_CONS(0)))
		s.point = point_read(&in);
	s.servers_only = flag_read(&in, DER_CONTEXT(1));
	s.cas_only = flag_read(&in, DER_CONTEXT(2));
	s.reasons = reasons_read(&in, DER_CONTEXT(3));
	indirect = flag_read(&in, DER_CONTEXT(4));
	attributes = flag_read(&in, DER_CONTEXT(5));
	if (empty || !der_done(&in) || s.servers_only + s.cas_only + attributes > 1)
		return RES_MALFORMED;
	if (indirect || attributes)
		return RES_UNSUPPORTED;
	*out = s;
	return RES_OK;
}

/* ---- does a certificate name the point? */

/* The issuer's name with one more RDN, as DER. */
static void
name_extend(struct buf *out, struct span issuer, struct span rdn)
{
	struct der_reader rdns = der_only(issuer, DER_SEQUENCE);
	struct buf last = buf_max(POINT_NAME_MAX);

	der_header(&last, DER_SET, rdn.n);
	buf_put(&last, rdn);
	der_header(out, DER_SEQUENCE, rdns.left.n + last.n);
	buf_put(out, rdns.left);
	buf_put(out, buf_span(&last));
	buf_free(&last);
}

/* A directory name in compared form; its first byte is not the tag of any GeneralName. */
static bool
directory_form(struct buf *form, struct span name)
{
	buf_clear(form);
	buf_u8(form, 'D');
	return name_key_from_der(form, name) == RES_OK;
}

/* The form in which the next name of a point is compared: a directory name, complete or relative, as in name.h; any other
 * kind by its bytes, so URIs must be identical (Baseline Requirements, 7.2.2.1). False: it has no such form. */
static bool
point_form(struct buf *form, struct der_reader *names, const struct crl_point *point, struct span issuer)
{
	struct buf whole = buf_max(POINT_NAME_MAX);
	struct der_element one;
	bool ok;

	if (point->relative) {
		name_extend(&whole, issuer, names->left);
		*names = der_over((struct span){NULL, 0});
		ok = buf_ok(&whole) && directory_form(form, buf_span(&whole));
		buf_free(&whole);
		return ok;
	}
	one = der_any(names);
	if (one.id == DER_CONTEXT_CONS(ALTNAME_DIRECTORY))
		return directory_form(form, one.body);
	buf_clear(form);
	buf_put(form, one.whole);
	return buf_ok(form);
}

/* Is this one of the names of the list's point? */
static bool
scope_has_form(const struct crl_scope *s, struct span form)
{
	struct der_reader names = der_over(s->point.names);
	struct buf own = buf_max(POINT_NAME_MAX);
	bool found = false;

	while (!found && der_more(&names))
		found = point_form(&own, &names, &s->point, s->issuer) && span_equal(buf_span(&own), form);
	buf_free(&own);
	return found;
}

/* One name in common is enough (RFC 5280, 6.3.3 (b) (2) (i)). */
static bool
points_meet(const struct crl_scope *s, const struct crl_point *point, struct span issuer, size_t *left)
{
	struct der_reader names = der_over(point->names);
	struct buf form = buf_max(POINT_NAME_MAX);
	bool met = false;

	for (; !met && der_more(&names) && *left > 0; --*left)
		met = point_form(&form, &names, point, issuer) && scope_has_form(s, buf_span(&form));
	buf_free(&form);
	return met;
}

/* RFC 5280, 6.3.3: a certificate may always be looked up in the list whose point has its issuer's name. */
static bool
point_is_issuer(const struct crl_scope *s, const struct cert *c)
{
	struct buf form = buf_max(POINT_NAME_MAX);
	bool met = directory_form(&form, c->issuer) && scope_has_form(s, buf_span(&form));

	buf_free(&form);
	return met;
}

/* For which reasons does the certificate refer to the list's point? A point with a cRLIssuer is for indirect CRLs (6.3.3
 * (b) (1)). */
static unsigned
point_reasons(const struct crl_scope *s, const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_CRL_DISTRIBUTION);
	size_t left = CRL_SCOPE_CERT_NAMES_MAX;
	struct der_reader points;
	unsigned reasons = 0;

	if (point_is_issuer(s, c))
		return CRL_REASONS_ALL;
	points = ext == NULL ? der_over((struct span){NULL, 0}) : der_only(ext->value, DER_SEQUENCE);
	while (der_more(&points)) {
		struct der_reader in = der_enter(&points, DER_SEQUENCE);
		struct crl_point point = {false, false, {NULL, 0}};
		unsigned some;

		if (der_at(&in, DER_CONTEXT_CONS(0)))
			point = point_read(&in);
		some = reasons_read(&in, DER_CONTEXT(1));
		if (point.present && der_done(&in) && points_meet(s, &point, c->issuer, &left))
			reasons |= some;
	}
	return reasons;
}

unsigned
crl_scope_reasons(const struct crl_scope *s, const struct cert *c)
{
	struct usage usage;

	if (usage_read(&usage, c) != RES_OK || (usage.ca ? s->servers_only : s->cas_only))
		return 0;
	return s->point.present ? s->reasons & point_reasons(s, c) : s->reasons;
}
