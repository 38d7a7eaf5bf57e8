#include "contrib/lab/scenarios/scenario.h"

#include <string.h>

static const struct scenario_group *const groups[] = {
    &scenarios_identity,   &scenarios_chain,    &scenarios_transparency, &scenarios_misissuance,
    &scenarios_revocation, &scenarios_sessions, &scenarios_protocol,     &scenarios_downgrade};

#define GROUPS (sizeof groups / sizeof groups[0])

const struct scenario_group *
scenario_group_at(size_t i)
{
	return i < GROUPS ? groups[i] : NULL;
}

size_t
scenario_count(void)
{
	size_t n = 0;

	for (size_t g = 0; g < GROUPS; g++)
		n += groups[g]->n;
	return n;
}

const struct scenario *
scenario_at(size_t i)
{
	for (size_t g = 0; g < GROUPS; g++) {
		if (i < groups[g]->n)
			return &groups[g]->rows[i];
		i -= groups[g]->n;
	}
	return NULL;
}

const struct scenario *
scenario_find(const char *name)
{
	const struct scenario *row;

	for (size_t i = 0; (row = scenario_at(i)) != NULL; i++)
		if (strcmp(row->name, name) == 0)
			return row;
	return NULL;
}

const struct scenario_group *
scenario_group_of(const struct scenario *scenario)
{
	for (size_t g = 0; g < GROUPS; g++)
		if (scenario >= groups[g]->rows && scenario < groups[g]->rows + groups[g]->n)
			return groups[g];
	return NULL;
}

enum reach
scenario_reach(const struct scenario *scenario)
{
	return scenario->reach != 0 ? scenario->reach : REACH_ALL;
}

const char *
scenario_want_text(enum want want)
{
	switch (want) {
	case WANT_ACCEPT:
		return "accept";
	case WANT_REFUSE:
		return "refuse";
	case WANT_NOTE:
		return "note";
	}
	return "";
}

const char *
scenario_good_resolver(const struct scenario *scenario)
{
	if (scenario->dial_name != NULL)
		return "good-name";
	return scenario->v6 ? "good-v6" : "good-v4";
}
