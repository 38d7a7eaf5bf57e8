/*
 * Rules in report mode: their findings are reported, and refuse only from a set day on.
 */
#include "verify/judge.h"

static bool
reports_now(const struct judgement *j)
{
	return j->policy->report_until_ms == 0 || j->when.since_ms < j->policy->report_until_ms;
}

bool
judge_reports(const struct judgement *j, enum vfy_rule rule)
{
	return j->policy->mode[rule] == VFY_REPORT && reports_now(j);
}

enum ct_mode
judge_ct_mode(const struct judgement *j)
{
	enum ct_mode mode = j->policy->ct_mode;

	return mode == CT_REPORT && !reports_now(j) ? CT_REQUIRE : mode;
}

void
judge_modes(struct judgement *j)
{
	if (j->policy->report_until_ms != 0 && reports_now(j) && verdict_reported(j->v) != 0)
		j->v->report_until_ms = j->policy->report_until_ms;
}
