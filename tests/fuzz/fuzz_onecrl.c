/*
 * fuzz_onecrl.c - a browser's list of revoked intermediates: it is converted to a valid disallow file.
 */
#include "verify/onecrl.h"
#include "verify/disallow.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct cert_match_builder *b = NULL;
	char *text = NULL, *why = NULL;
	size_t entries, left_out;

	if (onecrl_to_disallow(&text, span_of(data, n), &entries, &left_out, NULL, &why) != RES_OK) {
		check(text == NULL && why != NULL);
		free(why);
		return 0;
	}
	check(cert_match_builder_new(&b) == RES_OK);
	check(disallow_add_file(b, span_str(text), NULL) == RES_OK && cert_match_builder_count(b) == entries);
	cert_match_builder_free(b);
	free(text);
	return 0;
}
