/*
 * status.h - what the daemon knows of itself at one moment: the one thing that the control socket and the metrics
 * render.
 *
 * A snapshot of plain data, filled by those who own it (fan_out.h collects it) and read by those who show it. It knows
 * neither the daemon nor its workers. Whatever else is to be shown becomes a field here.
 */
#ifndef RESOLVER_DAEMON_STATUS_H
#define RESOLVER_DAEMON_STATUS_H

#include "config/changes.h"
#include "config/snapshot.h"
#include "config/window_record.h"
#include "resolver/cache_terms.h"
#include "resolver/counters.h"
#include "resolver/daemon/list_age.h"
#include "resolver/upstream_report.h"

struct worker_status {
	enum res res; /* not RES_OK: it could not be reached or had no memory; the rest is zero */
	struct upstreams_report report;
	int portal_error; /* errno of the last attempt to reach the portal helper; 0: none failed */
};

/* The last certificate that was refused, also before the start when the journal has it. */
struct refusal {
	const char *upstream; /* lent; NULL: there was none */
	struct addr addr;
	enum reason reason;
	int64_t at_ms; /* wall clock */
};

/* The state of the journal, or of the evidence. */
enum journal_health {
	JOURNAL_OFF, /* there is no state-dir, or evidence.count is 0 */
	JOURNAL_WRITTEN,
	JOURNAL_FAILING, /* the last write failed */
	JOURNAL_ENDED /* the process that writes it is gone, or never started; a restart of the daemon brings it back */
};

#define JOURNAL_WHY_MAX 256

struct journal_state {
	enum journal_health health;
	int error;                 /* errno, of a failing one */
	char why[JOURNAL_WHY_MAX]; /* ... in words, where those of errno do not say it; else "" */
	int64_t since_ms;          /* wall clock; 0: since the start */
};

struct status {
	const struct snapshot *snapshot;      /* lent */
	const char *reload_error;             /* lent; NULL: the last reload succeeded */
	const struct changes *restart_needed; /* lent; NULL: none */
	int64_t wall_ms, boot_ms;             /* both clocks at this moment */
	int64_t started_ms;                   /* wall clock; it may have been set since */
	int64_t started_boot_ms;
	int64_t captive_until_ms;      /* boot clock; 0: off */
	const struct addrs *listen;    /* lent; the addresses of its sockets */
	const char *query_log;         /* where it goes, as configured at the start; NULL: there is none */
	const char *query_log_trouble; /* lent; why it is not written; NULL: it is, or there is none */
	/* Why the portal helper cannot be reached; NULL: it can, or nobody wants it. */
	const char *portal_trouble;
	struct refusal last_refusal;
	struct window_record window; /* of `ct-logs update` */
	struct journal_state journal, evidence;
	unsigned workers;
	struct counter_totals counters;
	struct cache_stats cache;
	const struct worker_status *worker; /* lent */
	unsigned n_worker;                  /* 0: there was no memory to collect them */
};

/* The health of an address: GOOD if it is good for some worker; each worker has its own connections. */
enum health status_health(const struct status *, size_t at);
/* Does the upstream of this title serve names that no route claims? */
bool status_is_general(const struct status *, const char *upstream);
int64_t status_uptime_ms(const struct status *); /* whatever the wall clock was set to meanwhile */
/* The clock does not lie before the build or the log list (verify/when.h). */
bool status_clock_is_set(const struct status *);
int64_t status_captive_left_ms(const struct status *); /* 0: captive mode is off */
int64_t status_portal_left_ms(const struct status *);  /* 0: nothing may leave in clear text */
int status_portal_error(const struct status *);        /* of some worker: worker_status.portal_error */
int64_t status_ct_list_age_ms(const struct status *);  /* negative: there is no list */
bool status_ct_list_is_stale(const struct status *);
enum list_age status_ct_list_step(const struct status *); /* without a list fresh: nothing ages */
const char *status_journal_text(enum journal_health);     /* "off" "written" "failing" "ended" */
/* Why the journal is not written; NULL: it is written, or it is not configured. */
const char *status_journal_trouble(const struct journal_state *);

#endif
