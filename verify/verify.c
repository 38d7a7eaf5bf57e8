#include "verify/verify.h"

#include "base/addr.h"
#include "verify/judge.h"

#include <stdlib.h>
#include <string.h>

/* What is expected and known before any certificate is read. */
static void
judge_open(struct judgement *j)
{
	struct verdict *v = j->v;
	struct span ip = j->in->ip;
	struct addr addr = {.family = ip.n == 4 ? ADDR_V4 : ADDR_V6};
	char text[ADDR_TEXT_MAX];

	v->at_ms = j->in->now_ms;
	v->valid_until_ms = VERDICT_NUMBER_NONE;
	v->log_list_ms = j->policy->ctlogs == NULL ? VERDICT_NUMBER_NONE : ctlogs_date_ms(j->policy->ctlogs);
	if (ip.n == 4 || ip.n == 16) {
		memcpy(addr.ip, ip.p, ip.n);
		v->expected_ip = strdup(addr_ip_text(&addr, text));
		v->out_of_memory |= v->expected_ip == NULL;
	}
	if (j->in->name != NULL && j->in->name[0] != '\0') {
		v->expected_name = strdup(j->in->name);
		v->out_of_memory |= v->expected_name == NULL;
	}
}

static void
judge_close(struct judgement *j, bool complete)
{
	j->work->signature_checks = j->budget.used;
	j->work->signature_cost = j->budget.cost;
	j->work->readings = j->rules.n_own;
	path_free(j->path);
	sct_check_free(&j->scts);
	judge_modes(j);
	verdict_close(j->v, complete);
	free(j->certs);
	free(j);
}

void
vfy_check_work(struct verdict *v, const struct vfy_policy *policy, const struct vfy_input *in,
	       struct vfy_work *work)
{
	struct judgement *j = calloc(1, sizeof *j);
	bool complete;

	*work = (struct vfy_work){0};
	if (j == NULL) {
		v->at_ms = in->now_ms;
		v->log_list_ms = v->valid_until_ms = VERDICT_NUMBER_NONE;
		verdict_close(v, false);
		return;
	}
	j->v = v;
	j->policy = policy;
	j->in = in;
	j->work = work;
	j->budget = (struct signature_budget){
	    .max = VFY_SIG_CHECKS_MAX, .cost_max = VFY_SIG_COST_MAX, .known = in->known};
	j->when = when_of(in->now_ms, policy->floor_ms);
	if (policy->floor_serves)
		j->when = when_any_later(j->when);
	path_rules_begin(&j->rules, j->when);

	judge_open(j);
	complete = judge_import(j);
	if (complete) {
		/* Every stage runs, whatever the one before it found: a verdict lists everything that is wrong. */
		complete = judge_path(j);
		complete &= judge_presented(j);
		complete &= judge_identity(j);
		complete &= judge_disallow(j);
		complete &= judge_ct(j);
		complete &= judge_revocation(j);
	}
	judge_close(j, complete);
}

void
vfy_check(struct verdict *v, const struct vfy_policy *policy, const struct vfy_input *in)
{
	struct vfy_work work;

	vfy_check_work(v, policy, in, &work);
}
