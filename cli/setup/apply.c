#include "config.h"

#include "cli/setup/apply.h"

#include "cli/cli.h"
#include "cli/setup/program.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char verb[] = "setup";
static const char systemctl[] = "/usr/bin/systemctl";

static bool
call(const char *const argv[])
{
	struct buf output = buf_max(PROGRAM_OUTPUT_MAX);
	int code = program_run(argv, &output);
	const char *text = buf_ok(&output) && output.n > 0 ? buf_cstr(&output) : NULL;

	if (code != 0)
		(void)cli_complain(EXIT_TROUBLE, verb, "%s %s failed (%d)%s%s", argv[0], argv[1], code,
				   text != NULL ? ": " : "", text != NULL ? text : "");
	buf_free(&output);
	return code == 0;
}

static bool
file_put(const char *path, const struct entry *entry)
{
	if (entry_write(path, entry) == RES_OK)
		return true;
	(void)cli_complain(EXIT_TROUBLE, verb, "%s: %s", path, strerror(errno));
	return false;
}

static bool
service_end(const char *unit, bool enabled)
{
	const char *disable[] = {systemctl, "disable", "--now", unit, NULL};
	const char *stop[] = {systemctl, "stop", unit, NULL};

	return call(enabled ? disable : stop);
}

static bool
service_begin(const char *unit, bool enabled, bool idle)
{
	const char *enable_only[] = {systemctl, "enable", unit, NULL};
	const char *enable[] = {systemctl, "enable", "--now", unit, NULL};
	const char *start[] = {systemctl, "start", unit, NULL};

	if (enabled && idle)
		return call(enable_only);
	return call(enabled ? enable : start);
}

/* A unit that is not running reads its files when it starts. */
static bool
setup_restart(const char *unit)
{
	const char *argv[] = {systemctl, "try-restart", unit, NULL};

	return call(argv);
}

bool
apply_plan(const struct plan *plan)
{
	bool ok = true;

	for (size_t i = 0; i < plan->n && ok; i++) {
		const struct step *step = &plan->step[i];

		switch (step->kind) {
		case STEP_FILE:
			ok = file_put(step->path, &step->entry);
			break;
		case STEP_SERVICE:
			ok = service_end(step->path, step->enabled);
			break;
		case STEP_RESTART:
			ok = setup_restart(step->path);
			break;
		case STEP_ENABLE:
			ok = service_begin(step->path, true, false);
			break;
		}
	}
	return ok;
}

enum standing { IS_BEFORE, IS_AFTER, IS_GONE, IS_OTHER };

static enum standing
standing_of(const struct change *change)
{
	char digest[ENTRY_DIGEST_LEN];
	struct entry now;
	enum standing standing = IS_OTHER;

	if (entry_read(&now, change->path) == RES_OK) {
		if (entry_equal(&now, &change->before))
			standing = IS_BEFORE;
		else if (now.kind == ENTRY_ABSENT)
			standing = IS_GONE;
		else if (entry_digest(digest, &now) == RES_OK && strcmp(digest, change->after) == 0)
			standing = IS_AFTER;
	}
	entry_free(&now);
	return standing;
}

/* The hook removes the forward rows that it wrote. */
static void
links_forget(const char *hook)
{
	const char *argv[] = {hook, "-", "forget", NULL};

	(void)call(argv);
}

static bool
is_links_hook(const char *path)
{
	size_t n = strlen(path), tail = strlen(LINKS_HOOK_FILE);

	return n >= tail && strcmp(path + n - tail, LINKS_HOOK_FILE) == 0;
}

static bool
unit_undo(const char *unit)
{
	if (!service_end(unit, true))
		return false;
	links_forget(LINKS_HOOK_SOURCE);
	return true;
}

static bool
file_undo(const struct change *change)
{
	enum standing standing = standing_of(change);

	if (standing == IS_AFTER && is_links_hook(change->path)) /* it is as setup wrote it */
		links_forget(change->path);
	if (standing == IS_OTHER)
		(void)cli_complain(EXIT_REFUSED, verb, "%s has changed since the setup: left as it is",
				   change->path);
	/* A file that somebody deleted is restored too, as nothing is overwritten. */
	return standing == IS_BEFORE || (standing != IS_OTHER && file_put(change->path, &change->before));
}

static void
change_drop(struct record *r, size_t i)
{
	entry_free(&r->change[i].before);
	memmove(&r->change[i], &r->change[i + 1], (r->n - i - 1) * sizeof r->change[0]);
	r->n--;
}

static bool
change_undo(const struct change *change)
{
	switch (change->kind) {
	case STEP_FILE:
		return file_undo(change);
	case STEP_SERVICE:
		return service_begin(change->path, change->enabled, change->idle);
	case STEP_ENABLE:
		return unit_undo(change->path);
	case STEP_RESTART: /* after all others */
		break;
	}
	return true;
}

size_t
apply_undo(struct record *r)
{
	size_t left = 0;

	for (size_t i = r->n; i-- > 0;) {
		bool done = change_undo(&r->change[i]);

		left += done ? 0 : 1;
		if (done && r->change[i].kind != STEP_RESTART)
			change_drop(r, i);
	}
	for (size_t i = r->n; i-- > 0;)
		if (r->change[i].kind == STEP_RESTART) {
			(void)setup_restart(r->change[i].path);
			change_drop(r, i);
		}
	return left;
}

static bool
service_runs(const char *unit)
{
	const char *argv[] = {systemctl, "is-active", "--quiet", unit, NULL};

	return program_run(argv, NULL) == 0;
}

/* What is wrong with it; NULL: nothing. */
static const char *
drift_of(const struct change *change)
{
	switch (change->kind) {
	case STEP_FILE:
		return standing_of(change) != IS_AFTER ? "is not as setup left it" : NULL;
	case STEP_SERVICE:
		return service_runs(change->path) ? "runs again" : NULL;
	case STEP_ENABLE:
		return service_runs(change->path) ? NULL : "does not run";
	case STEP_RESTART:
		break;
	}
	return NULL;
}

size_t
apply_drift(const struct record *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n; i++) {
		const char *drift = drift_of(&r->change[i]);

		if (drift != NULL)
			(void)cli_complain(EXIT_REFUSED, verb, "%s %s", r->change[i].path, drift);
		n += drift != NULL ? 1 : 0;
	}
	return n;
}
