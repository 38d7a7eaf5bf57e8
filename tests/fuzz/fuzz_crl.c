/*
 * fuzz_crl.c - CRL files, PEM or DER.
 */
#include "verify/revocation.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct crls *all = NULL;
	struct cert path[2] = {{.version = 3}, {.version = 3}};
	char *why = NULL, *text = NULL;

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
