/*
 * reader.h - follows all logs of a list: heads, proofs, entries, evidence. One thread, one loop; nothing blocks outside
 * the loop.
 *
 * The way of an entry: heads.c asks for the log's newest head, and checks its signature and that the tree only grew.
 * entries.c fetches the range up to the head with concurrent requests, hashes the entries in order and hands each to the
 * findings. When the range reaches the head, its root must be the signed one; state.h then stores the position. start.c
 * finds where a new log starts; proven.c fetches what a finding needs beside the entry.
 */
#ifndef CONTRIB_WATCH_READER_H
#define CONTRIB_WATCH_READER_H

#include "contrib/watch/reader_settings.h"

/* *why on failure (yours). */
enum res watch_reader_open(struct watch_reader **, const struct reader_settings *, char **why);
/* Stores the positions that were reached. NULL is allowed. */
void watch_reader_close(struct watch_reader *);

/* Starts what is due and waits for answers, for fd (-1: none) or until `until_ms` (of clock_boot_ms). With `once` it does
 * not wait if it finds that nothing is left to do. False: no memory. */
bool watch_reader_run(struct watch_reader *, int64_t until_ms, int fd, bool *readable);
/* With `once`: nothing is left to do. */
bool watch_reader_done(const struct watch_reader *);

/* For status and metrics. */
struct watch_progress {
	const struct watch_log *log;
	bool started;       /* where to begin is known */
	uint64_t position;  /* entries read, or passed over at the start */
	uint64_t verified;  /* entries whose root is a signed one */
	uint64_t head_size; /* 0: no head yet */
	int64_t head_ms;    /* its timestamp */
	int64_t entry_ms;   /* the timestamp of the newest entry that was read; 0: none */
	uint64_t entries;   /* read by this process */
	uint64_t bytes;     /* of answers with entries */
	uint64_t requests, failures;
	uint64_t misbehaviours;
	const char *trouble; /* why it is not read now; NULL: it is. Lent until the next run */
};
size_t watch_reader_count(const struct watch_reader *);
void watch_reader_progress(const struct watch_reader *, size_t i, struct watch_progress *);
/* NULL: it is not followed. */
const struct watch_log *watch_reader_find(const struct watch_reader *, const uint8_t id[32]);
/* Logs of the list that cannot be read: no URL is known. NULL at the end. Lent. */
const struct ctlog *watch_reader_left_out(const struct watch_reader *, size_t i);

#endif
