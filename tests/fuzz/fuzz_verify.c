/*
 * fuzz_verify.c - a whole chain, judged.
 *
 * The input is certificates with a length of three bytes each, as in a TLS 1.2 Certificate message; the last one is the
 * anchor. For every input there is an outcome, a refusal has a reason, the verdict can be written, and the work is
 * bounded.
 */
#include "base/text.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/verify/judged_again.h"
#include "verify/judge.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CERTS_MAX (VFY_CERTS_MAX + 4)
#define NOW_MS    ((int64_t)1795262400000) /* 2026-11-21T12:00:00Z */

static size_t
certs_split(struct span certs[CERTS_MAX], struct span input)
{
	struct cursor in = cursor_over(input);
	size_t n = 0;

	while (n < CERTS_MAX && cursor_left(&in) > 0) {
		certs[n] = cursor_vec24(&in);
		if (!cursor_ok(&in))
			break;
		n++;
	}
	return n;
}

static struct trust *
anchor(struct span der)
{
	struct buf pem = buf_max(4 * CERT_BYTES_MAX);
	struct trust *trust = NULL;

	buf_text(&pem, "-----BEGIN CERTIFICATE-----\n");
	base64_write(&pem, der);
	buf_text(&pem, "\n-----END CERTIFICATE-----\n");
	trust_from_pem(&trust, buf_span(&pem), NULL);
	buf_free(&pem);
	return trust;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static struct ctlogs *logs;
	struct span certs[CERTS_MAX];
	size_t n_certs = certs_split(certs, span_of(data, n));
	struct trust *trust = n_certs > 0 ? anchor(certs[n_certs - 1]) : NULL;
	struct vfy_policy policy = {.ct_policy = CT_STRICT, .ct_list_max_age_ms = INT64_MAX, .trust = trust};
	struct vfy_input in = {.certs = certs, .n_certs = n_certs, .ip = span_of("\x01\x01\x01\x01", 4), .now_ms = NOW_MS};
	struct verdict v = {0}, copy;
	struct vfy_work work;
	char *text;

	if (logs == NULL)
		ctlogs_compiled_in(&logs);
	policy.ctlogs = logs;
	policy.ct_mode = n % 2 == 0 ? CT_REQUIRE : CT_OFF;
	vfy_check_work(&v, &policy, &in, &work);
	check(verdict_accepted(&v) == (verdict_reason(&v) == REASON_NONE));
	check(judged_again_same(&v, &work, &policy, in));
	check(work.signature_checks <= VFY_SIG_CHECKS_MAX && work.path_steps <= 3 * PATH_STEPS_MAX);
	check(!verdict_accepted(&v) || v.chain_verified);
	check(!verdict_accepted(&v) || policy.ct_mode == CT_OFF); /* no log of the list signed anything here */
	text = verdict_json(&v);
	check(text != NULL);
	free(text);
	text = verdict_text(&v);
	check(text != NULL);
	free(text);
	check(verdict_copy(&copy, &v) == RES_OK);
	verdict_clear(&copy);
	verdict_clear(&v);
	trust_free(trust);
	return 0;
}
