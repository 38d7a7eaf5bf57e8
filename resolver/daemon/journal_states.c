#include "config.h"

#include "resolver/daemon/journal_states.h"

#include "base/clock.h"
#include "base/journal.h"
#include "resolver/daemon/evidence_folder.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Lines about whether the journal is written: a full disk may have room for every other record. */
#define STATE_LOG_BURST 20
#define STATE_LOG_MS    60000

static void
state_log(struct journal_states *all, const struct journal_state *now, const struct journal_state *next)
{
	const char *trouble = status_journal_trouble(next);
	bool evidence = now == &all->evidence;
	char path[PATH_NAME_MAX + sizeof JOURNAL_FILE];
	uint32_t left_out;

	if (!log_limit_ok(&all->log, STATE_LOG_BURST, STATE_LOG_MS, &left_out))
		return; /* the status has it */
	(void)snprintf(path, sizeof path, "%s/%s", all->folder, evidence ? REFUSAL_FOLDER : JOURNAL_FILE);
	if (trouble != NULL && evidence)
		log_event(LOG_WARN, "evidence-not-written", LOG_STR("error", trouble), LOG_STR("path", path));
	else if (trouble != NULL)
		log_event(LOG_WARN, "journal-not-written", LOG_STR("error", trouble), LOG_STR("path", path));
	else if (evidence && now->health == JOURNAL_FAILING)
		log_event(LOG_NOTICE, "evidence-written-again",
			  LOG_INT("lost", counter_get(all->counters, COUNTER_JOURNAL_LOST)));
	else if (!evidence && now->health == JOURNAL_FAILING)
		log_event(LOG_NOTICE, "journal-written-again",
			  LOG_INT("lost", counter_get(all->counters, COUNTER_JOURNAL_LOST)));
}

static void
state_change(struct journal_states *all, struct journal_state *now, const struct journal_state *next)
{
	if (now->health == next->health && now->error == next->error && strcmp(now->why, next->why) == 0)
		return;
	state_log(all, now, next);
	*now = *next;
}

static void
state_set(struct journal_states *all, struct journal_state *now, enum journal_health health)
{
	const struct journal_state next = {.health = health, .since_ms = clock_wall_ms()};

	state_change(all, now, &next);
}

void
journal_states_want(struct journal_states *all, const struct settings *s)
{
	all->wants_journal = s->state_dir[0] != '\0';
	all->wants_evidence = all->wants_journal && s->evidence_count > 0;
	(void)snprintf(all->folder, sizeof all->folder, "%s", s->state_dir);
}

static void
state_start(struct journal_states *all, struct journal_state *now, bool wanted)
{
	if (wanted != (now->health != JOURNAL_OFF))
		state_set(all, now, wanted ? JOURNAL_WRITTEN : JOURNAL_OFF);
}

void
journal_states_start(struct journal_states *all)
{
	state_start(all, &all->journal, all->wants_journal);
	state_start(all, &all->evidence, all->wants_evidence);
}

void
journal_states_end(struct journal_states *all)
{
	state_set(all, &all->journal, all->wants_journal ? JOURNAL_ENDED : JOURNAL_OFF);
	state_set(all, &all->evidence, all->wants_evidence ? JOURNAL_ENDED : JOURNAL_OFF);
}

static void
busy_say(char why[JOURNAL_WHY_MAX], const char *folder, pid_t holder)
{
	if (holder > 0)
		(void)snprintf(why, JOURNAL_WHY_MAX, "another ctstubd, process %ld, writes to %.180s",
			       (long)holder, folder);
	else
		(void)snprintf(why, JOURNAL_WHY_MAX, "another ctstubd writes to %.180s", folder);
}

void
journal_states_report(struct journal_states *all, const struct writer_report *report)
{
	struct journal_state next = {.health = report->error != 0 ? JOURNAL_FAILING : JOURNAL_WRITTEN,
				     .error = report->error,
				     .since_ms = clock_wall_ms()};

	if (report->error == EBUSY)
		busy_say(next.why, all->folder, report->holder);
	if (all->wants_journal && report->of != REPORT_EVIDENCE)
		state_change(all, &all->journal, &next);
	if (all->wants_evidence && report->of != REPORT_LINE)
		state_change(all, &all->evidence, &next);
}
