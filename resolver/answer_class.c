#include "resolver/answer_class.h"

#define CODE(n) (UINT32_C(1) << (n))
/* RFC 8914, 4, and its registry: see answer_class.h */
#define DECIDING                                                                                             \
	(CODE(4) | CODE(5) | CODE(6) | CODE(7) | CODE(8) | CODE(9) | CODE(10) | CODE(11) | CODE(12) |        \
	 CODE(15) | CODE(16) | CODE(17) | CODE(18) | CODE(25) | CODE(27) | CODE(28) | CODE(30))

static enum answer_class
noerror_classify(const struct msg_answer *a)
{
	bool from_zone = (a->flags & MSG_AA) != 0 && a->has_soa;

	if (a->an > 0 || (a->flags & MSG_RA) != 0 || from_zone)
		return ANSWER_DECISION;
	return ANSWER_LAME;
}

enum answer_class
answer_classify(const struct msg_answer *a)
{
	if (a->rcode == RCODE_NOERROR)
		return noerror_classify(a);
	if (a->rcode == RCODE_NXDOMAIN || a->rcode == RCODE_YXDOMAIN)
		return ANSWER_DECISION;
	if (a->rcode >= RCODE_BADVERS && a->rcode <= RCODE_BADCOOKIE)
		return ANSWER_FAILURE;
	return (a->ede_codes & DECIDING) != 0 ? ANSWER_DECISION : ANSWER_FAILURE;
}

const struct msg_ede *
answer_ede(const struct msg_answer *a)
{
	for (size_t i = 0; i < a->n_ede; i++)
		if (a->ede[i].code < 32 && (CODE(a->ede[i].code) & DECIDING) != 0)
			return &a->ede[i];
	return a->n_ede > 0 ? &a->ede[0] : NULL;
}
