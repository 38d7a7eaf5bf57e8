/*
 * A list of logs as it is asked: which log has this id, who operated it, in what state.
 */
#include "verify/ct/ctlogs_build.h"

#include <string.h>

/* The two mimic logs: their private keys are published for tests, so anyone signs in their name. */
static const uint8_t denied_ids[][32] = {
    {0xf4, 0x41, 0x95, 0xd6, 0xf0, 0x0e, 0x2d, 0xb5, 0x54, 0x35, 0xca, 0xdd, 0x57, 0x78, 0x92, 0xe5,
     0x3e, 0x15, 0xad, 0x41, 0x70, 0x58, 0xf8, 0x78, 0xe1, 0x4f, 0xf6, 0xb9, 0x18, 0x74, 0x15, 0x89},
    {0xb2, 0x2f, 0x7e, 0xde, 0xb5, 0xaf, 0x6a, 0xfe, 0x50, 0x3d, 0xe0, 0x40, 0x81, 0xb2, 0xd7, 0x4c,
     0x12, 0x53, 0x84, 0x92, 0xfe, 0xdf, 0x2c, 0xb2, 0xa5, 0x26, 0x50, 0x3c, 0xef, 0x53, 0xce, 0xd2},
};

bool
ctlog_is_denied(const uint8_t id[32])
{
	for (size_t i = 0; i < sizeof denied_ids / sizeof denied_ids[0]; i++)
		if (memcmp(denied_ids[i], id, 32) == 0)
			return true;
	return false;
}

uint64_t
ctlog_mmd_ms(const struct ctlog *log)
{
	return (uint64_t)(log->mmd_s != 0 ? log->mmd_s : log->tiled ? 60 : 86400) * 1000;
}

const char *
ctlog_state_text(enum ctlog_state state)
{
	switch (state) {
	case CTLOG_PENDING:
		return "pending";
	case CTLOG_QUALIFIED:
		return "qualified";
	case CTLOG_USABLE:
		return "usable";
	case CTLOG_READONLY:
		return "readonly";
	case CTLOG_RETIRED:
		return "retired";
	case CTLOG_REJECTED:
		return "rejected";
	}
	return "?";
}

const char *
ctlog_operator_at(const struct ctlog *log, int64_t ms)
{
	for (size_t i = 0; i < log->n_previous; i++)
		if (ms < log->previous[i].end_ms)
			return log->previous[i].name;
	return log->operator_name;
}

const struct faults *
ctlogs_left_out(const struct ctlogs *list)
{
	return &list->left_out;
}

int64_t
ctlogs_date_ms(const struct ctlogs *list)
{
	return list->date_ms;
}

const char *
ctlogs_source(const struct ctlogs *list)
{
	return list->source;
}

size_t
ctlogs_count(const struct ctlogs *list)
{
	return list->n;
}

const struct ctlog *
ctlogs_at(const struct ctlogs *list, size_t i)
{
	return &list->log[i];
}

const struct ctlog *
ctlogs_find(const struct ctlogs *list, const uint8_t id[32])
{
	size_t low = 0, high = list->n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		int c = memcmp(list->log[mid].id, id, 32);

		if (c == 0)
			return &list->log[mid];
		if (c < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const struct ctlog *
ctlogs_find_ever(const struct ctlogs *list, const uint8_t id[32])
{
	const struct ctlog *found = ctlogs_find(list, id);

	return found != NULL || list->retired == NULL ? found : ctlogs_find(list->retired, id);
}
