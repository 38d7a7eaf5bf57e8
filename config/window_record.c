#include "config/window_record.h"

#include "base/text.h"
#include "config/file.h"
#include "config/load.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECORD_MAX 512

/* "key value" of one line; the value ends the text. */
static void
line_take(struct window_record *r, const char *key, const char *value)
{
	int64_t number;

	if (strcmp(key, "began") == 0 && time_read(&number, value) == RES_OK)
		r->began_ms = number;
	else if (strcmp(key, "windows") == 0 && number_read(&number, value) == RES_OK && number >= 0)
		r->windows = number;
	else if (strcmp(key, "names") == 0 && number_read(&number, value) == RES_OK && number >= 0)
		r->names = number;
}

void
window_record_read(struct window_record *out, const char *folder)
{
	struct buf text = buf_max(RECORD_MAX);
	char *why = NULL, *rest, *line, *value;

	*out = (struct window_record){0};
	if (*folder != '\0' &&
	    config_state_read(&text, folder, WINDOW_RECORD_FILE, RECORD_MAX, &why) == RES_OK &&
	    buf_cstr(&text) != NULL) {
		rest = (char *)text.p;
		while ((line = strsep(&rest, "\n")) != NULL) {
			value = strchr(line, ' ');
			if (value == NULL)
				continue;
			*value = '\0';
			line_take(out, line, value + 1);
		}
	}
	free(why);
	buf_free(&text);
}

void
window_record_latest(struct window_record *out, const char *state_dir)
{
	struct window_record apart;
	char folder[PATH_MAX];

	window_record_read(out, state_dir);
	if (*state_dir == '\0' ||
	    (size_t)snprintf(folder, sizeof folder, "%s/" LOG_LIST_FOLDER, state_dir) >= sizeof folder)
		return;
	window_record_read(&apart, folder);
	if (apart.began_ms > out->began_ms)
		out->began_ms = apart.began_ms;
	out->windows += apart.windows;
	out->names += apart.names;
}

void
window_record_write(struct buf *out, const struct window_record *r)
{
	char began[TIME_TEXT_MAX];

	buf_format(out, "began %s\nwindows %lld\nnames %lld\n", time_text(r->began_ms, began),
		   (long long)r->windows, (long long)r->names);
}

bool
window_record_is_open(const struct window_record *r, int64_t now_ms)
{
	return r->began_ms > 0 && r->began_ms <= now_ms && now_ms - r->began_ms < WINDOW_MS;
}

int64_t
window_record_left_ms(const struct window_record *r, int64_t now_ms)
{
	if (r->began_ms <= 0 || r->began_ms > now_ms || now_ms - r->began_ms >= WINDOW_DAY_MS)
		return WINDOW_MS;
	return window_record_is_open(r, now_ms) ? r->began_ms + WINDOW_MS - now_ms : 0;
}
