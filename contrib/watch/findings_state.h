/*
 * findings_state.h - inside the findings: their whole state.
 */
#ifndef CONTRIB_WATCH_FINDINGS_STATE_H
#define CONTRIB_WATCH_FINDINGS_STATE_H

#include "contrib/watch/findings_limits.h"
#include "contrib/watch/launcher.h"
#include "contrib/watch/record.h"

#define WAITING_MAX 256 /* findings in memory with their certificates; others wait until places are free */
#define LOGS_MAX    512 /* logs whose misbehaviour is counted apart */

struct waiting {
	struct watch_findings *w;
	struct watch_finding *f;     /* NULL: this place is free */
	const struct watch_log *log; /* NULL: it is of an earlier process */
	int64_t since_ms;            /* by the boot clock */
	bool asked;                  /* for evidence, which will come */
	bool answered;               /* the evidence is here, or there is none */
	bool reported;               /* that it is not blocked */
	bool judged;                 /* at least without its chain */
	bool put;                    /* its entries are in the list, maybe not yet in the record */
	unsigned failed;             /* the actions (record_mark) that wait for again_ms */
	unsigned logged;             /* the actions whose failure is in the log */
	bool resting;                /* what is left to do waits for again_ms */
	bool unkept;                 /* its evidence could not be written: the next process tries again */
};

struct watch_findings {
	const struct watch_plan *plan;
	int folder;
	struct record *record;
	struct watch_reader *reader;
	watch_log_find_fn *log_find;
	/* Of the entry that is being looked at; large, and needed for every entry. */
	struct watch_match match;
	struct waiting waiting[WAITING_MAX];
	struct launcher *launcher;
	bool backlog;       /* recorded findings wait for a place */
	bool reload;        /* is to be asked for */
	bool reload_failed; /* and waits for again_ms */
	int64_t again_ms;   /* when actions that failed are tried again, if one did */
	bool lost;          /* something could not be recorded since the last sync */
	struct {
		unsigned unwritten; /* findings since evidence was last written */
		int error;          /* errno of the latest */
		struct log_limit log;
	} evidence;
	struct {
		uint8_t id[32];
		unsigned n;
	} logs[LOGS_MAX];
	size_t n_logs;
	struct watch_totals totals;
	struct buf latest[FINDINGS_LATEST_MAX]; /* a ring */
	size_t n_latest;                        /* how many there were in all */
};

#endif
