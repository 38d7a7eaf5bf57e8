/*
 * journal_states.h - whether the journal and the evidence are written, as the status shows it. Changes go to the log.
 */
#ifndef RESOLVER_DAEMON_JOURNAL_STATES_H
#define RESOLVER_DAEMON_JOURNAL_STATES_H

#include "base/log.h"
#include "base/path.h"
#include "resolver/daemon/status.h"
#include "resolver/daemon/writer.h"

/* Zeroed before its first use: nothing is wanted. */
struct journal_states {
	const struct counters *counters; /* lent; for how much was lost */
	bool wants_journal, wants_evidence;
	char folder[PATH_NAME_MAX]; /* state-dir; for the log and the status */
	struct journal_state journal, evidence;
	struct log_limit log;
};

/* What the settings want written, and where. */
void journal_states_want(struct journal_states *, const struct settings *);
/* The helper runs: what is wanted counts as written until a write fails. */
void journal_states_start(struct journal_states *);
/* The helper is gone. What is not wanted stays off. */
void journal_states_end(struct journal_states *);
/* A report of before a reload that switched the journal off changes nothing. */
void journal_states_report(struct journal_states *, const struct writer_report *);

#endif
