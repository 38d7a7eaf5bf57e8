#include "verify/x509/features.h"
#include "verify/x509/der.h"
#include "verify/x509/oid.h"

enum res
features_read(struct features *out, const struct cert *c)
{
	const struct cert_ext *ext = cert_ext_find(c, OID_TLS_FEATURE);
	struct der_reader in;
	struct features f = {.n = 0};

	out->n = 0;
	if (ext == NULL)
		return RES_OK;
	in = der_only(ext->value, DER_SEQUENCE);
	while (der_more(&in)) {
		struct span number = der_take(&in, DER_INTEGER).body;
		uint32_t n;

		if (der_uint(&n, number) == RES_MALFORMED)
			return RES_MALFORMED;
		if (f.n == FEATURES_MAX)
			return RES_LIMIT;
		f.number[f.n++] = number;
	}
	if (!der_done(&in))
		return RES_MALFORMED;
	*out = f;
	return RES_OK;
}

bool
features_has(const struct features *f, struct span number)
{
	for (size_t i = 0; i < f->n; i++)
		if (span_equal(f->number[i], number))
			return true;
	return false;
}

const char *
features_fault(const struct cert *ca, const struct cert *below)
{
	static const char unreadable[] = "its TLS features or its issuer's cannot be read, or are too many";
	struct features want, have;

	if (features_read(&want, ca) != RES_OK)
		return unreadable;
	if (want.n == 0)
		return NULL;
	if (features_read(&have, below) != RES_OK)
		return unreadable;
	for (size_t i = 0; i < want.n; i++)
		if (!features_has(&have, want.number[i]))
			return "it lacks a TLS feature that its issuer demands (RFC 7633, 4.2.2)";
	return NULL;
}
