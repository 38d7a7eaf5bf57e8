/* What is done about a finding: its chain is fetched, it is blocked, reported to a program, and kept with its proof. */
#include "config.h"

#include "contrib/watch/findings_act.h"

#include "base/clock.h"
#include "base/log.h"
#include "config/load.h"
#include "contrib/watch/accepted.h"
#include "contrib/watch/block.h"
#include "contrib/watch/evidence.h"
#include "contrib/watch/findings_again.h"
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

/* A finding that was marked as not blocked needs no block. */
static unsigned
marks_missing(unsigned wanted, unsigned marks)
{
	return wanted & ~(marks | ((marks & RECORD_NOT_BLOCKED) != 0 ? RECORD_BLOCKED : 0));
}

bool
act_is_done(const struct watch_findings *w, const struct record_entry *e)
{
	return marks_missing(marks_wanted(w, e->kind), e->marks) == 0;
}

static unsigned
marks_of(const struct watch_findings *w, const struct watch_finding *f)
{
	const struct record_entry *e = record_find(w->record, f->id);

	/* if the record is full nothing can be marked: everything counts as done */
	return e == NULL ? ~0u : e->marks;
}

/* ---- the chain */

bool
evidence_has_room(struct watch_findings *w, const struct watch_finding *f)
{
	return record_count_of(w->record, f->log_id, f->kind == FINDING_ROGUE) <= EVIDENCE_LOG_MAX;
}

static void
evidence_keep(struct waiting *p, const struct watch_evidence *evidence)
{
	struct watch_findings *w = p->w;
	bool has_room = evidence_has_room(w, p->f), kept;
	const char *name = EVIDENCE_FOLDER;

	if ((marks_of(w, p->f) & RECORD_EVIDENCE) != 0 || p->f->kind == FINDING_LOG_MISBEHAVED)
		return;
	kept = !has_room || evidence_write(w->folder, p->f, evidence);
	if (kept) {
		kept = record_done(w->record, p->f->id, RECORD_EVIDENCE, NULL) == RES_OK;
		name = RECORD_FILE;
	}
	if (has_room || !kept)
		finding_evidence_log(w, p->f, name, kept ? 0 : errno);
	p->unkept = !kept; /* no second request to the log: a full disk stays full for a while */
}

static void
waiting_end(struct waiting *p)
{
	finding_free(p->f);
	*p = (struct waiting){.f = NULL};
}

static bool
is_blocked(const struct record_entry *e)
{
	return (e->marks & RECORD_BLOCKED) != 0 && (e->marks & RECORD_UNBLOCKED) == 0;
}

void
act_unblock(struct watch_findings *w, const struct record_entry *e)
{
	bool changed = false;
	char *why = NULL;

	if ((e->marks & RECORD_WITHDRAWN) == 0 || !is_blocked(e))
		return;
	if (block_remove(w->folder, WATCH_DISALLOW_FILE, e->id, &changed, &why) != RES_OK ||
	    record_done(w->record, e->id, RECORD_UNBLOCKED, NULL) != RES_OK)
		log_event(LOG_ERROR, "not-unblocked", LOG_STR("why", why != NULL ? why : strerror(errno)));
	else if (changed)
		log_event(LOG_NOTICE, "unblocked", LOG_STR("file", WATCH_DISALLOW_FILE));
	w->reload |= changed;
	free(why);
}

/* Withdraws a finding that was reported as rogue, but is expected. */
static void
withdraw(struct watch_findings *w, const struct watch_finding *f)
{
	const struct record_entry *e;

	if (record_finding(w->record, f, RECORD_WITHDRAWN, false) != RES_OK)
		return;
	log_event(LOG_NOTICE, "withdrawn", LOG_STR("because", f->because), LOG_STR("serial", f->serial));
	e = record_find(w->record, f->id);
	if (e != NULL)
		act_unblock(w, e);
}

void
act_reconsider(struct watch_findings *w, const struct record_entry *e)
{
	struct watch_finding *f = NULL;

	if (e->kind != FINDING_ROGUE || !is_blocked(e) || record_load(w->record, e, &f) != RES_OK)
		return;
	(void)finding_judge(f, w->plan, NULL);
	if (f->kind == FINDING_EXPECTED)
		withdraw(w, f);
	finding_free(f);
}

/* Judged with the chain, or without one where there is none. */
static void
waiting_judge(struct waiting *p, const struct watch_evidence *evidence)
{
	struct watch_findings *w = p->w;
	bool reported = (marks_of(w, p->f) & RECORD_REPORTED) != 0;
	enum res res;

	/* what its chain showed is not judged anew without it */
	if ((evidence != NULL || !p->judged) && p->f->n_item > 0 && p->f->kind != FINDING_UNREADABLE)
		(void)finding_judge(p->f, w->plan, evidence);
	p->judged = true;
	res = reported ? RES_OK : finding_report(w, p->f);
	if (res != RES_OK) {
		if (findings_again_failed(p, RECORD_REPORTED))
			finding_unrecorded_log(w, p->f->log, LOG_INT("index", p->f->index), res);
		return;
	}
	if (reported && p->f->kind == FINDING_EXPECTED)
		withdraw(w, p->f);
	if (p->f->kind == FINDING_EXPECTED)
		waiting_end(p);
}

static void
waiting_on_evidence(void *arg, enum res res, const char *why, const struct watch_log *log, uint64_t index,
		    const struct watch_evidence *evidence)
{
	struct waiting *p = arg;

	if (p->f == NULL || p->log != log || p->f->index != index)
		return; /* of a finding that lost its place meanwhile */
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

/* Which of key and serial no good certificate has, so that they can be blocked. The journal is read only for certificates
 * that a CA issued, not for those that a log makes up. */
static unsigned
block_by(const struct watch_findings *w, const struct watch_finding *f)
{
	struct accepted accepted = {false, false};
	const char *why = NULL;

	if (f->proven)
		accepted_read(&accepted, w->plan->snapshot->settings->state_dir, f, &why);
	if (why != NULL)
		log_event(LOG_WARN, "journal-not-read", LOG_STR("why", why),
			  LOG_STR("then", "its key is not blocked"));
	return (accepted.key || record_expects_key(w->record, f->spki_sha256) ? 0 : BLOCK_KEY) |
	       (accepted.serial || record_expects_serial(w->record, f) ? 0 : BLOCK_SERIAL);
}

/* The entries go into the file. False: they could not. */
static bool
block_put(struct waiting *p, const char *file, unsigned by)
{
	struct watch_findings *w = p->w;
	char *why = NULL;
	enum res res = block_add(w->folder, file, p->f, by, &why);
	bool ok = res == RES_OK || res == RES_MALFORMED;

	if (!ok && findings_again_failed(p, RECORD_BLOCKED))
		log_event(LOG_ERROR, "not-blocked", LOG_STR("serial", p->f->serial), LOG_STR("why", why));
	free(why);
	return ok;
}

static void
block(struct waiting *p, unsigned by)
{
	struct watch_findings *w = p->w;
	bool enforce = w->plan->snapshot->settings->watch_block == WATCH_BLOCK_ENFORCE;
	const char *file = enforce ? WATCH_DISALLOW_FILE : BLOCK_PROPOSED_FILE;
	enum res res;

	if (!p->put && !block_put(p, file, by))
		return;
	res = record_done(w->record, p->f->id, RECORD_BLOCKED, NULL);
	if (res != RES_OK && findings_again_failed(p, RECORD_BLOCKED))
		finding_unrecorded_log(w, p->f->log, LOG_INT("index", p->f->index), res);
	if (p->put)
		return;
	p->put = true;
	log_event(LOG_NOTICE, enforce ? "blocked" : "proposed", LOG_STR("serial", p->f->serial),
		  LOG_STR("issuer", p->f->issuer), LOG_STR("file", file));
	w->reload |= enforce;
}

/* It may have been made up to get a good certificate refused. So a person decides: the log reports it, and proposed.txt
 * has the entries. If its log gave nothing that could prove it, it is tried again after the next start. */
static void
not_blocked(struct waiting *p, unsigned by)
{
	struct watch_findings *w = p->w;
	struct watch_finding *f = p->f;
	bool final = f->unproven != NULL;

	if (!final)
		f->unproven = "its chain could not be fetched";
	p->reported = block_put(p, BLOCK_PROPOSED_FILE, by);
	if (p->reported) {
		if (final)
			(void)record_done(w->record, f->id, RECORD_NOT_BLOCKED, f->unproven);
		w->totals.not_blocked++;
		log_event(LOG_WARN, "not-blocked", LOG_STR("serial", f->serial), LOG_STR("issuer", f->issuer),
			  LOG_STR("why", f->unproven), LOG_STR("file", BLOCK_PROPOSED_FILE));
	}
	if (!final)
		f->unproven = NULL;
}

/* There is nothing to block: a person decides. */
static void
not_blocked_good(struct waiting *p)
{
	p->f->proven = false;
	p->f->unproven = "a good certificate has its key and its serial";
	not_blocked(p, 0);
	if (p->reported)
		return;
	p->f->proven = true;
	p->f->unproven = NULL;
}

/* Decides when the chain is there, or when it is too late to wait for it. */
static void
block_decide(struct waiting *p)
{
	bool late = clock_boot_ms() - p->since_ms >= FINDINGS_BLOCK_WAIT_MS;
	unsigned by;

	if (!p->f->proven && (p->reported || (!p->answered && !late)))
		return;
	by = block_by(p->w, p->f);
	if (!p->f->proven)
		not_blocked(p, by);
	else if (by == 0)
		not_blocked_good(p);
	else
		block(p, by);
}

/* It may be there later: a program that is being replaced cannot run for a moment. */
static void
exec_failed(struct waiting *p, int error)
{
	struct watch_findings *w = p->w;

	record_note_ended(w->record, p->f->id, RECORD_EXEC, false);
	if (!findings_again_failed(p, RECORD_EXEC))
		return;
	w->totals.failed++;
	log_event(LOG_ERROR, "exec-failed", LOG_STR("program", w->plan->snapshot->settings->watch_exec),
		  LOG_STR("error", strerror(error)));
}

static void
exec(struct waiting *p)
{
	struct watch_findings *w = p->w;
	struct buf line = buf_max(FINDING_LINE_MAX);
	struct record_note note;
	enum res res = finding_write(&line, p->f, "finding", false);

	buf_text(&line, "\n");
	record_note_make(w->record, &note, p->f->id, RECORD_EXEC, NULL);
	if (res == RES_OK)
		res = launcher_run(w->launcher, p->f->kind, buf_span(&line), &note);
	else
		errno = ENOMEM;
	if (res == RES_OK) {
		record_note_ended(w->record, p->f->id, RECORD_EXEC, true);
	} else if (!launcher_is_gone(w->launcher)) {
		exec_failed(p, errno);
	}
	buf_free(&line);
}

/* ---- step by step */

static unsigned
waiting_missing(const struct waiting *p)
{
	unsigned marks = marks_of(p->w, p->f);

	if (p->f->proven)
		marks &= ~(unsigned)RECORD_NOT_BLOCKED;
	return marks_missing(marks_wanted(p->w, p->f->kind), marks);
}

/* Is it expected by now, from what another log gave? */
static bool
is_settled(const struct waiting *p)
{
	const struct record_entry *e = record_find(p->w->record, p->f->id);

	return e != NULL && (e->marks & RECORD_REPORTED) != 0 && e->kind == FINDING_EXPECTED;
}

/* False: it waits for its chain, or has ended. */
static bool
waiting_report(struct waiting *p)
{
	bool late = clock_boot_ms() - p->since_ms >= FINDINGS_CHAIN_WAIT_MS;

	if ((marks_of(p->w, p->f) & RECORD_REPORTED) != 0)
		return true;
	if ((p->failed & RECORD_REPORTED) != 0 || (!p->answered && !late))
		return false;
	waiting_judge(p, NULL);
	return p->f != NULL && (marks_of(p->w, p->f) & RECORD_REPORTED) != 0;
}

/* Is its chain awaited? */
static bool
is_asking(const struct waiting *p)
{
	return p->asked && !p->answered;
}

static void
waiting_step(struct waiting *p)
{
	unsigned missing;

	p->resting = false;
	if (is_settled(p)) {
		waiting_end(p);
		return;
	}
	if (!p->asked && !p->answered)
		evidence_ask(p);
	if (!waiting_report(p)) {
		p->resting = (p->failed & RECORD_REPORTED) != 0 && !is_asking(p);
		return;
	}
	missing = waiting_missing(p) & ~p->failed;
	if ((missing & RECORD_BLOCKED) != 0)
		block_decide(p);
	if ((missing & RECORD_EXEC) != 0 && !launcher_is_full(p->w->launcher))
		exec(p);
	if ((missing & RECORD_EVIDENCE) != 0 && p->answered && !p->unkept)
		evidence_keep(p, NULL);
	missing = waiting_missing(p) & ~(p->reported && p->answered ? (unsigned)RECORD_BLOCKED : 0);
	if (p->unkept)
		missing &= ~(unsigned)RECORD_EVIDENCE;
	if ((missing & ~p->failed) != 0 || is_asking(p))
		return;
	if (missing == 0)
		waiting_end(p);
	else
		p->resting = true;
}

static void
findings_on_end(void *ctx, bool reload, int status)
{
	struct watch_findings *w = ctx;
	const char *how = status == -1 ? "took too long" : WIFSIGNALED(status) ? "was killed" : "failed";

	if (status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 0) {
		if (reload)
			log_event(LOG_NOTICE, "reloaded", LOG_STR("by", "control socket"));
		return;
	}
	if (!reload)
		w->totals.failed++;
	log_event(LOG_WARN, reload ? "reload-failed" : "exec-failed", LOG_STR("how", how),
		  LOG_INT("status", status != -1 && WIFEXITED(status) ? WEXITSTATUS(status) : -1));
}

static void
reload_request(struct watch_findings *w)
{
	w->reload = launcher_reload(w->launcher, w->folder) != RES_OK;
	if (!w->reload || launcher_is_gone(w->launcher))
		return;
	w->reload_failed = true;
	findings_again_later(w);
	log_event(LOG_WARN, "reload-failed", LOG_STR("how", strerror(errno)));
}

void
act_step(struct watch_findings *w)
{
	launcher_reap(w->launcher, findings_on_end, w);
	findings_again_step(w);
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL)
			waiting_step(&w->waiting[i]);
	if (w->reload && !w->reload_failed && !launcher_is_full(w->launcher))
		reload_request(w);
}

bool
act_busy(const struct watch_findings *w)
{
	for (size_t i = 0; i < WAITING_MAX; i++)
		if (w->waiting[i].f != NULL && !w->waiting[i].resting)
			return true;
	return (w->reload && !w->reload_failed) || launcher_is_busy(w->launcher);
}
