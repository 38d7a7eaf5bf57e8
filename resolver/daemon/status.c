#include "resolver/daemon/status.h"

#include <string.h>

int64_t
status_uptime_ms(const struct status *s)
{
	return s->boot_ms - s->started_boot_ms;
}

enum health
status_health(const struct status *s, size_t at)
{
	static const int rank[] = {
	    [HEALTH_UNKNOWN] = 0, [HEALTH_FAILING] = 1, [HEALTH_REFUSED] = 2, [HEALTH_GOOD] = 3};
	enum health best = HEALTH_UNKNOWN;

	for (unsigned i = 0; i < s->n_worker; i++)
		if (at < s->worker[i].report.n && rank[s->worker[i].report.v[at].health] > rank[best])
			best = s->worker[i].report.v[at].health;
	return best;
}

bool
status_is_general(const struct status *s, const char *upstream)
{
	const struct snapshot *snap = s->snapshot;

	for (size_t i = 0; i < snap->n_forward; i++) {
		const struct forward_plan *f = &snap->forward[i];

		if (f->suffix.n != 1) /* the root is one zero byte */
			continue;
		for (size_t k = 0; k < f->n_upstream; k++)
			if (strcmp(snap->upstream[f->upstream[k]].title, upstream) == 0)
				return true;
		return false;
	}
	for (size_t i = 0; i < snap->n_upstream; i++)
		if (strcmp(snap->upstream[i].title, upstream) == 0)
			return snap->upstream[i].general;
	return false;
}

bool
status_clock_is_set(const struct status *s)
{
	return s->wall_ms >= s->snapshot->floor_ms;
}

int64_t
status_captive_left_ms(const struct status *s)
{
	return s->captive_until_ms > s->boot_ms ? s->captive_until_ms - s->boot_ms : 0;
}

int64_t
status_portal_left_ms(const struct status *s)
{
	return s->snapshot->settings->portal_enable ? status_captive_left_ms(s) : 0;
}

int
status_portal_error(const struct status *s)
{
	int error = 0;

	for (unsigned i = 0; i < s->n_worker && error == 0; i++)
		error = s->worker[i].portal_error;
	return error;
}

int64_t
status_ct_list_age_ms(const struct status *s)
{
	int64_t age_ms;

	if (s->snapshot->ctlogs == NULL)
		return -1;
	age_ms = s->wall_ms - ctlogs_date_ms(s->snapshot->ctlogs);
	return age_ms < 0 ? 0 : age_ms;
}

bool
status_ct_list_is_stale(const struct status *s)
{
	return status_ct_list_age_ms(s) > s->snapshot->settings->ct_list_max_age_ms;
}

enum list_age
status_ct_list_step(const struct status *s)
{
	return list_age_of(status_ct_list_age_ms(s), s->snapshot->settings->ct_list_max_age_ms);
}

const char *
status_journal_text(enum journal_health health)
{
	switch (health) {
	case JOURNAL_OFF:
		return "off";
	case JOURNAL_WRITTEN:
		return "written";
	case JOURNAL_FAILING:
		return "failing";
	case JOURNAL_ENDED:
		break;
	}
	return "ended";
}

const char *
status_journal_trouble(const struct journal_state *j)
{
	switch (j->health) {
	case JOURNAL_OFF:
	case JOURNAL_WRITTEN:
		return NULL;
	case JOURNAL_FAILING:
		return j->why[0] != '\0' ? j->why : strerror(j->error);
	case JOURNAL_ENDED:
		break;
	}
	return "its process has ended, restart ctstubd";
}
