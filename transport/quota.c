#include "transport/quota.h"

unsigned
quota_takes(struct quota *q)
{
	if (q->times == 0)
		return 0;
	if (quota_is_known(q) && ++q->used < QUOTA_TEST)
		return q->limit;
	q->used = 0;
	return q->limit + 1;
}

bool
quota_is_known(const struct quota *q)
{
	return q->times >= QUOTA_TRUST;
}

void
quota_on_close(struct quota *q, unsigned answers)
{
	if (answers > QUOTA_MAX)
		answers = 0;
	if (answers != q->limit || answers == 0)
		*q = (struct quota){.limit = answers};
	if (answers > 0 && q->times < QUOTA_TRUST)
		q->times++;
}

void
quota_on_answer(struct quota *q, unsigned answers)
{
	if (answers > q->limit)
		*q = (struct quota){0};
}
