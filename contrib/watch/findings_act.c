/* What is done about a finding: its chain is fetched, it is blocked, told to a program, kept with its proof. */
#include "config.h"

#include "contrib/watch/findings_act.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/load.h"
#include "contrib/watch/block.h"
#include "contrib/watch/evidence.h"
#include "contrib/watch/findings_report.h"
#include "contrib/watch/judgement.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

/* ---- what is to be done */

static unsigned
marks_wanted(const struct watch_findings *w, enum finding_kind kind)
{
	const struct settings *s = w->plan->snapshot->settings;
	unsigned marks = 0;

	if (kind == FINDING_EXPECTED)
		return 0;
	if (*s->watch_exec != '\0')
		marks |= RECORD_EXEC;
	if (kind != FINDING_LOG_MISBEHAVED)
		marks |= RECORD_EVIDENCE;
	if (kind == FINDING_ROGUE && s->watch_block != WATCH_BLOCK_REPORT)
		marks |= RECORD_BLOCKED;
	return marks;
}

bool
act_is_done(const struct watch_findings *w, const struct record_entry *e)
{
	return (marks_wanted(w, e->kind) & ~e->marks) == 0;
}

static unsigned
marks_of(const struct watch_findings *w, const struct watch_finding *f)
{
	const struct record_entry *e = record_find(w->record, f->id);

	/* where the record is full nothing can be marked, and everything is done at once or never */
	return e == NULL ? ~0u : e->marks;
}

/* ---- the chain */

static void
evidence_keep(struct waiting *p, const struct watch_evidence *evidence)
{
	struct watch_findings *w = p->w;

	if ((marks_of(w, p->f) & RECORD_EVIDENCE) != 0 || p->f->kind == FINDING_LOG_MISBEHAVED)
		return;
	if (record_count(w->record) > EVIDENCE_MAX || evidence_write(w->folder, p->f, evidence))
		(void)record_done(w->record, p->f->id, RECORD_EVIDENCE);
	else
		log_event(LOG_WARN, "evidence-not-written", LOG_STR("log", p->f->log),
			  LOG_STR("error", strerror(errno)));
}

static void
waiting_end(struct waiting *p)
{
	finding_free(p->f);
	*p = (struct waiting){.f = NULL};
}

/* Judged with the chain, or without one where there is none. */
static void
waiting_judge(struct waiting *p, const struct watch_evidence *evidence)
{
	struct watch_findings *w = p->w;
	bool reported = (marks_of(w, p->f) & RECORD_REPORTED) != 0;

	if (p->f->n_item > 0 && p->f->kind != FINDING_UNREADABLE)
		(void)finding_judge(p->f, w->plan, evidence);
	p->may_change = p->may_change && evidence == NULL;
	if (!reported && finding_report(w, p->f) != RES_OK)
		return; /* again at the next step */
	if (reported && p->f->kind == FINDING_EXPECTED &&
	    record_finding(w->record, p->f, RECORD_WITHDRAWN, false) == RES_OK)
		log_event(LOG_NOTICE, "withdrawn", LOG_STR("because", p->f->because),
			  LOG_STR("serial", p->f->serial));
	if (p->f->kind == FINDING_EXPECTED)
		waiting_end(p);
}

static void
waiting_on_evidence(void *arg, enum res res, const char *why, const struct watch_log *log, uint64_t index,
		    const struct watch_evidence *evidence)
{
	struct waiting *p = arg;

	if (p->f == NULL || p->log != log || p->f->index != index)
		return; /* of a finding that had to leave its place meanwhile */
	p->answered = true;
	if (res != RES_OK)
		log_event(LOG_WARN, "no-evidence", LOG_STR("log", log->ctlog->description),
			  LOG_INT("index", p->f->index), LOG_STR("why", why));
	else
		waiting_judge(p, evidence);
	if (p->f != NULL && res == RES_OK)
		evidence_keep(p, evidence);
}

static void
evidence_ask(struct waiting *p)
{
	struct watch_findings *w = p->w;
	enum res res;

	if (p->log == NULL && w->reader != NULL)
		p->log = w->log_find(w->reader, p->f->log_id);
	if (w->reader == NULL || p->log == NULL || p->f->kind == FINDING_LOG_MISBEHAVED) {
		p->answered = true;
		return;
	}
	res = watch_evidence_get(w->reader, p->log, p->f->index, waiting_on_evidence, p);
	p->asked = res == RES_OK;
}

/* ---- the list and the program */

static void
block(struct waiting *p)
{
	struct watch_findings *w = p->w;
	bool enforce = w->plan->snapshot->settings->watch_block == WATCH_BLOCK_ENFORCE;
	const char *file = enforce ? WATCH_DISALLOW_FILE : BLOCK_PROPOSED_FILE;
	unsigned by = (record_expects_key(w->record, p->f->spki_sha256) ? 0 : BLOCK_KEY) |
		      (record_expects_serial(w->record, p->f) ? 0 : BLOCK_SERIAL);
	char *why = NULL;
	enum res res = block_add(w->folder, file, p->f, by, &why);

	if (res != RES_OK && res != RES_MALFORMED) {
		log_event(LOG_ERROR, "not-blocked", LOG_STR("serial", p->f->serial), LOG_STR("why", why));
		free(why);
		return;
	}
	(void)record_done(w->record, p->f->id, RECORD_BLOCKED);
	log_event(LOG_NOTICE, enforce ? "blocked" : "proposed", LOG_STR("serial", p->f->serial),
		  LOG_STR("issuer", p->f->issuer), LOG_STR("file", file));
	w->reload |= enforce;
	free(why);
}

/* Enforced only when the chain cannot change that it is rogue, or after so long that none will come. */
static bool
block_is_due(const struct waiting *p)
{
	return !p->may_change || p->w->plan->snapshot->settings->watch_block == WATCH_BLOCK_PROPOSE ||
	       clock_boot_ms() - p->since_ms >= FINDINGS_BLOCK_WAIT_MS;
}

static enum res
exec_on_fork(void *arg)
{
	struct waiting *p = arg;

	return record_done(p->w->record, p->f->id, RECORD_EXEC);
}

static void
exec(struct waiting *p)
{
	struct watch_findings *w = p->w;
	const char *program = w->plan->snapshot->settings->watch_exec;
	struct buf line = buf_max(FINDING_LINE_MAX), kind = buf_max(64);
	const char *environment[] = {"PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL, NULL};
	enum res res;

	buf_format(&kind, "CTSTUB_WATCH_KIND=%s", finding_kind_text(p->f->kind));
	environment[1] = buf_cstr(&kind);
	res = finding_write(&line, p->f, "finding", false);
	buf_text(&line, "\n");
	if (res == RES_OK)
		res = child_start(&w->children, program, buf_span(&line), environment, exec_on_fork, p);
	if (res == RES_OK) {
		record_child_wrote(w->record, p->f->id, RECORD_EXEC);
	} else if (res != RES_LIMIT) {
		w->totals.failed++;
		log_event(LOG_ERROR, "exec-failed", LOG_STR("program", program),
			  LOG_STR("error", strerror(errno)));
		record_child_wrote(w->record, p->f->id,
				   RECORD_EXEC); /* a program that is not there will not come */
	}
	buf_free(&line);
	buf_free(&kind);
}

/* ---- step by step */

static void
waiting_step(struct waiting *p)
{
	unsigned missing;
	bool late = clock_boot_ms() - p->since_ms >= FINDINGS_CHAIN_WAIT_MS;

	if (!p->asked && !p->answered)
		evidence_ask(p);
	if ((marks_of(p->w, p->f) & RECORD_REPORTED) == 0) {
		if (!p->answered && !late)
			return;
		waiting_judge(p, NULL);
		if (p->f == NULL || (marks_of(p->w, p->f) & RECORD_REPORTED) == 0)
			return;
	}
	missing = marks_wanted(p->w, p->f->kind) & ~marks_of(p->w, p->f);
	if ((missing & RECORD_BLOCKED) != 0 && block_is_due(p))
		block(p);
	if ((missing & RECORD_EXEC) != 0 && !children_full(&p->w->children))
		exec(p);
	if ((missing & RECORD_EVIDENCE) != 0 && p->answered)
		evidence_keep(p, NULL);
	missing = marks_wanted(p->w, p->f->kind) & ~marks_of(p->w, p->f);
	if (missing == 0 && (p->answered || !p->asked))
		waiting_end(p);
}

static void
findings_on_end(void *ctx, const struct child *child, int status)
{
	struct watch_findings *w = ctx;
	const char *how = status == -1 ? "took too long" : WIFSIGNALED(status) ? "was killed" : "failed";

	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (child->reload)
			log_event(LOG_NOTICE, "reloaded", LOG_STR("by", "control socket"));
		return;
	}
	if (!child->reload)
		w->totals.failed++;
	log_event(LOG_WARN, child->reload ? "reload-failed" : "exec-failed", LOG_STR("how", how),
		  LOG_INT("status", status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1));
}

void
act_step(struct watch_findings *w)
{
	children_reap(&w->children, findings_on_end, w);
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL)
			waiting_step(&w->waiting[i]);
	if (w->reload && !children_full(&w->children))
		w->reload = child_reload(&w->children, w->plan->snapshot->settings->control_socket) != RES_OK;
}

bool
act_busy(const struct watch_findings *w)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL)
			return true;
	return w->reload || children_busy(&w->children);
}
