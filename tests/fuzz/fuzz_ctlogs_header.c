/*
 * fuzz_ctlogs_header.c - a browser's source header of known logs: read wholly, or refused with a sentence.
 */
#include "verify/ct/ctlogs.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ctlogs *list = NULL;
	char *why = NULL;

	if (ctlogs_from_mozilla_header(&list, span_of(data, n), &why) == RES_OK) {
		check(ctlogs_count(list) > 0 && ctlogs_date_ms(list) > 0);
		for (size_t i = 0; i < ctlogs_count(list); i++) {
			const struct ctlog *log = ctlogs_at(list, i);

			check(log->operator_name[0] != '\0' && log->state_ms > 0 && !log->never_counts);
			check(ctlogs_find(list, log->id) == log);
		}
	} else {
		check(list == NULL && why != NULL && why[0] != '\0');
	}
	free(why);
	ctlogs_free(list);
	return 0;
}
