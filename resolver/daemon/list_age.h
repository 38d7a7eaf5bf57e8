/*
 * list_age.h - how old the list of CT logs is, in steps that people act on, and a line of the log for each step.
 *
 * Of the days that a list lasts (ct.list-max-age, 70) three are marked: 30, 45 and 60 of 70. A weekly update that fails is
 * seen at the first, and there is a month left. Another ct.list-max-age moves the marks with it.
 */
#ifndef RESOLVER_DAEMON_LIST_AGE_H
#define RESOLVER_DAEMON_LIST_AGE_H

#include "resolver/daemon/configuration.h"
#include "transport/loop.h"

#define LIST_AGE_LOOK_MS (3600 * 1000) /* a list ages by days */

enum list_age {
	LIST_AGE_FRESH,
	LIST_AGE_AGEING, /* 30 of 70 days */
	LIST_AGE_OLD,    /* 45 */
	LIST_AGE_URGENT, /* 60 */
	LIST_AGE_STALE,  /* older than ct.list-max-age */
};

enum list_age list_age_of(int64_t age_ms, int64_t max_age_ms);
const char *list_age_text(enum list_age);             /* "fresh" */
const char *list_age_remedy(const struct settings *); /* what to do about an old list, for people */

/* The last line of the log about the age. */
struct list_age_logged {
	enum list_age step;
	int64_t at_ms; /* boot clock */
};
/* Is this step worth a line? A worse one is at once; a better one, which only another wall clock can make, a day after the
 * last line, so that a clock that is set again and again does not fill the log. True: it is logged now. */
bool list_age_is_news(struct list_age_logged *, enum list_age step, int64_t boot_ms);

/* Main thread. Logs a line when the list reaches another step, and one at each start and reload with an old list. */
struct list_age_watch {
	struct loop_timer timer;
	const struct configuration *configuration; /* lent */
	struct list_age_logged logged;
};

void list_age_watch_init(struct list_age_watch *, struct loop *, const struct configuration *);
/* Checks now, and every LIST_AGE_LOOK_MS from now on. */
void list_age_watch_start(struct list_age_watch *);
/* The wall clock was set: checks now, and does not repeat a line. */
void list_age_watch_on_clock(struct list_age_watch *);
void list_age_watch_stop(struct list_age_watch *);

#endif
