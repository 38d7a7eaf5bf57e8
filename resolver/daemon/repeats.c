#include "resolver/daemon/repeats.h"

void
repeats_begin(struct repeats *r)
{
	*r = (struct repeats){.key = hash_key_random(), .hour_ms = INT64_MIN};
}

/* A clock that was set back ends the period. */
static bool
is_over(int64_t since_ms, int64_t now_ms)
{
	return since_ms == INT64_MIN || now_ms < since_ms || now_ms - since_ms >= REPEATS_PERIOD_MS;
}

/* Its entry; a new one takes a free place, or that of the entry recorded longest ago. */
static struct repeat *
repeat_get(struct repeats *r, struct span what)
{
	uint64_t hash = hash_keyed(&r->key, what);
	struct repeat *oldest = r->v;

	for (size_t i = 0; i < r->n; i++) {
		if (r->v[i].what == hash)
			return &r->v[i];
		if (r->v[i].recorded_ms < oldest->recorded_ms)
			oldest = &r->v[i];
	}
	if (r->n < REPEATS_MAX)
		oldest = &r->v[r->n++];
	*oldest = (struct repeat){.what = hash, .recorded_ms = INT64_MIN};
	return oldest;
}

int64_t
repeats_count(struct repeats *r, struct span what, int64_t now)
{
	struct repeat *one = repeat_get(r, what);
	int64_t count = ++one->count;

	if (!is_over(one->recorded_ms, now))
		return 0;
	if (is_over(r->hour_ms, now)) {
		r->hour_ms = now;
		r->recorded = 0;
	}
	if (r->recorded >= REPEATS_NEW_MAX)
		return 0;
	r->recorded++;
	one->recorded_ms = now;
	one->count = 0;
	return count;
}

void
repeats_restore(struct repeats *r, struct span what, int64_t recorded_ms)
{
	struct repeat *one = repeat_get(r, what);

	if (recorded_ms > one->recorded_ms)
		one->recorded_ms = recorded_ms;
}
