#include "cli/ct_window.h"

#include "base/text.h"
#include "cli/cli.h"
#include "cli/files.h"
#include "config/file.h"

#include <stdio.h>
#include <stdlib.h>

#define STAMP_FILE "update-window"
#define STAMP_MAX  64

static const char verb[] = "ct-logs";

/* Does nothing but the age of the list keep the daemon from resolving? */
static bool
is_needed(const struct settings *s, const struct ctlogs *known, int64_t now_ms)
{
	return s->ct_update_window && s->ct_when_stale == CT_STALE_REFUSE && s->ct_mode == CT_REQUIRE &&
	       now_ms - ctlogs_date_ms(known) > s->ct_list_max_age_ms;
}

/* The file says when today's window began; without one that can be read or written there is no window. */
static bool
stamp_take(const char *state_dir, int64_t now_ms)
{
	char path[4096], text[TIME_TEXT_MAX], *why = NULL;
	struct buf file = buf_max(STAMP_MAX);
	int64_t began_ms = 0;
	bool known;

	snprintf(path, sizeof path, "%s/" STAMP_FILE, state_dir);
	known = config_file_read(&file, path, STAMP_MAX, &why) == RES_OK && buf_cstr(&file) != NULL &&
		time_read(&began_ms, buf_cstr(&file)) == RES_OK && began_ms <= now_ms &&
		now_ms - began_ms < CT_WINDOW_DAY_MS;
	free(why);
	why = NULL;
	if (!known) {
		began_ms = now_ms;
		known = files_replace(path, span_str(time_text(now_ms, text)), &why) == RES_OK;
	}
	free(why);
	buf_free(&file);
	return known && now_ms - began_ms < CT_WINDOW_MS;
}

bool
ct_window_open(struct snapshot **out, const char *config, const char *state_dir, const struct ctlogs *known,
	       int64_t now_ms)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	bool open = cli_settings(&s, verb, config) == EXIT_GOOD && is_needed(s, known, now_ms);

	if (open && !stamp_take(state_dir, now_ms)) {
		(void)cli_complain(EXIT_GOOD, verb, "update window: the 10 minutes of this day are over");
		open = false;
	}
	if (!open) {
		settings_free(s);
		return false;
	}
	s->ct_when_stale = CT_STALE_ENFORCE;
	open = snapshot_compile(out, s, 1, &errors) == RES_OK;
	config_errors_free(&errors);
	return open;
}
