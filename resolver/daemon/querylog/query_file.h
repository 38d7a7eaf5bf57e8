/*
 * query_file.h - a log file of bounded size: when it is full it becomes FILE.1, and a new one is begun.
 *
 * Opened for appending and never through a symbolic link, by the writer's user, to whom it must belong (base/path.h).
 */
#ifndef RESOLVER_DAEMON_QUERYLOG_QUERY_FILE_H
#define RESOLVER_DAEMON_QUERYLOG_QUERY_FILE_H

#include "base/bytes.h"

struct query_file {
	const char *path; /* lent */
	uint64_t max;     /* bytes */
	int fd;           /* -1: not open */
	uint64_t n;       /* bytes in it */
};

/* False: *why (constant, or strerror's) says why. Harmless when it is open. */
bool query_file_open(struct query_file *, const char **why);
/* Writes everything or fails: a text that was written in part is cut off again. */
bool query_file_append(struct query_file *, struct span, const char **why);
/* Cuts it back to so many bytes, after an append that belongs to them failed. False: the file was closed, and is not whole. */
bool query_file_cut(struct query_file *, uint64_t n);
bool query_file_is_full(const struct query_file *);
/* Does its path still lead to it? Somebody may have moved it away, or deleted it to make room. */
bool query_file_is_in_place(const struct query_file *);
/* Renames the file to FILE.1, which replaces an older one. The file is closed; the caller opens it anew. */
bool query_file_rotate(struct query_file *, const char **why);
void query_file_close(struct query_file *);

#endif
