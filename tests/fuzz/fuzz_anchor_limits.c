/*
 * fuzz_anchor_limits.c - files of what anchors may vouch for.
 */
#include "verify/anchor_limits.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct anchor_limits *table = NULL;
	struct cert anchor = {.version = 3};
	const struct anchor_limit *found;
	char *why = NULL;
	size_t line;

	check(anchor_limits_new(&table) == RES_OK);
	if (anchor_limits_add_file(table, span_of(data, n), &line, &why) != RES_OK)
		check(why != NULL && line <= n);
	memset(anchor.sha256, 1, 32);
	memset(anchor.spki_sha256, 2, 32);
	found = anchor_limits_find(table, &anchor);
	check(found == NULL || (anchor_limits_count(table) > 0 && (found->has_sct_not_after || found->has_not_before_max ||
	                                                            found->n_permit_name > 0 || found->n_permit_ip > 0)));
	for (size_t i = 0; found != NULL && i < found->n_permit_name; i++)
		check(found->permit_name[i][0] != '\0' && found->permit_name[i][0] != '.');
	free(why);
	anchor_limits_free(table);
	return 0;
}
