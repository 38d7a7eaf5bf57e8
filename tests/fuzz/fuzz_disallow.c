/*
 * fuzz_disallow.c - disallow files: an entry that is read is in the list, and its canonical text is an entry again.
 */
#include "verify/disallow.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* Looks up a certificate whose parts come from the input too. */
static void
look_up(const struct cert_match *list, const uint8_t *data, size_t n)
{
	struct cert cert = {.serial = span_of(data, n < 20 ? n : 20), .issuer = span_of(data, n), .subject = span_of(data, n)};
	struct cert_match_hit hit;

	memcpy(cert.sha256, data, n < 32 ? n : 32);
	memcpy(cert.spki_sha256, data, n < 32 ? n : 32);
	if (cert_match_cert(list, &cert, &hit) || cert_match_key(list, &cert, &hit) ||
	    cert_match_issuer(list, &cert, &hit) || cert_match_subject(list, &cert, &hit)) {
		struct cert_match_builder *again = NULL;

		check(cert_match_builder_new(&again) == RES_OK);
		check(cert_match_add(again, span_str(hit.entry), NULL) == RES_OK);
		cert_match_builder_free(again);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cert_match_builder *b = NULL;
	struct cert_match *list = NULL;
	struct faults faults = {.n = 0};

	check(cert_match_builder_new(&b) == RES_OK);
	if (disallow_add_file(b, span_of(data, n), &faults) != RES_OK) {
		check(faults.n > 0 && faults.shown[0].why != NULL && faults.shown[0].line <= n);
		faults_clear(&faults);
		cert_match_builder_free(b);
		return 0;
	}
	check(cert_match_finish(&list, b) == RES_OK);
	look_up(list, data, n);
	cert_match_free(list);
	return 0;
}
