/* Does a certificate keep the limits of its anchor? */
#include "base/text.h"
#include "verify/anchor_limits.h"
#include "verify/x509/altname.h"

#include <string.h>

static bool
permitted_name(const struct anchor_permits *permits, struct span name)
{
	if (name.n > 2 && name.p[0] == '*' && name.p[1] == '.')
		name = span_slice(name, 2, name.n - 2);
	for (size_t i = 0; i < permits->n_name; i++) {
		struct span suffix = span_str(permits->name[i]);
		size_t rest = name.n - suffix.n;

		if (name.n < suffix.n || !ascii_case_equal(span_slice(name, rest, suffix.n), suffix))
			continue;
		if (rest == 0 || name.p[rest - 1] == '.')
			return true;
	}
	return false;
}

static bool
permitted_ip(const struct anchor_permits *permits, struct span ip)
{
	struct addr addr = {.family = ip.n == 4 ? ADDR_V4 : ADDR_V6};

	if (ip.n != 4 && ip.n != 16)
		return false;
	memcpy(addr.ip, ip.p, ip.n);
	for (size_t i = 0; i < permits->n_ip; i++)
		if (prefix_has(&permits->ip[i], &addr))
			return true;
	return false;
}

/* An anchor that is limited to some names may vouch for no other name or address: addresses must be permitted as well. */
static size_t
permit_faults(const char **out, const struct anchor_permits *permits, const struct cert *leaf)
{
	struct der_reader list = altname_list(leaf);
	bool name = false, ip = false;
	struct altname a;
	size_t n = 0;

	while (altname_next(&a, &list)) {
		name |= a.kind == ALTNAME_DNS && !permitted_name(permits, a.value);
		ip |= a.kind == ALTNAME_IP && !permitted_ip(permits, a.value);
	}
	if (name)
		out[n++] = permits->name_text;
	if (ip)
		out[n++] = permits->ip_text;
	return n;
}

size_t
anchor_limit_faults(const char *out[ANCHOR_LIMIT_FAULTS_MAX], const struct anchor_limit *limit,
		    const struct anchor_case *c)
{
	size_t n = 0;

	if (limit->has_distrusted_since && c->now_ms >= limit->distrusted_since_ms)
		out[n++] = limit->distrusted_since_text;
	if (limit->has_not_before_max && c->leaf->not_before_ms > limit->not_before_max_ms)
		out[n++] = limit->not_before_max_text;
	if (limit->has_sct_not_after && c->issued && c->issued_ms > limit->sct_not_after_ms)
		out[n++] = limit->sct_not_after_text;
	for (size_t i = 0; i < limit->n_permits; i++)
		n += permit_faults(out + n, limit->permits[i], c->leaf);
	return n;
}
