#include "verify/x509/nameconstraints.h"
#include "base/text.h"
#include "verify/x509/altname.h"
#include "verify/x509/identity.h"
#include "verify/x509/name.h"
#include "verify/x509/oid.h"

#include <string.h>

#define NAME_KEY_MAX (CERT_BYTES_MAX * 2)

static const char too_much[] = "too many name constraints and names to compare";
static const char unreadable_names[] = "it constrains names that cannot be read";
static const char no_comparison[] = "it constrains directory names, one of which cannot be compared";
static const char unreadable[] = "its name constraints cannot be read";

struct nameconstraints_budget
nameconstraints_budget(void)
{
	return (struct nameconstraints_budget){NAMECONSTRAINTS_SUBTREES_MAX, NAMECONSTRAINTS_COMPARES_MAX,
					       false};
}

static const char *
give_up(struct nameconstraints_budget *budget, const char *why)
{
	budget->gave_up = true;
	return why;
}

/* ---- one name against one subtree; both of the same kind */

/* host is at or below domain; an empty domain has everything below it. */
static bool
host_within(struct span host, struct span domain)
{
	struct span tail;

	if (domain.n == 0)
		return true;
	if (host.n < domain.n)
		return false;
	tail = span_slice(host, host.n - domain.n, domain.n);
	return ascii_case_equal(tail, domain) && (host.n == domain.n || host.p[host.n - domain.n - 1] == '.');
}

static bool
is_wildcard(struct span name)
{
	return name.n > 2 && name.p[0] == '*' && name.p[1] == '.';
}

/* A name is excluded if anything that it can match is; so a wildcard matches a subtree that begins one label below it. */
static bool
dns_meets(struct span name, struct span subtree, bool excluded)
{
	struct span base, inner;
	const uint8_t *dot;

	if (!is_wildcard(name))
		return host_within(name, subtree);
	base = span_slice(name, 2, name.n);
	if (host_within(base, subtree))
		return true;
	dot = subtree.n == 0 ? NULL : memchr(subtree.p, '.', subtree.n);
	if (!excluded || dot == NULL)
		return false;
	inner = span_slice(subtree, (size_t)(dot - subtree.p) + 1, subtree.n);
	return ascii_case_equal(inner, base);
}

static bool
ip_meets(struct span ip, struct span subtree)
{
	if (subtree.n != 2 * ip.n)
		return false; /* the other family */
	for (size_t i = 0; i < ip.n; i++)
		if (((ip.p[i] ^ subtree.p[i]) & subtree.p[ip.n + i]) != 0)
			return false;
	return true;
}

/* The part after the last '@'; a name without one has none. */
static bool
split_at(struct span mail, struct span *local, struct span *host)
{
	for (size_t i = mail.n; i > 0; i--)
		if (mail.p[i - 1] == '@') {
			*local = span_slice(mail, 0, i - 1);
			*host = span_slice(mail, i, mail.n);
			return local->n > 0 && host->n > 0;
		}
	return false;
}

/* ".domain" means below it, "host" means that very host. */
static bool
host_meets(struct span host, struct span subtree)
{
	if (subtree.n > 0 && subtree.p[0] == '.')
		return host.n > subtree.n &&
		       ascii_case_equal(span_slice(host, host.n - subtree.n, subtree.n), subtree);
	return ascii_case_equal(host, subtree);
}

static bool
email_meets(struct span mail, struct span subtree)
{
	struct span local, host, only_local, only_host;

	if (!split_at(mail, &local, &host))
		return false;
	if (split_at(subtree, &only_local, &only_host))
		return span_equal(local, only_local) && ascii_case_equal(host, only_host);
	return host_meets(host, subtree);
}

/* The host of an absolute URI; empty when it has none (RFC 5280, 4.2.1.10: such a URI is refused). */
static struct span
uri_host(struct span uri)
{
	struct span rest = {NULL, 0};
	size_t end = 0;

	for (size_t i = 0; i + 2 < uri.n && rest.n == 0; i++)
		if (memcmp(uri.p + i, "://", 3) == 0)
			rest = span_slice(uri, i + 3, uri.n);
	while (end < rest.n && strchr("/?#", rest.p[end]) == NULL)
		end++;
	rest = span_slice(rest, 0, end);
	for (size_t i = rest.n; i > 0; i--)
		if (rest.p[i - 1] == '@') {
			rest = span_slice(rest, i, rest.n);
			break;
		}
	for (end = 0; end < rest.n && rest.p[end] != ':'; end++)
		;
	return span_slice(rest, 0, end);
}

/* The Name's first RDNs, as many as the subtree has, are the subtree. */
static enum res
directory_meets(bool *meets, struct span name, struct span subtree)
{
	struct der_reader want = der_only(subtree, DER_SEQUENCE), have = der_only(name, DER_SEQUENCE);
	struct span all = have.left;
	struct buf head = buf_max(CERT_BYTES_MAX + DER_HEADER_MAX);
	struct buf a = buf_max(NAME_KEY_MAX), b = buf_max(NAME_KEY_MAX);
	enum res r = RES_MALFORMED;

	*meets = false;
	while (der_more(&want) && der_more(&have)) {
		der_any(&want);
		der_any(&have);
	}
	if (have.bad || want.bad)
		goto out;
	r = RES_OK;
	if (der_more(&want))
		goto out; /* the name is shorter */
	der_header(&head, DER_SEQUENCE, all.n - have.left.n);
	buf_put(&head, span_slice(all, 0, all.n - have.left.n));
	if (!buf_ok(&head)) {
		r = RES_NOMEM;
		goto out;
	}
	r = name_key_from_der(&a, buf_span(&head));
	if (r == RES_OK)
		r = name_key_from_der(&b, subtree);
	*meets = r == RES_OK && span_equal(buf_span(&a), buf_span(&b));
out:
	buf_free(&head);
	buf_free(&a);
	buf_free(&b);
	return r;
}

static enum res
name_meets(bool *meets, struct altname name, struct span subtree, bool excluded)
{
	switch (name.kind) {
	case ALTNAME_DNS:
		*meets = dns_meets(name.value, subtree, excluded);
		return RES_OK;
	case ALTNAME_IP:
		*meets = ip_meets(name.value, subtree);
		return RES_OK;
	case ALTNAME_EMAIL:
		*meets = email_meets(name.value, subtree);
		return RES_OK;
	case ALTNAME_URI:
		*meets = host_meets(uri_host(name.value), subtree);
		return RES_OK;
	case ALTNAME_DIRECTORY:
		return directory_meets(meets, name.value, subtree);
	case ALTNAME_OTHER:
	case ALTNAME_X400:
	case ALTNAME_EDI_PARTY:
	case ALTNAME_REGISTERED_ID:
		break;
	}
	*meets = excluded; /* we cannot compare such a name, so it never passes (RFC 5280, 4.2.1.10) */
	return RES_OK;
}

/* ---- form */

/* Has the URI no character that RFC 3986 (2) forbids? With one, parsers disagree where the host begins. */
static bool
uri_is_clean(struct span uri)
{
	for (size_t i = 0; i < uri.n; i++)
		if (uri.p[i] <= ' ' || uri.p[i] >= 0x7f || strchr("\"<>\\^`{|}", uri.p[i]) != NULL)
			return false;
	return true;
}

/* Can this name be compared at all? Asked only where a constraint of its kind exists. */
static bool
name_is_sane(struct altname name)
{
	struct span local, host;

	switch (name.kind) {
	case ALTNAME_DNS:
		return identity_is_host(is_wildcard(name.value) ? span_slice(name.value, 2, name.value.n)
								: name.value);
	case ALTNAME_IP:
		return name.value.n == 4 || name.value.n == 16;
	case ALTNAME_EMAIL:
		return split_at(name.value, &local, &host) && identity_is_host(host) &&
		       memchr(local.p, '@', local.n) == NULL;
	case ALTNAME_URI:
		return uri_is_clean(name.value) && identity_is_host(uri_host(name.value));
	case ALTNAME_DIRECTORY:
	case ALTNAME_OTHER:
	case ALTNAME_X400:
	case ALTNAME_EDI_PARTY:
	case ALTNAME_REGISTERED_ID:
		break;
	}
	return true;
}

/* A mask is ones, then zeros. */
static bool
mask_is_sane(struct span mask)
{
	bool ended = false;

	for (size_t i = 0; i < mask.n; i++)
		for (int bit = 7; bit >= 0; bit--) {
			bool one = (mask.p[i] >> bit & 1) != 0;

			if (one && ended)
				return false;
			ended |= !one;
		}
	return true;
}

static bool
domain_is_sane(struct span s)
{
	return s.n == 0 || identity_is_host(s);
}

static bool
subtree_is_sane(struct altname base)
{
	struct span local, host;

	switch (base.kind) {
	case ALTNAME_DNS:
		return domain_is_sane(base.value); /* no leading dot: that is the form for URIs and mail */
	case ALTNAME_IP:
		return (base.value.n == 8 || base.value.n == 32) &&
		       mask_is_sane(span_slice(base.value, base.value.n / 2, base.value.n));
	case ALTNAME_EMAIL:
		if (split_at(base.value, &local, &host))
			return identity_is_host(host) && memchr(local.p, '@', local.n) == NULL;
		/* fall through */
	case ALTNAME_URI:
		return domain_is_sane(base.value.n > 0 && base.value.p[0] == '.'
					  ? span_slice(base.value, 1, base.value.n)
					  : base.value);
	case ALTNAME_DIRECTORY:
	case ALTNAME_OTHER: /* these four are not supported: see name_meets */
	case ALTNAME_X400:
	case ALTNAME_EDI_PARTY:
	case ALTNAME_REGISTERED_ID:
		break;
	}
	return true;
}

/* ---- one certificate's names against one CA's constraints */

struct trees {
	struct der_reader permitted; /* GeneralSubtrees, or nothing */
	struct der_reader excluded;
};

/* Reads GeneralSubtrees once, to know that they are sane. */
static const char *
subtrees_fault(struct der_reader list, struct nameconstraints_budget *budget)
{
	if (!der_more(&list))
		return unreadable; /* SIZE (1..MAX) */
	while (der_more(&list)) {
		struct der_reader subtree = der_enter(&list, DER_SEQUENCE);
		struct altname base;

		/* minimum is 0, so not encoded, and there is no maximum (RFC 5280, 4.2.1.10) */
		if (altname_read(&base, &subtree) != RES_OK || !der_done(&subtree) || !subtree_is_sane(base))
			return unreadable;
		if (budget->subtrees == 0)
			return give_up(budget, too_much);
		budget->subtrees--;
	}
	return der_done(&list) ? NULL : unreadable;
}

static const char *
trees_read(struct trees *t, struct span value, struct nameconstraints_budget *budget)
{
	struct der_reader in = der_only(value, DER_SEQUENCE);
	const char *fault = NULL;

	*t = (struct trees){0};
	if (!der_more(&in))
		return unreadable;
	if (der_at(&in, DER_CONTEXT_CONS(0))) {
		t->permitted = der_enter(&in, DER_CONTEXT_CONS(0));
		fault = subtrees_fault(t->permitted, budget);
	}
	if (fault == NULL && der_at(&in, DER_CONTEXT_CONS(1))) {
		t->excluded = der_enter(&in, DER_CONTEXT_CONS(1));
		fault = subtrees_fault(t->excluded, budget);
	}
	if (fault == NULL && !der_done(&in))
		fault = unreadable;
	return fault;
}

static bool
compare_take(struct nameconstraints_budget *budget, const struct altname *name, const struct altname *base)
{
	size_t cost = 1;

	if (name->kind == base->kind)
		cost += (name->value.n + base->value.n) / NAMECONSTRAINTS_BYTES_PER_COMPARE;
	if (name->kind == base->kind && name->kind == ALTNAME_DIRECTORY)
		cost *= NAMECONSTRAINTS_DIRECTORY_COST;
	if (budget->compares < cost)
		return false;
	budget->compares -= cost;
	return true;
}

/* Goes through one list: does the name match a subtree, and is there one of its kind? */
static const char *
list_meets(bool *meets, bool *of_kind, struct der_reader list, struct altname name, bool excluded,
	   struct nameconstraints_budget *budget)
{
	*meets = *of_kind = false;
	while (!*meets && der_more(&list)) {
		struct der_reader subtree = der_enter(&list, DER_SEQUENCE);
		struct altname base = {0};
		enum res r;

		altname_read(&base, &subtree);
		if (!compare_take(budget, &name, &base))
			return give_up(budget, too_much);
		if (base.kind != name.kind)
			continue;
		*of_kind = true;
		r = name_meets(meets, name, base.value, excluded);
		if (r == RES_NOMEM)
			return give_up(budget, no_comparison);
		if (r != RES_OK)
			return no_comparison;
	}
	return NULL;
}

static const char *
name_fault(const struct trees *t, struct altname name, struct nameconstraints_budget *budget)
{
	bool excluded, permitted, some_excluded, some_permitted;
	const char *fault = list_meets(&excluded, &some_excluded, t->excluded, name, true, budget);

	if (fault == NULL)
		fault = list_meets(&permitted, &some_permitted, t->permitted, name, false, budget);
	if (fault != NULL)
		return fault;
	if ((some_excluded || some_permitted) && !name_is_sane(name))
		return "it constrains a kind of name of which one is malformed";
	if (excluded)
		return "its name constraints exclude a name or address of a certificate below it";
	if (some_permitted && !permitted)
		return "its name constraints do not permit a name or address of a certificate below it";
	return NULL;
}

/* Old certificates have mail addresses in the subject; they count if there is no rfc822Name. */
static const char *
subject_mail_fault(const struct trees *t, const struct cert *c, struct nameconstraints_budget *budget)
{
	struct der_reader rdns = der_only(c->subject, DER_SEQUENCE);
	const char *fault = NULL;

	while (fault == NULL && der_more(&rdns)) {
		struct der_reader rdn = der_enter(&rdns, DER_SET);

		while (fault == NULL && der_more(&rdn)) {
			struct der_reader attribute = der_enter(&rdn, DER_SEQUENCE);
			struct span oid = der_take(&attribute, DER_OID).body;
			struct altname mail = {ALTNAME_EMAIL, der_any(&attribute).body};

			if (!der_done(&attribute))
				return unreadable_names;
			if (span_equal(oid, OID_EMAIL_ADDRESS))
				fault = name_fault(t, mail, budget);
		}
		rdns.bad |= rdn.bad;
	}
	return fault != NULL || der_done(&rdns) ? fault : unreadable_names;
}

const char *
nameconstraints_fault(const struct cert *ca, const struct cert *below, struct nameconstraints_budget *budget)
{
	const struct cert_ext *ext = cert_ext_find(ca, OID_NAME_CONSTRAINTS);
	struct der_reader names = altname_list(below);
	struct altname name = {ALTNAME_DIRECTORY, below->subject};
	struct trees trees;
	const char *fault;
	bool mail = false;

	if (ext == NULL)
		return NULL;
	fault = trees_read(&trees, ext->value, budget);
	if (fault == NULL && !cert_subject_is_empty(below))
		fault = name_fault(&trees, name, budget);
	while (fault == NULL && altname_next(&name, &names)) {
		fault = name_fault(&trees, name, budget);
		mail |= name.kind == ALTNAME_EMAIL;
	}
	if (fault == NULL && !der_done(&names))
		fault = unreadable_names;
	if (fault == NULL && !mail)
		fault = subject_mail_fault(&trees, below, budget);
	return fault;
}
