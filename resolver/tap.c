#include "resolver/tap.h"

const char *
tap_source_text(enum tap_source source)
{
	switch (source) {
	case TAP_NOBODY:
		return "none";
	case TAP_LOCAL:
		return "local";
	case TAP_FILTER:
		return "filter";
	case TAP_CACHE:
		return "cache";
	case TAP_STALE:
		return "stale";
	case TAP_UPSTREAM:
		return "upstream";
	}
	return "none";
}

static enum tap_source
source_of(const struct reply *r)
{
	if (r->counts_as == COUNTER_FILTERED || (r->n_ede > 0 && r->ede == &reply_ede_rebinding))
		return TAP_FILTER;
	if (r->server != NULL)
		return TAP_UPSTREAM;
	if (r->counts_as == COUNTER_CACHE_HITS)
		return TAP_CACHE;
	if (r->counts_as == COUNTER_CACHE_STALE)
		return TAP_STALE;
	return r->answer != NULL ? TAP_LOCAL : TAP_NOBODY;
}

/* An answer that could not be written has become SERVFAIL: the header knows. */
static uint16_t
rcode_of(const struct reply *r, struct span wire)
{
	uint16_t rcode = r->answer != NULL ? r->answer->rcode : r->rcode;

	return (uint16_t)((rcode & ~0xf) | (wire.n > 3 ? wire.p[3] & 0xf : 0));
}

bool
tap_reply_write(const struct tap *tap, struct buf *out, const struct reply *r,
		const struct msg_question *question, const struct client *client, struct counters *counters)
{
	size_t at = out->n;
	struct tap_reply heard;

	if (!reply_write(out, r, question, client->tcp, counters))
		return false;
	if (tap == NULL || client->addr.family == ADDR_NONE) /* the daemon asks itself */
		return true;
	heard = (struct tap_reply){.client = client,
				   .question = question,
				   .wire = span_of(out->p + at, out->n - at),
				   .source = source_of(r),
				   .server = r->server,
				   .ede = r->n_ede > 0 ? r->ede : NULL};
	heard.rcode = rcode_of(r, heard.wire);
	tap->on_reply(tap->ctx, &heard);
	return true;
}
