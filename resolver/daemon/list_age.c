#include "resolver/daemon/list_age.h"

#include "base/clock.h"
#include "base/log.h"

#define DAY_MS        ((int64_t)86400000)
#define MARKS_OF_DAYS 70

static const struct {
	int64_t of_70;
	enum list_age step;
} marks[] = {{60, LIST_AGE_URGENT}, {45, LIST_AGE_OLD}, {30, LIST_AGE_AGEING}};

enum list_age
list_age_of(int64_t age_ms, int64_t max_age_ms)
{
	if (age_ms > max_age_ms)
		return LIST_AGE_STALE;
	for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
		if (age_ms >= max_age_ms / MARKS_OF_DAYS * marks[i].of_70)
			return marks[i].step;
	return LIST_AGE_FRESH;
}

const char *
list_age_text(enum list_age step)
{
	switch (step) {
	case LIST_AGE_FRESH:
		return "fresh";
	case LIST_AGE_AGEING:
		return "ageing";
	case LIST_AGE_OLD:
		return "old";
	case LIST_AGE_URGENT:
		return "urgent";
	case LIST_AGE_STALE:
		return "stale";
	}
	return "fresh";
}

const char *
list_age_remedy(const struct settings *s)
{
	return *s->ct_log_list != '\0' ? "renew the file that ct.log-list names"
				       : "run `ctstub ct-logs update`";
}

bool
list_age_is_news(struct list_age_logged *last, enum list_age step, int64_t boot_ms)
{
	bool news = step > last->step ||
		    (step < last->step && step != LIST_AGE_FRESH && boot_ms - last->at_ms >= DAY_MS);

	if (news)
		*last = (struct list_age_logged){step, boot_ms};
	return news;
}

static void
list_age_look(struct list_age_watch *w)
{
	const struct snapshot *snap = w->configuration->plan->snapshot;
	int64_t age_ms = snap->ctlogs != NULL ? clock_wall_ms() - ctlogs_date_ms(snap->ctlogs) : 0;
	int64_t max_age_ms = snap->settings->ct_list_max_age_ms;
	enum list_age step = list_age_of(age_ms, max_age_ms);
	bool named = *snap->settings->ct_log_list != '\0';

	if (list_age_is_news(&w->logged, step, clock_boot_ms()))
		log_event(LOG_WARN, "ct-list-ageing", LOG_STR("step", list_age_text(step)),
			  LOG_INT("age_days", age_ms / DAY_MS),
			  LOG_INT("stale_after_days", max_age_ms / DAY_MS),
			  LOG_STR("when_stale", ct_when_stale_text(snap->settings->ct_when_stale)),
			  named ? LOG_STR("renew", snap->settings->ct_log_list)
				: LOG_STR("run", "ctstub ct-logs update"));
}

static void
list_age_watch_on_time(void *ctx)
{
	struct list_age_watch *w = ctx;

	list_age_look(w);
	loop_timer_set(&w->timer, LIST_AGE_LOOK_MS);
}

void
list_age_watch_init(struct list_age_watch *w, struct loop *loop, const struct configuration *configuration)
{
	w->configuration = configuration;
	w->logged = (struct list_age_logged){LIST_AGE_FRESH, 0};
	loop_timer_init(&w->timer, loop, list_age_watch_on_time, w);
}

void
list_age_watch_start(struct list_age_watch *w)
{
	w->logged = (struct list_age_logged){LIST_AGE_FRESH, 0};
	list_age_watch_on_time(w);
}

void
list_age_watch_on_clock(struct list_age_watch *w)
{
	list_age_watch_on_time(w);
}

void
list_age_watch_stop(struct list_age_watch *w)
{
	loop_timer_stop(&w->timer);
}
