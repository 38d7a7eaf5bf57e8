/* test_verify_library.c - the judge in thirty lines: its public header, GnuTLS, jansson and libtasn1, nothing else. */
#include "verify/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
main(void)
{
	static const uint8_t noise[] = {0x30, 0x03, 0x02, 0x01, 0x05}, quad9[] = {9, 9, 9, 9};
	const struct span chain[] = {{noise, sizeof noise}};
	const struct vfy_policy policy = {.ct_mode = CT_REQUIRE, .ct_policy = CT_STRICT};
	const struct vfy_input input = {.certs = chain, .n_certs = 1, .ip = {quad9, sizeof quad9}, .now_ms = 0};
	struct verdict verdict = {0};
	char *json;
	int failed;

	vfy_check(&verdict, &policy, &input);
	json = verdict_json(&verdict);
	failed = json == NULL || verdict_accepted(&verdict) || verdict_reason(&verdict) != REASON_CERT_MALFORMED ||
	         strstr(json, "\"reasons\":[\"cert-malformed\"]") == NULL;
	if (failed)
		fprintf(stderr, "%s\n", json == NULL ? "no memory" : json);
	free(json);
	verdict_clear(&verdict);
	return failed;
}
