#include "tests/unit/transport/fake_judge.h"

#include "verify/verdict_build.h"

#include <string.h>

struct fake_judge fake_judge;

void
vfy_check(struct verdict *v, const struct vfy_policy *policy, const struct vfy_input *in)
{
	struct fake_judge *j = &fake_judge;

	j->calls++;
	j->policy = policy;
	j->n_certs = in->n_certs;
	j->first_n = in->n_certs > 0 ? in->certs[0].n : 0;
	memset(j->first, 0, sizeof j->first);
	if (j->first_n > 0)
		memcpy(j->first, in->certs[0].p, j->first_n < sizeof j->first ? j->first_n : sizeof j->first);
	j->staple_n = in->staple.n;
	j->staple_unread = in->staple_unread;
	j->n_also = in->n_also_ips;
	j->ip_n = in->ip.n;
	memcpy(j->ip, in->ip.p, in->ip.n);
	strncpy(j->name, in->name != NULL ? in->name : "", sizeof j->name - 1);
	j->now_ms = in->now_ms;
	v->at_ms = in->now_ms;
	v->report_until_ms = in->now_ms < j->report_until_ms ? j->report_until_ms : 0;
	if (j->refuse != REASON_NONE)
		verdict_add(v, j->refuse, "the test says so");
	verdict_close(v, true);
}
