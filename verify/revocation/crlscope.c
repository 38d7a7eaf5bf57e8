#include "verify/revocation/crlscope.h"

#include "verify/x509/der.h"
#include "verify/x509/oid.h"
#include "verify/x509/usage.h"

/* GeneralNames that are URIs and nothing else, and not too many (Baseline Requirements, 7.1.2.11.2
 * and 7.2.2.1). */
static bool
are_uris(struct span names)
{
	struct der_reader in = der_over(names);
	size_t n = 0;

	while (der_at(&in, DER_CONTEXT(6))) {
		der_any(&in);
		n++;
	}
	return der_done(&in) && n > 0 && n <= CRL_SCOPE_NAMES_MAX;
}

/* DistributionPointName: a fullName, or a name relative to the issuer's, which no certificate here is met by.
 */
static struct span
point_name_read(struct der_reader *in)
{
	struct der_reader choice = der_enter(in, DER_CONTEXT_CONS(0));
	struct der_element name = der_any(&choice);

	if (!der_done(&choice) || (name.id != DER_CONTEXT_CONS(0) && name.id != DER_CONTEXT_CONS(1)))
		in->bad = true;
	if (in->bad || name.id != DER_CONTEXT_CONS(0) || !are_uris(name.body))
		return (struct span){NULL, 0};
	return name.body;
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
crl_scope_read(struct crl_scope *out, struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);
	struct crl_scope s = {.pointed = der_at(&in, DER_CONTEXT_CONS(0))};

	if (s.pointed)
		s.names = point_name_read(&in);
	s.servers_only = flag_read(&in, DER_CONTEXT(1));
	s.cas_only = flag_read(&in, DER_CONTEXT(2));
	s.some_reasons = der_at(&in, DER_CONTEXT(3));
	if (s.some_reasons)
		der_any(&in);
	if (flag_read(&in, DER_CONTEXT(4)) || flag_read(&in, DER_CONTEXT(5)))
		return RES_UNSUPPORTED;
	if (!der_done(&in))
		return RES_MALFORMED;
	*out = s;
	return RES_OK;
}

/* A name of both, byte by byte (Baseline Requirements, 7.2.2.1). */
static bool
names_meet(struct span a, struct span b)
{
	struct der_reader x = der_over(a);

	while (der_more(&x)) {
		struct der_element one = der_any(&x);
		struct der_reader y = der_over(b);

		while (der_more(&y))
			if (span_equal(der_any(&y).whole, one.whole))
				return true;
	}
	return false;
}

/* Does the certificate name this point, for all reasons and with its own issuer as the list's (RFC
 * 5280, 4.2.1.13)? */
static bool
point_meets(const struct cert *c, struct span names)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_CRL_DISTRIBUTION);
	struct der_reader points;

	if (ext == NULL || names.n == 0)
		return false;
	points = der_only(ext->value, DER_SEQUENCE);
	while (der_more(&points)) {
		struct der_reader point = der_enter(&points, DER_SEQUENCE);
		struct span own = {NULL, 0};

		if (der_at(&point, DER_CONTEXT_CONS(0)))
			own = point_name_read(&point);
		if (der_done(&point) && names_meet(own, names))
			return true;
	}
	return false;
}

bool
crl_scope_has(const struct crl_scope *s, const struct cert *c)
{
	struct usage usage;

	if (s->some_reasons || usage_read(&usage, c) != RES_OK || (usage.ca ? s->servers_only : s->cas_only))
		return false;
	return !s->pointed || point_meets(c, s->names);
}
