/* The bodies of a fetcher that a test plays itself: its fetches are not part of it. */
#include "contrib/watch/fetch.h"

void
fetch_body_take(struct fetch_body *mine, struct fetch_body *lent)
{
	*mine = *lent;
	*lent = (struct fetch_body){.bytes = buf_max(0)};
}

void
fetch_body_free(struct fetcher *f, struct fetch_body *body)
{
	(void)f;
	buf_free(&body->bytes);
}
