/*
 * fuzz_crl.c - CRL files, PEM or DER; and what a list is for against where a certificate's lists are.
 */
#include "verify/revocation/crlscope.h"
#include "verify/x509/oid.h"
#include "verify/revocation/revocation.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* A length, that much of an IssuingDistributionPoint, and CRLDistributionPoints. */
static void
scope_judge(struct span data)
{
	size_t n = data.n == 0 ? 0 : data.p[0];
	struct cert c = {.version = 3, .n_ext = 1};
	struct crl_scope scope;

	c.ext[0] = (struct cert_ext){OID_CRL_DISTRIBUTION, false, span_slice(data, 1 + n, data.n)};
	if (crl_scope_read(&scope, span_slice(data, 1, n)) == RES_OK && crl_scope_has(&scope, &c))
		check(!scope.some_reasons && !scope.cas_only && (!scope.pointed || scope.names.n > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct crls *all = NULL;
	struct cert path[2] = {{.version = 3}, {.version = 3}};
	char *why = NULL, *text = NULL;

	scope_judge(span_of(data, n));
	check(crls_new(&all) == RES_OK);
	if (crls_add(all, span_of(data, n), &why) != RES_OK)
		check(why != NULL);
	/* an issuer that may be named in it, without a key */
	path[0].serial = span_of(data, n < 16 ? n : 16);
	path[1].subject = span_of(data, n);
	check(crls_check(all, path, 2, 1795305600000, &text) != REASON_REVOKED);
	free(text);
	free(why);
	crls_free(all);
	return 0;
}
