#include "verify/verdict.h"

#include <string.h>

struct reason_row {
	const char *code;
	const char *stage;
	const char *sentence;
};

static const struct reason_row reasons[] = {
    [REASON_NONE] = {"none", "", "no objection"},
#define REASON(id, code, stage, sentence) [REASON_##id] = {code, stage, sentence},
#include "verify/reasons.def"
#undef REASON
};

static const struct {
	const char *code;
	const char *sentence;
} statuses[] = {
#define SCT_STATUS(id, code, sentence) [SCT_STATUS_##id] = {code, sentence},
#include "verify/ct/sct_status.def"
#undef SCT_STATUS
};

static const struct reason_row *
reason_row(enum reason r)
{
	return (unsigned)r < REASON_COUNT ? &reasons[r] : &reasons[REASON_NONE];
}

const char *
reason_code(enum reason r)
{
	return reason_row(r)->code;
}

const char *
reason_stage(enum reason r)
{
	return reason_row(r)->stage;
}

const char *
reason_sentence(enum reason r)
{
	return reason_row(r)->sentence;
}

enum reason
reason_read(const char *code)
{
	for (int r = REASON_NONE + 1; code != NULL && r < REASON_COUNT; r++)
		if (strcmp(reasons[r].code, code) == 0)
			return (enum reason)r;
	return REASON_NONE;
}

bool
reason_is_verdict(enum reason r)
{
	/* reasons.def lists the judge's reasons first, and this is the last of them. */
	return r > REASON_NONE && r <= REASON_OUT_OF_MEMORY;
}

const char *
sct_status_code(enum sct_status s)
{
	return (unsigned)s < SCT_STATUS_COUNT ? statuses[s].code : "none";
}

const char *
sct_status_sentence(enum sct_status s)
{
	return (unsigned)s < SCT_STATUS_COUNT ? statuses[s].sentence : "";
}
