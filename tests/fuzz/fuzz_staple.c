/*
 * fuzz_staple.c - stapled OCSP responses, for a certificate and its issuer, whose key signed only the stored ones. The
 * input has the certificates first: two in DER, each after a length of two bytes, then the staple.
 */
#include "verify/revocation/revocation.h"
#include "verify/x509/signature.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cursor in = cursor_over(span_of(data, n));
	struct span leaf_der = cursor_vec16(&in), issuer_der = cursor_vec16(&in), staple = cursor_take(&in, cursor_left(&in));
	struct cert leaf, issuer;
	struct signature_budget budget = {.max = 64, .cost_max = 640};
	char *text = NULL;
	enum reason reason;

	if (!cursor_done(&in) || cert_read(&leaf, leaf_der) != RES_OK || cert_read(&issuer, issuer_der) != RES_OK)
		return 0;
	(void)cert_must_staple(&leaf);
	reason = staple_check(staple, &leaf, &issuer, when_at(1795305600000), &budget, &text); /* 2026-11-22 */
	check((reason == REASON_NONE) == (text == NULL));
	check(reason == REASON_NONE || reason == REASON_REVOKED || reason == REASON_STAPLE_INVALID);
	free(text);
	return 0;
}
