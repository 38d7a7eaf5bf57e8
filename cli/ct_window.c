#include "cli/ct_window.h"

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/ct_known.h"
#include "cli/files.h"
#include "cli/lookup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

static const char verb[] = "ct-logs";

struct ct_window {
	char file[PATH_MAX];
	struct window_record record;
	int64_t until_ms;  /* boot clock */
	int64_t before_ms; /* when the window before this one began */
	bool began, answered;
	struct snapshot *snapshot;
	struct ct_known *known; /* the targets that may be asked */
};

static struct ct_window *
no_window(const char *why)
{
	cli_complain_part(verb, "update window: %s", why);
	return NULL;
}

/* May the age of the list keep the daemon from resolving? Either it refuses everything, or the logs of a certificate may be newer
 * than the list. */
static bool
is_needed(const struct settings *s, const struct ctlogs *known, int64_t now_ms)
{
	return s->ct_update_window && s->ct_when_stale != CT_STALE_REPORT && s->ct_mode == CT_REQUIRE &&
	       now_ms - ctlogs_date_ms(known) > s->ct_list_max_age_ms;
}

/* A window that cannot be recorded is not opened. */
static bool
record_keep(const struct ct_window *w)
{
	struct buf text = buf_max(512);
	char *why = NULL;
	bool kept;

	window_record_write(&text, &w->record);
	kept = buf_ok(&text) && files_replace(w->file, buf_span(&text), &why) == RES_OK;
	if (!kept)
		(void)no_window(why != NULL ? why : "out of memory");
	free(why);
	buf_free(&text);
	return kept;
}

/* This day's window may be recorded in the other folder: the unit has one of its own, and a person uses state-dir. */
static void
window_find(struct ct_window *w, const char *state_dir, int64_t now_ms)
{
	struct window_record latest;

	window_record_read(&w->record, state_dir);
	window_record_latest(&latest, w->snapshot->settings->state_dir);
	if (latest.began_ms > w->record.began_ms && latest.began_ms <= now_ms)
		w->record.began_ms = latest.began_ms;
}

/* Takes what is left of this day's window, or begins it. */
static bool
window_take(struct ct_window *w, const char *state_dir, int64_t now_ms)
{
	int64_t left_ms;

	(void)snprintf(w->file, sizeof w->file, "%s/" WINDOW_RECORD_FILE, state_dir);
	window_find(w, state_dir, now_ms);
	left_ms = window_record_left_ms(&w->record, now_ms);
	if (left_ms == 0) {
		(void)no_window("the 10 minutes of this day are over");
		return false;
	}
	w->began = !window_record_is_open(&w->record, now_ms);
	if (w->began) {
		w->before_ms = w->record.began_ms;
		w->record.began_ms = now_ms;
		w->record.windows++;
	}
	w->until_ms = clock_boot_ms() + left_ms;
	if (!record_keep(w))
		return false;
	(void)cli_complain(EXIT_GOOD, verb, "update window: open for %lld s, because the list is too old",
			   (long long)(left_ms / 1000));
	return true;
}

static struct snapshot *
snapshot_of(struct settings *s)
{
	struct config_errors errors = {0};
	struct snapshot *snapshot = NULL;

	s->ct_when_stale = CT_STALE_ENFORCE; /* everything but the age */
	if (snapshot_compile(&snapshot, s, 1, &errors) != RES_OK)
		snapshot = NULL;
	config_errors_free(&errors);
	return snapshot;
}

struct ct_window *
ct_window_open(const char *config, const char *state_dir, const struct ctlogs *known, bool compiled_in,
	       int64_t now_ms)
{
	struct settings *s = NULL;
	struct ct_window *w;

	if (cli_settings(&s, verb, config) != EXIT_GOOD)
		return NULL;
	if (!is_needed(s, known, now_ms)) {
		settings_free(s);
		return NULL;
	}
	w = calloc(1, sizeof *w);
	if (w == NULL) {
		settings_free(s);
		return no_window("out of memory");
	}
	w->snapshot = snapshot_of(s);
	if (w->snapshot != NULL) /* the journal is the daemon's, the record is this user's */
		w->known = ct_known_read(w->snapshot, w->snapshot->settings->state_dir, compiled_in);
	if (w->known != NULL && window_take(w, state_dir, now_ms))
		return w;
	ct_window_close(w);
	return NULL;
}

enum res
ct_window_lookup(struct ct_window *w, struct buf *out, const char *host)
{
	enum res res;

	if (clock_boot_ms() >= w->until_ms) {
		(void)no_window("the 10 minutes of this day are over");
		return RES_NOT_FOUND;
	}
	w->record.names++;
	if (!record_keep(w))
		return RES_NOT_FOUND;
	res = lookup_host(out, host, ct_known_targets(w->known), ct_known_count(w->known));
	w->answered |= res == RES_OK;
	return res;
}

void
ct_window_close(struct ct_window *w)
{
	if (w == NULL)
		return;
	/* Without a network no server was reached: the next attempt of this day has a window, too. */
	if (w->began && !w->answered) {
		w->record.began_ms = w->before_ms;
		(void)record_keep(w);
	}
	ct_known_free(w->known);
	snapshot_unref(w->snapshot);
	free(w);
}
