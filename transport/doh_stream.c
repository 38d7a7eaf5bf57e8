#include "transport/doh_stream.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE       12
#define RETRY_AFTER_MAX_S 86400

void
doh_streams_start(struct doh_streams *all)
{
	*all = (struct doh_streams){.live = NULL};
	all->done_end = &all->done;
}

void
doh_streams_end(struct doh_streams *all)
{
	struct doh_stream *s;

	while (all->live != NULL)
		doh_stream_free(all->live);
	while ((s = all->free) != NULL) {
		all->free = s->next;
		buf_free(&s->body);
		free(s);
	}
}

struct doh_stream *
doh_stream_new(struct doh_streams *all)
{
	struct doh_stream *s = all->free;

	if (s != NULL) {
		struct buf body = s->body;

		all->free = s->next;
		all->n_free--;
		memset(s, 0, sizeof *s);
		s->body = body;
		buf_clear(&s->body);
	} else {
		s = calloc(1, sizeof *s);
		if (s == NULL)
			return NULL;
		s->body = buf_max(TP_MESSAGE_MAX);
	}
	s->all = all;
	s->next = all->live;
	if (all->live != NULL)
		all->live->prev = s;
	all->live = s;
	all->n_live++;
	return s;
}

void
doh_stream_free(struct doh_stream *s)
{
	struct doh_streams *all = s->all;

	if (s->prev != NULL)
		s->prev->next = s->next;
	else
		all->live = s->next;
	if (s->next != NULL)
		s->next->prev = s->prev;
	all->n_live--;
	if (all->n_free >= DOH_POOL_MAX) {
		buf_free(&s->body);
		free(s);
		return;
	}
	if (s->body.cap > DOH_BODY_KEEP)
		buf_free(&s->body);
	s->next = all->free;
	all->free = s;
	all->n_free++;
}

void
doh_stream_mark_done(struct doh_stream *s)
{
	if (s->done)
		return;
	s->done = true;
	s->done_next = NULL;
	*s->all->done_end = s;
	s->all->done_end = &s->done_next;
}

void
doh_stream_break(struct doh_stream *s, const char *what)
{
	if (s->broken == NULL)
		s->broken = what;
	doh_stream_mark_done(s);
}

struct doh_stream *
doh_stream_take_done(struct doh_streams *all)
{
	struct doh_stream *s = all->done;

	if (s == NULL)
		return NULL;
	all->done = s->done_next;
	if (all->done == NULL)
		all->done_end = &all->done;
	s->done = false;
	return s;
}

static bool
status_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void
doh_stream_judge(const struct doh_stream *s, struct tp_answer *a)
{
	a->http_status = s->status;
	a->age_s = s->age_s;
	a->retry_after_s = s->retry_after_s < RETRY_AFTER_MAX_S ? s->retry_after_s : RETRY_AFTER_MAX_S;
	if (s->broken != NULL)
		a->failure = REASON_DOH_MALFORMED;
	else if (!s->ended) /* reset: by the peer, or by our side for what is wrong with the response */
		a->failure = s->reset_by_peer || s->error == 0 ? REASON_CLOSED : REASON_DOH_MALFORMED;
	else if (status_is_redirect(s->status))
		a->failure = REASON_DOH_REDIRECT;
	else if (s->status != 200)
		a->failure = REASON_DOH_STATUS;
	else if (!s->type_is_dns)
		a->failure = REASON_DOH_TYPE;
	else if (s->encoded || s->body.n < HEADER_SIZE || be16_read(s->body.p) != 0)
		a->failure = REASON_DOH_MALFORMED;
}
