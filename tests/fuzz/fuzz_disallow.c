/*
 * fuzz_disallow.c - disallow files: what is read is in the list, and an entry's canonical text is an entry.
 */
#include "verify/disallow.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

/* A certificate whose parts are taken from the input too. */
static void
look_up(const struct disallow *list, const uint8_t *data, size_t n)
{
	struct cert cert = {.serial = span_of(data, n < 20 ? n : 20), .issuer = span_of(data, n), .subject = span_of(data, n)};
	struct disallow_hit hit;

	memcpy(cert.sha256, data, n < 32 ? n : 32);
	memcpy(cert.spki_sha256, data, n < 32 ? n : 32);
	if (disallow_match_cert(list, &cert, &hit) || disallow_match_key(list, &cert, &hit) ||
	    disallow_match_issuer(list, &cert, &hit) || disallow_match_subject(list, &cert, &hit)) {
		struct disallow_builder *again = NULL;

		check(disallow_builder_new(&again) == RES_OK);
		check(disallow_add(again, hit.entry, NULL) == RES_OK);
		disallow_builder_free(again);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disallow_builder *b = NULL;
	struct disallow *list = NULL;
	char *why = NULL;
	size_t line;

	check(disallow_builder_new(&b) == RES_OK);
	if (disallow_add_file(b, span_of(data, n), &line, &why) != RES_OK) {
		check(why != NULL && line <= n);
		free(why);
		disallow_builder_free(b);
		return 0;
	}
	check(disallow_finish(&list, b) == RES_OK);
	look_up(list, data, n);
	disallow_free(list);
	return 0;
}
