#include "resolver/daemon/verdict_log.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

/* The verdict that was written last for an address. */
struct written {
	struct addr addr;
	char *upstream;
	enum reason reason; /* REASON_NONE: accepted */
	uint64_t reported;  /* verdict_reported */
	enum expiry expiry;
	enum reason refused_for; /* the last refusal */
	int64_t refused_at_ms;   /* wall clock */
	uint64_t refused_nth;    /* among the refusals of all addresses; 0: none */
};

struct verdict_log {
	struct loop *loop;
	struct written *written;
	size_t n;
	uint64_t refusals;
};

struct news {
	struct verdict_log *log;
	struct addr addr;
	char *upstream;
	enum reason reason;
	int64_t have, want;
	uint64_t reported;
	bool ready; /* only that a connection is ready: the expiry */
	enum expiry expiry;
	int64_t leaf_expires_ms; /* notAfter */
	char *verdict;           /* the object; NULL: not wanted, or no memory for it */
};

static void
news_free(struct news *n)
{
	free(n->verdict);
	free(n->upstream);
	free(n);
}

enum res
verdict_log_new(struct verdict_log **out, struct loop *loop)
{
	struct verdict_log *v = calloc(1, sizeof *v);

	if (v == NULL)
		return RES_NOMEM;
	v->loop = loop;
	*out = v;
	return RES_OK;
}

void
verdict_log_free(struct verdict_log *v)
{
	if (v == NULL)
		return;
	for (size_t i = 0; i < v->n; i++)
		free(v->written[i].upstream);
	free(v->written);
	free(v);
}

static struct written *
written_find(struct verdict_log *v, const struct news *n)
{
	struct written *written;

	for (size_t i = 0; i < v->n; i++)
		if (addr_equal(&v->written[i].addr, &n->addr) &&
		    strcmp(v->written[i].upstream, n->upstream) == 0)
			return &v->written[i];
	written = reallocarray(v->written, v->n + 1, sizeof *written);
	if (written == NULL)
		return NULL;
	v->written = written;
	written[v->n] = (struct written){.addr = n->addr, .upstream = strdup(n->upstream)};
	return written[v->n].upstream != NULL ? &written[v->n++] : NULL;
}

static void
news_write(const struct news *n)
{
	if (n->reason == REASON_NONE)
		log_event(LOG_NOTICE, "accepted", LOG_STR("upstream", n->upstream), LOG_IP("addr", &n->addr),
			  LOG_VALUE("verdict", n->verdict));
	else if (n->have != VERDICT_NUMBER_NONE)
		log_event(LOG_WARN, "refused", LOG_STR("upstream", n->upstream), LOG_IP("addr", &n->addr),
			  LOG_STR("reason", reason_code(n->reason)), LOG_INT("have", n->have),
			  LOG_INT("want", n->want), LOG_VALUE("verdict", n->verdict));
	else
		log_event(LOG_WARN, "refused", LOG_STR("upstream", n->upstream), LOG_IP("addr", &n->addr),
			  LOG_STR("reason", reason_code(n->reason)), LOG_VALUE("verdict", n->verdict));
}

/* Reasons that only report mode keeps from refusing, each when it is new; and a line when there are none any more. */
static void
reports_write(const struct news *n, uint64_t before)
{
	for (unsigned r = 0; r < REASON_COUNT; r++)
		if ((n->reported & ~before) >> r & 1)
			log_event(LOG_WARN, "would-refuse", LOG_STR("upstream", n->upstream),
				  LOG_IP("addr", &n->addr), LOG_STR("reason", reason_code((enum reason)r)),
				  LOG_VALUE("verdict", n->verdict));
	if (n->reported == 0 && before != 0)
		log_event(LOG_NOTICE, "nothing-to-report", LOG_STR("upstream", n->upstream),
			  LOG_IP("addr", &n->addr), LOG_VALUE("verdict", n->verdict));
}

static void
expiry_write(const struct news *n)
{
	char date[TIME_TEXT_MAX];

	log_event(LOG_WARN, "certificate-expires", LOG_STR("upstream", n->upstream), LOG_IP("addr", &n->addr),
		  LOG_STR("step", expiry_text(n->expiry)),
		  LOG_STR("not_after", time_text(n->leaf_expires_ms, date)));
}

static void
news_on_turn(void *arg)
{
	struct news *n = arg;
	struct written *written = written_find(n->log, n);

	if (n->expiry != EXPIRY_FAR && (written == NULL || written->expiry != n->expiry))
		expiry_write(n);
	if (written != NULL)
		written->expiry = n->expiry;
	if (n->ready) {
		news_free(n);
		return;
	}
	if (written != NULL && n->reason != REASON_NONE) {
		written->refused_for = n->reason;
		written->refused_at_ms = clock_wall_ms();
		written->refused_nth = ++n->log->refusals;
	}
	if (written == NULL || written->reason != n->reason)
		news_write(n);
	reports_write(n, written == NULL ? 0 : written->reported);
	if (written != NULL) {
		written->reason = n->reason;
		written->reported = n->reported;
	}
	news_free(n);
}

static void
verdict_log_post(struct verdict_log *v, const struct server *s, bool ready)
{
	bool refused = s->health == HEALTH_REFUSED;
	const struct finding *f = refused ? verdict_finding(&s->verdict) : NULL;
	struct news *n = malloc(sizeof *n);

	if (n == NULL)
		return;
	*n = (struct news){.log = v,
			   .addr = s->target->addr,
			   .upstream = strdup(s->target->upstream),
			   .reason = refused ? s->reason : REASON_NONE,
			   .have = f != NULL ? f->have : VERDICT_NUMBER_NONE,
			   .want = f != NULL ? f->want : VERDICT_NUMBER_NONE,
			   .reported = s->judged ? verdict_reported(&s->verdict) : 0,
			   .ready = ready,
			   .expiry = server_expiry(s),
			   .leaf_expires_ms =
			       s->judged && s->verdict.n_chain > 0 ? s->verdict.chain[0].not_after_ms : 0,
			   .verdict = !ready && log_is_json() ? verdict_json(&s->verdict) : NULL};
	if (n->upstream == NULL || loop_post(v->loop, news_on_turn, n) != RES_OK)
		news_free(n);
}

void
verdict_log_add(struct verdict_log *v, const struct server *s)
{
	verdict_log_post(v, s, false);
}

void
verdict_log_ready(struct verdict_log *v, const struct server *s)
{
	verdict_log_post(v, s, true);
}

void
verdict_log_last(const struct verdict_log *v, struct refusal *out)
{
	uint64_t latest = 0;

	*out = (struct refusal){0};
	for (size_t i = 0; v != NULL && i < v->n; i++) {
		const struct written *w = &v->written[i];

		if (w->refused_nth <= latest) /* by their order: the clock may have been set back */
			continue;
		latest = w->refused_nth;
		*out = (struct refusal){.upstream = w->upstream,
					.addr = w->addr,
					.reason = w->refused_for,
					.at_ms = w->refused_at_ms};
	}
}
