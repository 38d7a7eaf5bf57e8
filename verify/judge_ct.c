#include "verify/ct/ctpolicy.h"
#include "base/text.h"
#include "verify/judge.h"

#include <stdlib.h>
#include <string.h>

static const enum reason ct_reasons[] = {
    REASON_CT_LIST_MISSING, REASON_CT_LIST_STALE,        REASON_CT_MALFORMED,      REASON_CT_NO_SCTS,
    REASON_CT_TOO_FEW_SCTS, REASON_CT_TOO_FEW_OPERATORS, REASON_CT_NO_CURRENT_LOG,
};

bool
judge_ct_list_is_stale(const struct judgement *j)
{
	return j->policy->ctlogs != NULL &&
	       j->when.since_ms - ctlogs_date_ms(j->policy->ctlogs) > j->policy->ct_list_max_age_ms;
}

static void
list_judge(struct judgement *j)
{
	const int64_t day = 86400000;
	int64_t age;

	if (j->policy->ctlogs == NULL) {
		verdict_add(j->v, REASON_CT_LIST_MISSING, "%s", reason_sentence(REASON_CT_LIST_MISSING));
		return;
	}
	age = j->when.since_ms - ctlogs_date_ms(j->policy->ctlogs);
	if (judge_ct_list_is_stale(j))
		verdict_add_counts(j->v, REASON_CT_LIST_STALE, age / day, j->policy->ct_list_max_age_ms / day,
				   "the list of CT logs is %s old, at most %lld are allowed",
				   COUNTED(age / day, "day"),
				   (long long)(j->policy->ct_list_max_age_ms / day));
}

/* The number of operators is judged only when there are enough SCTs: too few SCTs cannot come from enough operators. */
static void
tally_judge(struct judgement *j, const struct ctpolicy_tally *t)
{
	if (t->counted < t->wanted)
		verdict_add_counts(j->v, REASON_CT_TOO_FEW_SCTS, (int64_t)t->counted, (int64_t)t->wanted,
				   t->counted == 1 ? "%zu SCT counts, %zu are needed"
						   : "%zu SCTs count, %zu are needed",
				   t->counted, t->wanted);
	else if (t->operators < t->operators_wanted)
		verdict_add_counts(j->v, REASON_CT_TOO_FEW_OPERATORS, (int64_t)t->operators,
				   (int64_t)t->operators_wanted,
				   "the SCTs that count come from %s, %zu are needed",
				   COUNTED(t->operators, "log operator"), t->operators_wanted);
	if (t->counted > 0 && !t->current)
		verdict_add(j->v, REASON_CT_NO_CURRENT_LOG, "%s", reason_sentence(REASON_CT_NO_CURRENT_LOG));
}

/* Would there be enough SCTs if those of logs that an old list lacks counted? Each log counts once. */
static bool
newer_logs_suffice(const struct judgement *j, const struct ctpolicy_tally *t)
{
	size_t newer = 0;

	for (size_t i = 0; i < j->scts.n; i++) {
		bool again = j->scts.item[i].status != SCT_STATUS_UNKNOWN_LOG;

		for (size_t k = 0; k < i && !again; k++)
			again = j->scts.item[k].status == SCT_STATUS_UNKNOWN_LOG &&
				span_equal(j->scts.item[k].sct.log_id, j->scts.item[i].sct.log_id);
		newer += !again;
	}
	return newer > 0 && t->counted + newer >= t->wanted;
}

static void
scts_judge(struct judgement *j, const struct ctpolicy_tally *tally)
{
	switch (j->scts_read) {
	case RES_OK:
		if (j->policy->ctlogs != NULL && !(j->policy->old_list_serves && judge_ct_list_is_stale(j) &&
						   newer_logs_suffice(j, tally)))
			tally_judge(j, tally);
		break;
	case RES_NOT_FOUND:
		verdict_add(j->v, REASON_CT_NO_SCTS, "%s", reason_sentence(REASON_CT_NO_SCTS));
		break;
	case RES_LIMIT:
		verdict_add(j->v, REASON_CT_MALFORMED, "the certificate holds more than %d SCTs",
			    SCT_LIST_MAX);
		break;
	case RES_MALFORMED:
	case RES_UNSUPPORTED:
	case RES_NOMEM:
	case RES_IO:
		verdict_add(j->v, REASON_CT_MALFORMED, "%s", reason_sentence(REASON_CT_MALFORMED));
		break;
	}
}

static void
show_text(struct verdict *v, char **out, const char *text)
{
	*out = text == NULL ? NULL : strdup(text);
	if (text != NULL && *out == NULL)
		v->out_of_memory = true;
}

static bool
scts_show(struct judgement *j)
{
	struct verdict *v = j->v;

	if (j->scts.n == 0)
		return true;
	v->scts = calloc(j->scts.n, sizeof *v->scts);
	if (v->scts == NULL)
		return false;
	v->n_scts = j->scts.n;
	for (size_t i = 0; i < v->n_scts; i++) {
		const struct sct_item *item = &j->scts.item[i];
		struct verdict_sct *show = &v->scts[i];

		if (item->sct.log_id.n == 32)
			memcpy(show->log_id, item->sct.log_id.p, 32);
		show->timestamp_ms = sct_item_ms(item);
		show->status = item->status;
		show->counts = item->counts;
		if (item->log == NULL)
			continue;
		show_text(v, &show->log, item->log->description);
		show_text(v, &show->operator_name, ctlog_operator_at(item->log, show->timestamp_ms));
	}
	return true;
}

/* Nothing about CT refuses: its rule only reports, or rests while the list is old. */
static bool
ct_is_lenient(const struct judgement *j)
{
	return judge_ct_mode(j) == CT_REPORT ||
	       (j->policy->ct_when_stale == CT_STALE_REPORT && judge_ct_list_is_stale(j));
}

/* The findings stay in the verdict, but no longer refuse. */
static void
ct_relax(struct judgement *j)
{
	if (j->policy->ct_when_stale != CT_STALE_REFUSE)
		verdict_advise(j->v, REASON_CT_LIST_STALE);
	for (size_t i = 0; ct_is_lenient(j) && i < sizeof ct_reasons / sizeof ct_reasons[0]; i++)
		verdict_relax(j->v, ct_reasons[i]);
}

/* The SCTs would do if the clock were right. */
static void
clock_blame(struct judgement *j)
{
	static const char what[] = "SCTs are dated after the clock, which is not set";

	if (ct_is_lenient(j))
		verdict_note(j->v, REASON_CLOCK_NOT_SET, "%s", what);
	else
		verdict_add(j->v, REASON_CLOCK_NOT_SET, "%s", what);
}

bool
judge_ct(struct judgement *j)
{
	const struct path *p = j->path;
	struct anchor_limit limit;
	bool limited;
	struct ctpolicy_tally tally, later;
	enum res r = RES_OK;

	if (j->issuer == NULL)
		sct_check_forget(&j->scts); /* a path that was tried before may have had an issuer */
	else if (j->policy->ct_mode != CT_OFF)
		r = sct_check_signatures(&j->scts, &j->certs[0], j->issuer->spki_sha256, &j->budget);
	if (r == RES_NOMEM)
		return false;
	/* A limit in report mode does not discard SCTs either. */
	limited = p != NULL && !judge_reports(j, VFY_RULE_LIMITS) &&
		  anchor_limits_find(&limit, j->policy->anchor_limits, path_anchor(p));
	ctpolicy_judge(&later, &j->scts, ctpolicy_of(j->policy->ct_policy), &j->certs[0],
		       limited ? &limit : NULL, when_any_later(j->when));
	/* This call comes last, as it leaves the statuses that are shown. */
	ctpolicy_judge(&tally, &j->scts, ctpolicy_of(j->policy->ct_policy), &j->certs[0],
		       limited ? &limit : NULL, j->when);
	if (!scts_show(j))
		return false;
	if (j->policy->ct_mode == CT_OFF)
		return true;
	list_judge(j);
	scts_judge(j, &later);
	if (j->policy->ctlogs != NULL && ctpolicy_is_met(&later) && !ctpolicy_is_met(&tally))
		clock_blame(j);
	ct_relax(j);
	return true;
}
