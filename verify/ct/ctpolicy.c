#include "verify/ct/ctpolicy.h"

#include <string.h>

/* Chrome's rule on an anchor's SCT dates works on the path, not on single SCTs; Mozilla drops the SCTs. */
static const struct ctpolicy policies[] = {
    [CT_STRICT] = {.inclusive = true,
		   .scts = {2, 3},
		   .operators = {2, 2},
		   .retired_needs_issuance = true,
		   .leaf_index = true,
		   .interval = true,
		   .after_distrust = true},
    [CT_CHROME] = {.scts = {2, 3}, .operators = {2, 2}, .retired_needs_issuance = true},
    [CT_MOZILLA] = {.scts = {2, 3},
		    .operators = {2, 2},
		    .retired_needs_issuance = true,
		    .leaf_index = true,
		    .after_distrust = true},
    [CT_APPLE] = {.inclusive = true, .scts = {2, 3}, .per_operator = {1, 2}, .rfc6962_log = true},
};

const struct ctpolicy *
ctpolicy_of(enum ct_policy p)
{
	return &policies[p];
}

static bool
log_is_retired(const struct ctlog *log, int64_t now_ms)
{
	return log->state == CTLOG_RETIRED && log->state_ms <= now_ms;
}

static bool
log_is_current(const struct ctlog *log, int64_t now_ms)
{
	if (log->never_counts)
		return false;
	switch (log->state) {
	case CTLOG_QUALIFIED:
	case CTLOG_USABLE:
	case CTLOG_READONLY:
		return true;
	case CTLOG_RETIRED:
		return !log_is_retired(log, now_ms);
	case CTLOG_PENDING:
	case CTLOG_REJECTED:
		break;
	}
	return false;
}

bool
ctpolicy_issued_at(int64_t *ms, const struct sct_check *check, struct when when)
{
	bool found = false;

	for (size_t i = 0; i < check->n; i++) {
		const struct sct_item *item = &check->item[i];
		int64_t at = sct_item_ms(item);

		if (item->proof != SCT_PROVEN || at > when.until_ms ||
		    !log_is_current(item->log, when.since_ms))
			continue;
		if (!found || at < *ms)
			*ms = at;
		found = true;
	}
	return found;
}

struct ground {
	const struct ctpolicy *policy;
	const struct cert *leaf;
	const struct anchor_limit *limit;
	struct when when;
	bool issued; /* its time is known */
	int64_t issued_ms;
};

/* The bytes, the log and the signature: what holds under every policy. VALID: no objection so far. */
static enum sct_status
status_of_proof(const struct sct_item *item)
{
	if (item->sct.malformed)
		return SCT_STATUS_MALFORMED;
	if (item->sct.version != 0)
		return SCT_STATUS_WRONG_VERSION;
	if (ctlog_is_denied(item->sct.log_id.p))
		return SCT_STATUS_DENIED_LOG;
	if (item->log == NULL)
		return SCT_STATUS_UNKNOWN_LOG;
	if (!item->algorithm_fits)
		return SCT_STATUS_WRONG_ALGORITHM;
	switch (item->proof) {
	case SCT_UNCHECKED:
		return SCT_STATUS_UNCHECKED;
	case SCT_DISPROVEN:
		return SCT_STATUS_BAD_SIGNATURE;
	case SCT_PROVEN:
		break;
	}
	return SCT_STATUS_VALID;
}

static enum sct_status
status_of_log(const struct ground *g, const struct ctlog *log, int64_t at)
{
	if (log->state == CTLOG_PENDING)
		return SCT_STATUS_LOG_PENDING;
	if (log->state == CTLOG_REJECTED || log->never_counts)
		return SCT_STATUS_LOG_REJECTED;
	if (log_is_retired(log, g->when.since_ms) &&
	    (at >= log->state_ms ||
	     (g->policy->retired_needs_issuance && g->issued && g->issued_ms >= log->state_ms)))
		return SCT_STATUS_LOG_RETIRED;
	return SCT_STATUS_VALID;
}

static bool
outside_interval(const struct ctlog *log, const struct cert *leaf)
{
	if (log->interval_start_ms == 0 && log->interval_end_ms == 0)
		return false;
	return leaf->not_after_ms < log->interval_start_ms || leaf->not_after_ms >= log->interval_end_ms;
}

/* The first that applies, in the order of sct_status.def, but for duplicates. */
static enum sct_status
status_of(const struct ground *g, const struct sct_item *item)
{
	enum sct_status status = status_of_proof(item);
	int64_t at = sct_item_ms(item);
	uint64_t index;

	if (status != SCT_STATUS_VALID)
		return status;
	if (at > g->when.until_ms)
		return SCT_STATUS_FUTURE;
	status = status_of_log(g, item->log, at);
	if (status != SCT_STATUS_VALID)
		return status;
	if (g->policy->after_distrust && g->limit != NULL && g->limit->has_sct_not_after &&
	    at > g->limit->sct_not_after_ms)
		return SCT_STATUS_AFTER_DISTRUST;
	if (g->policy->leaf_index && item->log->tiled &&
	    sct_leaf_index(&index, item->sct.extensions) != RES_OK)
		return SCT_STATUS_NO_LEAF_INDEX;
	if (g->policy->interval && outside_interval(item->log, g->leaf))
		return SCT_STATUS_OUTSIDE_INTERVAL;
	return SCT_STATUS_VALID;
}

static const char *
operator_of(const struct sct_item *item)
{
	return ctlog_operator_at(item->log, sct_item_ms(item));
}

static size_t
counted_of(const struct sct_check *check, size_t before, const char *operator_name)
{
	size_t n = 0;

	for (size_t i = 0; i < before; i++)
		n += check->item[i].counts && strcmp(operator_of(&check->item[i]), operator_name) == 0;
	return n;
}

static bool
log_counted_before(const struct sct_check *check, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (check->item[k].status == SCT_STATUS_VALID && check->item[k].log == check->item[i].log)
			return true;
	return false;
}

static bool
is_long(const struct ctpolicy *policy, const struct cert *leaf)
{
	int64_t lifetime = leaf->not_after_ms - leaf->not_before_ms;

	return lifetime + (policy->inclusive ? 1000 : 0) > CTPOLICY_SHORT_LIFETIME_MS;
}

void
ctpolicy_judge(struct ctpolicy_tally *tally, struct sct_check *check, const struct ctpolicy *policy,
	       const struct cert *leaf, const struct anchor_limit *limit, struct when when)
{
	struct ground g = {policy, leaf, limit, when, false, 0};
	size_t length = is_long(policy, leaf) ? 1 : 0;

	g.issued = ctpolicy_issued_at(&g.issued_ms, check, when);
	*tally = (struct ctpolicy_tally){.wanted = policy->scts[length],
					 .operators_wanted = policy->operators[length]};
	for (size_t i = 0; i < check->n; i++) {
		struct sct_item *item = &check->item[i];
		size_t same;

		item->counts = false;
		item->status = status_of(&g, item);
		if (item->status == SCT_STATUS_VALID && log_counted_before(check, i))
			item->status = SCT_STATUS_DUPLICATE;
		if (item->status != SCT_STATUS_VALID)
			continue;
		tally->current |=
		    log_is_current(item->log, when.since_ms) && !(policy->rfc6962_log && item->log->tiled);
		same = counted_of(check, i, operator_of(item));
		if (policy->per_operator[length] > 0 && same >= policy->per_operator[length])
			continue;
		item->counts = true;
		tally->counted++;
		tally->operators += same == 0;
	}
}

bool
ctpolicy_is_met(const struct ctpolicy_tally *t)
{
	return t->counted >= t->wanted && t->operators >= t->operators_wanted && t->current;
}
