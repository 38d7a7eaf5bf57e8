/* When an action is tried again that failed. */
#include "contrib/watch/findings_again.h"

#include "base/clock.h"

void
findings_again_later(struct watch_findings *w)
{
	if (w->again_ms == INT64_MAX)
		w->again_ms = clock_boot_ms() + FINDINGS_AGAIN_MS;
}

bool
findings_again_failed(struct waiting *p, enum record_mark mark)
{
	bool is_new = (p->logged & mark) == 0;

	p->failed |= mark;
	p->logged |= mark;
	findings_again_later(p->w);
	return is_new;
}

void
findings_again_step(struct watch_findings *w)
{
	if (clock_boot_ms() < w->again_ms)
		return;
	w->again_ms = INT64_MAX;
	w->reload_failed = false;
	for (size_t i = 0; i < WAITING_MAX; i++)
		w->waiting[i].failed = 0;
}

int64_t
findings_again_ms(const struct watch_findings *w)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL && w->waiting[i].failed != 0)
			return w->again_ms;
	return w->reload_failed ? w->again_ms : INT64_MAX;
}
