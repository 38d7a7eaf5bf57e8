/*
 * The records of an answer without its OPT. When the OPT is the last record, as nearly always, it is left
 * off. Else what follows moves to the front, and compression pointers to what moved must follow it; opaque
 * RDATA stays as it is.
 */
#include "base/dns/message_walk.h"

#include <string.h>

struct shift {
	uint8_t *out; /* the message as it will be */
	size_t from;  /* what lay here or after ... */
	size_t by;    /* ... lies this much nearer to the front */
};

static void
shift_on_pointer(void *ctx, size_t at, size_t target)
{
	struct shift *s = ctx;

	if (target >= s->from)
		be16_write(s->out + at - s->by, (uint16_t)(0xc000 | (target - s->by)));
}

struct compare {
	struct span before, after;
	size_t by;
	bool same;
};

static void
compare_on_pointer(void *ctx, size_t at, size_t target)
{
	struct compare *c = ctx;
	uint8_t a[MSG_NAME_MAX], b[MSG_NAME_MAX];
	size_t n = walk_name_expand(c->before, at, a);

	(void)target;
	if (n == 0 || walk_name_expand(c->after, at - c->by, b) != n || memcmp(a, b, n) != 0)
		c->same = false;
}

static void
each_pointer(const struct msg_answer *a, void (*fn)(void *, size_t, size_t), void *ctx)
{
	struct walk w = walk_over(a->wire, a->opt_at + a->opt_n);
	struct walk_rr rr;

	w.on_pointer = fn;
	w.ctx = ctx;
	while (w.at < w.n && walk_rr(&w, &rr))
		;
}

bool
msg_strip(uint8_t *out, const struct msg_answer *a)
{
	size_t end = a->opt_at + a->opt_n;
	struct shift shift = {out, end, a->opt_n};
	struct compare compare = {a->wire, span_of(out, a->wire.n - a->opt_n), a->opt_n, true};

	if (a->opt_n == 0) {
		memcpy(out, a->wire.p, a->wire.n);
		return true;
	}
	memcpy(out, a->wire.p, a->opt_at);
	if (end == a->wire.n)
		return true;
	memcpy(out + a->opt_at, a->wire.p + end, a->wire.n - end);
	each_pointer(a, shift_on_pointer, &shift);
	/* A name may run through a pointer in opaque RDATA, which was not moved: then it has become another
	 * name. */
	each_pointer(a, compare_on_pointer, &compare);
	return compare.same;
}
