/*
 * fuzz_ctlogs_json.c - log lists as v3 JSON: what is read is written as a list that reads the same.
 */
#include "verify/ct/ctlogs.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

static void
round_trip(const struct ctlogs *list)
{
	struct ctlogs *again = NULL, *kept = NULL;
	struct ctlogs_change change;
	char *json = ctlogs_json(list), *second;

	check(json != NULL && ctlogs_from_json(&again, span_str(json), NULL) == RES_OK);
	second = ctlogs_json(again);
	check(second != NULL && strcmp(json, second) == 0);
	check(ctlogs_compare(&change, list, again) == RES_OK && change.text[0] == '\0' && !change.older);
	check(ctlogs_keep_known(&kept, list, again) == RES_OK && ctlogs_count(kept) == ctlogs_count(list));
	for (size_t i = 0; i < ctlogs_count(list); i++) {
		const struct ctlog *log = ctlogs_at(list, i);

		check(ctlogs_find(again, log->id) != NULL && log->description[0] != '\0');
		check(ctlog_operator_at(log, log->state_ms)[0] != '\0');
	}
	free(change.text);
	free(json);
	free(second);
	ctlogs_free(again);
	ctlogs_free(kept);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	struct ctlogs *list = NULL;
	char *why = NULL;

	if (ctlogs_from_json(&list, span_of(data, n), &why) == RES_OK)
		round_trip(list);
	else
		check(list == NULL && why != NULL && why[0] != '\0');
	free(why);
	ctlogs_free(list);
	return 0;
}
