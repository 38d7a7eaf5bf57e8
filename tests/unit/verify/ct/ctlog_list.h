/*
 * ctlog_list.h - small log lists in JSON, of the keys in ctlog_keys.h.
 */
#ifndef TESTS_UNIT_VERIFY_CT_CTLOG_LIST_H
#define TESTS_UNIT_VERIFY_CT_CTLOG_LIST_H

#include "verify/ct/ctlogs.h"

#include "tests/unit/verify/ct/ctlog_keys.h"

#define LIST(logs) "{\"log_list_timestamp\":\"2026-11-01T00:00:00Z\",\"operators\":[{\"name\":\"Op\",\"logs\":[" logs "]}]}"
#define LOG(name, rest) "{\"description\":\"" #name "\",\"log_id\":\"" name##_ID "\",\"key\":\"" name##_KEY "\"" rest "}"
#define USABLE ",\"state\":{\"usable\":{\"timestamp\":\"2025-01-01T00:00:00Z\"}}"

/* Fails the test when the list cannot be read. The list is yours. */
static inline struct ctlogs *
list_of(const char *json)
{
	struct ctlogs *list = NULL;
	char *why = NULL;

	if (ctlogs_from_json(&list, span_str(json), &why) != RES_OK)
		fail_msg("not read: %s", why);
	return list;
}

#endif
