/*
 * window_record.h - the record of the update window in state-dir: when the last one began, and the number of windows and
 * names.
 *
 * `ctstub ct-logs update` writes it (cli/ct_window.h), the daemon shows it. A record that cannot be read, or that is dated
 * in the future, is ignored: a clock that was wrong once must not close the window for years. Only root and the owner of
 * state-dir can write it.
 */
#ifndef CONFIG_WINDOW_RECORD_H
#define CONFIG_WINDOW_RECORD_H

#include "base/bytes.h"
#include "base/res.h"

#define WINDOW_RECORD_FILE "update-window"
#define WINDOW_MS          (10 * 60 * 1000LL)   /* of a window */
#define WINDOW_DAY_MS      (24 * 3600 * 1000LL) /* from the beginning of one to the next */

struct window_record {
	int64_t began_ms; /* the last window; wall clock, 0: there was none */
	int64_t windows;  /* so many so far */
	int64_t names;    /* asked for in them, so many times */
};

/* Reads the record of this folder; with folder "" there is none. */
void window_record_read(struct window_record *, const char *folder);
/* Reads the records of state-dir and of its folder ct-logs, which only the unit of the update uses: the window that
 * began last, and the numbers of windows and names of both together. */
void window_record_latest(struct window_record *, const char *state_dir);
/* Appends the content of the file. */
void window_record_write(struct buf *, const struct window_record *);

bool window_record_is_open(const struct window_record *, int64_t now_ms);
/* The time left of an open window; WINDOW_MS if one may begin; 0: the window of this day is over. */
int64_t window_record_left_ms(const struct window_record *, int64_t now_ms);

#endif
