/*
 * Which critical extensions are understood (RFC 5280, 4.2): a table of those that are known, each with the reader of its
 * content. One whose content cannot be processed is not understood, whatever its identifier says.
 */
#include "verify/x509/altname.h"
#include "verify/x509/oid.h"
#include "verify/x509/usage.h"

#define CRITICAL_POLICIES_MAX 64 /* each is compared with each; public certificates have one to four */

/* A SEQUENCE of one element or more, each read by this. */
static bool
sequence_is(struct span value, bool (*element)(struct der_reader *))
{
	struct der_reader list = der_only(value, DER_SEQUENCE);

	if (!der_more(&list))
		return false;
	while (der_more(&list))
		if (!element(&list))
			return false;
	return der_done(&list);
}

static bool
usage_is(struct span oid, struct span value)
{
	struct cert c = {.n_ext = 1};
	struct usage u;

	c.ext[0] = (struct cert_ext){oid, true, value};
	return usage_read(&u, &c) == RES_OK;
}

static bool
basic_is_read(struct span value)
{
	return usage_is(OID_BASIC_CONSTRAINTS, value);
}

static bool
purposes_are_read(struct span value)
{
	return usage_is(OID_EXTENDED_KEY_USAGE, value);
}

/* RFC 5280, 4.2.1.3: at least one bit is set. */
static bool
key_usage_is_read(struct span value)
{
	struct der_reader in = der_over(value);
	struct span bits = der_take(&in, DER_BIT_STRING).body;
	bool any = false;

	if (der_bits(&bits) != RES_OK)
		return false;
	for (size_t i = 0; i < bits.n; i++)
		any |= bits.p[i] != 0;
	return any && usage_is(OID_KEY_USAGE, value);
}

static bool
general_name_is(struct der_reader *in)
{
	struct altname name;

	return altname_read(&name, in) == RES_OK;
}

static bool
names_are_read(struct span value)
{
	return sequence_is(value, general_name_is);
}

/* ---- names that are constrained: nameconstraints.c applies them */

static bool
subtree_is(struct der_reader *list)
{
	struct der_reader subtree = der_enter(list, DER_SEQUENCE);

	return general_name_is(&subtree) && der_done(&subtree); /* neither minimum nor maximum */
}

static bool
constraints_are_read(struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE), list;

	if (!der_more(&in))
		return false;
	for (uint8_t kind = 0; kind <= 1; kind++) {
		if (!der_at(&in, DER_CONTEXT_CONS(kind)))
			continue;
		list = der_enter(&in, DER_CONTEXT_CONS(kind));
		if (!der_more(&list))
			return false;
		while (der_more(&list))
			if (!subtree_is(&list))
				return false;
	}
	return der_done(&in);
}

/* ---- where CRLs are (4.2.1.13): nothing is fetched, so only the form is of interest */

/* DistributionPointName ::= CHOICE { [0] GeneralNames, [1] RelativeDistinguishedName } */
static bool
point_name_is(struct der_reader *in)
{
	struct der_reader outer = der_enter(in, DER_CONTEXT_CONS(0));
	bool full = der_at(&outer, DER_CONTEXT_CONS(0));
	struct der_reader inner = der_enter(&outer, full ? DER_CONTEXT_CONS(0) : DER_CONTEXT_CONS(1));

	if (!der_more(&inner) || !der_done(&outer))
		return false;
	while (der_more(&inner))
		if (full ? !general_name_is(&inner) : der_take(&inner, DER_SEQUENCE).whole.n == 0)
			return false;
	return der_done(&inner);
}

static bool
point_is(struct der_reader *list)
{
	struct der_reader point = der_enter(list, DER_SEQUENCE), issuer;
	bool named = der_at(&point, DER_CONTEXT_CONS(0)), issued;
	struct span reasons;

	if (named && !point_name_is(&point))
		return false;
	if (der_at(&point, DER_CONTEXT(1))) {
		reasons = der_any(&point).body;
		if (der_bits(&reasons) != RES_OK)
			return false;
	}
	issued = der_at(&point, DER_CONTEXT_CONS(2));
	if (issued) {
		issuer = der_enter(&point, DER_CONTEXT_CONS(2));
		if (!der_more(&issuer))
			return false;
		while (der_more(&issuer))
			if (!general_name_is(&issuer))
				return false;
	}
	return (named || issued) && der_done(&point); /* never reasons alone */
}

static bool
points_are_read(struct span value)
{
	return sequence_is(value, point_is);
}

/* ---- policies (4.2.1.4, 4.2.1.5, 4.2.1.14) */

/* Qualifiers that RFC 5280 defines; a critical one of another kind is to be refused. */
static bool
qualifier_is(struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);
	struct span id = der_take(&in, DER_OID).body;

	if (span_equal(id, OID_QUALIFIER_CPS))
		der_take(&in, DER_IA5_STRING);
	else if (span_equal(id, OID_QUALIFIER_NOTICE))
		der_take(&in, DER_SEQUENCE);
	else
		return false;
	return der_done(&in);
}

static bool
policy_is(struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);

	if (der_take(&in, DER_OID).body.n == 0)
		return false;
	return der_done(&in) ||
	       (sequence_is(der_take(&in, DER_SEQUENCE).whole, qualifier_is) && der_done(&in));
}

static bool
policies_are_read(struct span value)
{
	struct der_reader list, later;

	if (!sequence_is(value, policy_is))
		return false;
	/* 4.2.1.4: none may occur twice. A list can fill a whole extension, so it has a maximum. */
	list = der_only(value, DER_SEQUENCE);
	for (size_t n = 0; der_more(&list); n++) {
		struct der_reader one = der_enter(&list, DER_SEQUENCE);
		struct span id = der_take(&one, DER_OID).body;

		if (n == CRITICAL_POLICIES_MAX)
			return false;
		for (later = list; der_more(&later);) {
			one = der_enter(&later, DER_SEQUENCE);
			if (span_equal(id, der_take(&one, DER_OID).body))
				return false;
		}
	}
	return true;
}

static bool
mapping_is(struct der_reader *list)
{
	struct der_reader in = der_enter(list, DER_SEQUENCE);

	return der_take(&in, DER_OID).body.n > 0 && der_take(&in, DER_OID).body.n > 0 && der_done(&in);
}

static bool
mappings_are_read(struct span value)
{
	return sequence_is(value, mapping_is);
}

static bool
number_is_read(struct span value)
{
	struct der_reader in = der_over(value);
	uint32_t n;
	enum res r = der_uint(&n, der_take(&in, DER_INTEGER).body);

	return (r == RES_OK || r == RES_LIMIT) && der_done(&in);
}

/* PolicyConstraints (4.2.1.11): one of the two at least; what they demand is in policies.c. */
static bool
limits_are_read(struct span value)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);
	uint32_t n;

	if (!der_more(&in))
		return false;
	for (uint8_t k = 0; k <= 1; k++)
		if (der_at(&in, DER_CONTEXT(k))) {
			enum res r = der_uint(&n, der_any(&in).body);

			if (r != RES_OK && r != RES_LIMIT)
				return false;
		}
	return der_done(&in);
}

/* ---- extensions of TLS and of logs */

static bool
feature_is(struct der_reader *list)
{
	return number_is_read(der_take(list, DER_INTEGER).whole);
}

static bool
features_are_read(struct span value)
{
	return sequence_is(value, feature_is);
}

/* The list inside is read, and refused, by ct/. */
static bool
scts_are_read(struct span value)
{
	struct der_reader in = der_over(value);

	return der_take(&in, DER_OCTET_STRING).body.n > 0 && der_done(&in);
}

/* ---- the table */

/*
 * Not in it, so never understood when critical: key identifiers and authorityInfoAccess (4.2.1.1, 4.2.1.2 and 4.2.2.1:
 * never critical) and the poison of a precertificate (RFC 6962, 3.1).
 */
const struct cert_ext *
usage_unknown_critical(const struct cert *c)
{
	const struct {
		struct span oid;
		bool (*is_read)(struct span value);
	} known[] = {
	    {OID_KEY_USAGE, key_usage_is_read},
	    {OID_SUBJECT_ALT_NAME, names_are_read},
	    {OID_ISSUER_ALT_NAME, names_are_read},
	    {OID_BASIC_CONSTRAINTS, basic_is_read},
	    {OID_NAME_CONSTRAINTS, constraints_are_read},
	    {OID_CRL_DISTRIBUTION, points_are_read},
	    {OID_POLICIES, policies_are_read},
	    {OID_POLICY_MAPPINGS, mappings_are_read},
	    {OID_EXTENDED_KEY_USAGE, purposes_are_read},
	    {OID_POLICY_CONSTRAINTS, limits_are_read},
	    {OID_INHIBIT_ANY_POLICY, number_is_read},
	    {OID_TLS_FEATURE, features_are_read},
	    {OID_SCT_LIST, scts_are_read},
	};

	for (size_t i = 0; i < c->n_ext; i++) {
		bool understood = !c->ext[i].critical;

		for (size_t k = 0; !understood && k < sizeof known / sizeof known[0]; k++)
			understood =
			    span_equal(c->ext[i].oid, known[k].oid) && known[k].is_read(c->ext[i].value);
		if (!understood)
			return &c->ext[i];
	}
	return NULL;
}
