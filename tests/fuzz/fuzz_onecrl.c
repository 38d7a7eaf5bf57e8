/*
 * fuzz_onecrl.c - a browser's list of revoked intermediates: the text that comes of it is a disallow file.
 */
#include "verify/disallow.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct disallow_builder *b = NULL;
	char *text = NULL, *why = NULL;
	size_t entries, left_out, line;

	if (disallow_from_onecrl(&text, span_of(data, n), &entries, &left_out, NULL, &why) != RES_OK) {
		check(text == NULL && why != NULL);
		free(why);
		return 0;
	}
	check(disallow_builder_new(&b) == RES_OK);
	check(disallow_add_file(b, span_str(text), &line, &why) == RES_OK && line == entries);
	disallow_builder_free(b);
	free(text);
	return 0;
}
