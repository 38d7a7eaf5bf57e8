#include "verify/x509/identity.h"
#include "base/addr.h"
#include "base/text.h"
#include "verify/x509/altname.h"

#include <string.h>

bool
identity_is_host(struct span name)
{
	size_t label = 0;
	bool digits = true;

	if (name.n == 0 || name.n > IDENTITY_NAME_MAX)
		return false;
	for (size_t i = 0; i <= name.n; i++) {
		uint8_t c = i < name.n ? ascii_lower(name.p[i]) : '.';

		if (c == '.') {
			if (label == 0 || label > 63 || name.p[i - 1] == '-')
				return false;
			if (i < name.n)
				digits = true;
			label = 0;
			continue;
		}
		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c == '-' && label > 0)))
			return false;
		digits = digits && c >= '0' && c <= '9';
		label++;
	}
	return !digits; /* else it is an address in disguise (RFC 1123, 2.1) */
}

/* The part after the first dot; empty when there is none. */
static struct span
identity_parent(struct span name)
{
	const uint8_t *dot = name.n == 0 ? NULL : memchr(name.p, '.', name.n);

	return dot == NULL ? (struct span){NULL, 0} : span_slice(name, (size_t)(dot - name.p) + 1, name.n);
}

/* "co.uk" and its like: two labels of which the last is a country's and the first says what kind of
 * registrant is below. */
static bool
is_registry(const char *domain)
{
	static const char *const kinds[] = {"ac", "co", "com", "edu", "gov", "mil", "ne", "net", "or", "org"};
	struct span base = span_str(domain);
	struct span country = identity_parent(base);
	struct span kind = span_slice(base, 0, base.n - country.n - 1);

	for (size_t i = 0; country.n == 2 && i < sizeof kinds / sizeof kinds[0]; i++)
		if (span_equal(kind, span_str(kinds[i])))
			return true;
	return false;
}

/* No wildcard spans the names of strangers. */
static bool
is_spannable(struct span base, identity_is_suffix *is_suffix)
{
	char domain[IDENTITY_NAME_MAX + 1];

	if (!identity_is_host(base) || identity_parent(base).n == 0)
		return false;
	for (size_t i = 0; i < base.n; i++)
		domain[i] = (char)ascii_lower(base.p[i]);
	domain[base.n] = '\0';
	return !(is_suffix != NULL ? is_suffix : is_registry)(domain);
}

static bool
name_matches(struct span wanted, struct span presented, identity_is_suffix *is_suffix)
{
	struct span base;

	if (!(presented.n > 2 && presented.p[0] == '*' && presented.p[1] == '.'))
		return identity_is_host(presented) && ascii_case_equal(wanted, presented);
	base = span_slice(presented, 2, presented.n);
	return ascii_case_equal(identity_parent(wanted), base) && is_spannable(base, is_suffix);
}

bool
identity_has_ip(const struct cert *c, struct span ip)
{
	struct der_reader list = altname_list(c);
	struct altname a;

	if (ip.n != 4 && ip.n != 16)
		return false;
	while (altname_next(&a, &list))
		if (a.kind == ALTNAME_IP && span_equal(a.value, ip))
			return true;
	return false;
}

bool
identity_has_name(const struct cert *c, const char *name, identity_is_suffix *is_suffix)
{
	struct span wanted = span_str(name);
	struct der_reader list = altname_list(c);
	struct altname a;

	if (wanted.n > 0 && wanted.p[wanted.n - 1] == '.')
		wanted.n--;
	if (!identity_is_host(wanted))
		return false;
	while (altname_next(&a, &list))
		if (a.kind == ALTNAME_DNS && name_matches(wanted, a.value, is_suffix))
			return true;
	return false;
}

/* Only what could be matched: other bytes are of no use to people, and not fit for a terminal. */
static bool
text_put(struct buf *out, struct altname name, bool first)
{
	struct addr addr = {.family = name.value.n == 4 ? ADDR_V4 : ADDR_V6};
	bool wildcard = name.value.n > 2 && name.value.p[0] == '*' && name.value.p[1] == '.';
	char ip[ADDR_TEXT_MAX];

	if (name.kind == ALTNAME_IP && (name.value.n == 4 || name.value.n == 16)) {
		memcpy(addr.ip, name.value.p, name.value.n);
		buf_format(out, "%s%s", first ? "" : ", ", addr_ip_text(&addr, ip));
		return true;
	}
	if (name.kind != ALTNAME_DNS ||
	    !identity_is_host(wildcard ? span_slice(name.value, 2, name.value.n) : name.value))
		return false;
	buf_text(out, first ? "" : ", ");
	buf_put(out, name.value);
	return true;
}

void
identity_text(struct buf *out, const struct cert *c)
{
	struct der_reader list = altname_list(c);
	size_t shown = 0, more = 0;
	struct altname a;

	while (altname_next(&a, &list)) {
		if (shown == IDENTITY_TEXT_SHOWN)
			more++;
		else
			shown += text_put(out, a, shown == 0);
	}
	if (shown == 0)
		buf_text(out, "nothing");
	if (more > 0)
		buf_format(out, " and %zu more", more);
}

bool
identity_readable(const struct cert *c)
{
	struct der_reader list = altname_list(c);
	struct altname a;

	while (altname_next(&a, &list))
		;
	return der_done(&list);
}
