/*
 * options.h - the command line of the monitor itself.
 */
#ifndef CONTRIB_WATCH_OPTIONS_H
#define CONTRIB_WATCH_OPTIONS_H

#include "contrib/watch/reader_settings.h"

struct watch_options {
	const char *file; /* NULL: the compiled-in defaults */
	bool test, once;
	unsigned verbose;
	bool from_given;
	enum reader_from from_kind;
	uint64_t from;
};

/* False: *code is the exit code, and any message was printed. */
bool watch_options_read(struct watch_options *, int argc, char **argv, int *code);

/* "end", a number of an entry, a day (UTC) or an RFC 3339 time. False: it is none of these. */
bool watch_from_read(enum reader_from *kind, uint64_t *from, const char *text);

#endif
