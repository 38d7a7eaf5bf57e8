#include "base/journal_shown.h"

#include <stdlib.h>
#include <string.h>

struct reading {
	struct journal_shown *out;
	struct span upstream;
	int64_t now_ms;
	bool no_memory;
};

static void
shown_drop(struct journal_shown *s, size_t at)
{
	free(s->v[at].line);
	memmove(&s->v[at], &s->v[at + 1], (s->n - at - 1) * sizeof *s->v);
	s->n--;
}

/* A copy of its own, which outlives the reader's line. */
static bool
shown_add(struct journal_shown *s, const struct journal_record *r)
{
	struct buf line = buf_max(JOURNAL_LINE_MAX + 1);
	struct journal_shown_one one;

	if (journal_write(&line, r) != RES_OK ||
	    journal_line_read(&one.record, line.p, line.n - 1) != RES_OK) {
		buf_free(&line);
		return false;
	}
	one.line = line.p;
	if (s->n == JOURNAL_SHOWN_MAX)
		shown_drop(s, 0);
	s->v[s->n++] = one;
	return true;
}

static void
shown_on_record(void *ctx, const struct journal_record *r)
{
	struct reading *in = ctx;
	struct journal_shown *s = in->out;

	if (r->kind == JOURNAL_REFUSED || !span_equal(r->upstream, in->upstream) || r->sha256.n == 0 ||
	    r->not_after_ms < in->now_ms)
		return;
	for (size_t i = 0; i < s->n; i++)
		if (span_equal(s->v[i].record.sha256, r->sha256) &&
		    span_equal(s->v[i].record.address, r->address)) {
			shown_drop(s, i);
			break;
		}
	if (!shown_add(s, r))
		in->no_memory = true;
}

enum res
journal_shown_read(struct journal_shown *s, int state_dir, const char *upstream, int64_t now_ms,
		   const char **why)
{
	struct reading in = {.out = s, .upstream = span_str(upstream), .now_ms = now_ms};
	struct journal_counts counts;
	enum res res;

	s->n = 0;
	res = journal_read(state_dir, &counts, why, shown_on_record, &in);
	return res == RES_OK && in.no_memory ? RES_NOMEM : res;
}

bool
journal_shown_is_elsewhere(const struct journal_shown *s, size_t at)
{
	for (size_t i = at + 1; i < s->n; i++)
		if (span_equal(s->v[i].record.sha256, s->v[at].record.sha256))
			return true;
	return false;
}

void
journal_shown_free(struct journal_shown *s)
{
	while (s->n > 0)
		free(s->v[--s->n].line);
}
