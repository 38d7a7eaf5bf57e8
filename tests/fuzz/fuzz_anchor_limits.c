/*
 * fuzz_anchor_limits.c - files of limits of anchors.
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
	struct anchor_limit found;
	struct faults faults = {.n = 0};

	check(anchor_limits_new(&table) == RES_OK);
	if (anchor_limits_add_file(table, NULL, span_of(data, n), &faults) != RES_OK)
		check(faults.n > 0 && faults.shown[0].why != NULL && faults.shown[0].line <= n);
	memset(anchor.sha256, 1, 32);
	memset(anchor.spki_sha256, 2, 32);
	if (anchor_limits_find(&found, table, &anchor)) {
		check(anchor_limits_count(table) > 0);
		check(!found.has_distrusted_since || found.distrusted_since_text != NULL);
		check(!found.has_sct_not_after || found.sct_not_after_text != NULL);
		check(!found.has_not_before_max || found.not_before_max_text != NULL);
	}
	for (size_t i = 0; i < found.n_permits; i++) {
		const struct anchor_permits *p = found.permits[i];

		check(p->n_name + p->n_ip > 0 && p->name_text != NULL && p->ip_text != NULL);
		for (size_t k = 0; k < p->n_name; k++)
			check(p->name[k][0] != '\0' && p->name[k][0] != '.');
	}
	faults_clear(&faults);
	anchor_limits_free(table);
	return 0;
}
