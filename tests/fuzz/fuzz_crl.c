/*
 * fuzz_crl.c - CRL files, PEM or DER; and the match of a list's IssuingDistributionPoint with a certificate's
 * CRLDistributionPoints.
 */
#include "verify/revocation/crlscope.h"
#include "verify/x509/oid.h"
#include "verify/revocation/revocation.h"
#include "verify/x509/signature.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

/* A length, that much of an IssuingDistributionPoint, and CRLDistributionPoints. */
static void
scope_judge(struct span data)
{
	size_t n = data.n == 0 ? 0 : data.p[0];
	struct cert c = {.version = 3, .n_ext = 1};
	struct crl_scope scope;
	unsigned reasons;

	c.ext[0] = (struct cert_ext){OID_CRL_DISTRIBUTION, false, span_slice(data, 1 + n, data.n)};
	c.issuer = span_str("\x30\x00");
	if (crl_scope_read(&scope, span_slice(data, 1, n), c.issuer) != RES_OK)
		return;
	reasons = crl_scope_reasons(&scope, &c);
	check((reasons & ~scope.reasons) == 0 && (reasons & ~CRL_REASONS_ALL) == 0);
	if (reasons != 0)
		check(!scope.cas_only && (!scope.point.present || scope.point.names.n > 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct crls *all = NULL;
	struct cert cert = {.version = 3}, issuer = {.version = 3};
	struct signature_budget budget = {.max = 64, .cost_max = 640};
	char *why = NULL, *text = NULL;

	scope_judge(span_of(data, n));
	check(crls_new(&all) == RES_OK);
	if (crls_add(all, span_of(data, n), &why) != RES_OK)
		check(why != NULL);
	/* an issuer whose name the list may have, without a key */
	cert.serial = span_of(data, n < 16 ? n : 16);
	cert.issuer = issuer.subject = span_of(data, n);
	check(crls_check(all, &cert, &issuer, when_at(1795305600000), &budget, &text) != REASON_REVOKED);
	free(text);
	free(why);
	crls_free(all);
	return 0;
}
