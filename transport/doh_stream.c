#include "transport/doh_stream.h"

#include <stdlib.h>
#include <string.h>

#define HEADER_SIZE       12
#define RETRY_AFTER_MAX_S 86400

void
doh_streams_start(struct doh_streams *all)
{
	*all = (struct doh_streams){.n_live = 0};
	LIST_INIT(&all->live);
	LIST_INIT(&all->free);
	STAILQ_INIT(&all->done);
}

void
doh_streams_end(struct doh_streams *all)
{
	struct doh_stream *s;

	while ((s = LIST_FIRST(&all->live)) != NULL)
		doh_stream_free(s);
	while ((s = LIST_FIRST(&all->free)) != NULL) {
		LIST_REMOVE(s, beside);
		buf_free(&s->body);
		free(s);
	}
}

/* One out of the pool, or a new one; NULL: no memory. */
static struct doh_stream *
doh_stream_obtain(struct doh_streams *all)
{
	struct doh_stream *s = LIST_FIRST(&all->free);
	struct buf body = buf_max(TP_MESSAGE_MAX);

	if (s != NULL) {
		LIST_REMOVE(s, beside);
		all->n_free--;
		body = s->body;
		buf_clear(&body);
		memset(s, 0, sizeof *s);
	} else {
		s = calloc(1, sizeof *s);
	}
	if (s != NULL)
		s->body = body;
	return s;
}

struct doh_stream *
doh_stream_new(struct doh_streams *all)
{
	struct doh_stream *s = doh_stream_obtain(all);

	if (s == NULL)
		return NULL;
	s->all = all;
	LIST_INSERT_HEAD(&all->live, s, beside);
	all->n_live++;
	return s;
}

void
doh_stream_free(struct doh_stream *s)
{
	struct doh_streams *all = s->all;

	all->body_bytes -= s->body.n;
	LIST_REMOVE(s, beside);
	all->n_live--;
	if (all->n_free >= DOH_POOL_MAX) {
		buf_free(&s->body);
		free(s);
		return;
	}
	if (s->body.cap > DOH_BODY_KEEP)
		buf_free(&s->body);
	LIST_INSERT_HEAD(&all->free, s, beside);
	all->n_free++;
}

void
doh_stream_mark_done(struct doh_stream *s)
{
	if (s->done)
		return;
	s->done = true;
	STAILQ_INSERT_TAIL(&s->all->done, s, after);
}

void
doh_stream_break(struct doh_stream *s, const char *what)
{
	if (s->broken == NULL)
		s->broken = what;
	s->all->body_bytes -= s->body.n;
	buf_free(&s->body);
	doh_stream_mark_done(s);
}

void
doh_stream_add(struct doh_stream *s, struct span bytes)
{
	size_t before = s->body.n;

	if (s->broken != NULL)
		return;
	buf_put(&s->body, bytes);
	s->all->body_bytes += s->body.n - before;
	s->starved = buf_res(&s->body) == RES_NOMEM;
	if (s->starved)
		doh_stream_break(s, "no memory");
	else if (!buf_ok(&s->body))
		doh_stream_break(s, "a body larger than any DNS message");
	else if (s->all->body_bytes > DOH_BODIES_MAX)
		doh_stream_break(s, "too many answers that do not end");
}

struct doh_stream *
doh_stream_take_done(struct doh_streams *all)
{
	struct doh_stream *s = STAILQ_FIRST(&all->done);

	if (s == NULL)
		return NULL;
	STAILQ_REMOVE_HEAD(&all->done, after);
	s->done = false;
	return s;
}

static bool
doh_status_is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

void
doh_stream_judge(const struct doh_stream *s, struct tp_answer *a)
{
	a->http_status = s->status;
	a->age_s = s->age_s;
	a->retry_after_s = s->retry_after_s < RETRY_AFTER_MAX_S ? s->retry_after_s : RETRY_AFTER_MAX_S;
	if (s->starved)
		a->failure = REASON_OUT_OF_MEMORY;
	else if (s->broken != NULL)
		a->failure = REASON_DOH_MALFORMED;
	else if (!s->ended) /* reset: by the peer, or by us because of a malformed response */
		a->failure = s->reset_by_peer || s->error == 0 ? REASON_CLOSED : REASON_DOH_MALFORMED;
	else if (doh_status_is_redirect(s->status))
		a->failure = REASON_DOH_REDIRECT;
	else if (s->status != 200)
		a->failure = REASON_DOH_STATUS;
	else if (!s->type_is_dns)
		a->failure = REASON_DOH_TYPE;
	else if (s->encoded || s->body.n < HEADER_SIZE || be16_read(s->body.p) != 0)
		a->failure = REASON_DOH_MALFORMED;
}
