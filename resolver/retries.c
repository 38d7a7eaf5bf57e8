#include "resolver/retries.h"

bool
retries_take(struct retries *r)
{
	if (r->left == 0)
		return false;
	r->left--;
	return true;
}

void
retries_helped(struct retries *r)
{
	r->left += RETRIES_EARNED;
	if (r->left > RETRIES_MAX)
		r->left = RETRIES_MAX;
}
