/*
 * reader_settings.h - settings of the reader of logs.
 */
#ifndef CONTRIB_WATCH_READER_SETTINGS_H
#define CONTRIB_WATCH_READER_SETTINGS_H

#include "contrib/watch/entry.h"
#include "contrib/watch/fetch.h"

enum reader_from { READER_FROM_END, READER_FROM_INDEX, READER_FROM_TIME };

struct reader_settings {
	const struct ctlogs *logs;        /* lent */
	const struct vfy_policy *servers; /* what the logs' HTTPS servers are judged by; lent */
	struct watch_findings *findings;  /* lent */
	int state_folder;                 /* of state.h; lent */
	int64_t poll_ms;
	/* where a log without a state begins; `from` is the index, or the time in milliseconds */
	enum reader_from from_kind;
	uint64_t from;
	bool once; /* reads up to the current heads, then ends */
};

#endif
