/*
 * journal_file.h - the journal on disk: lines are appended, and the file is rotated at its size.
 *
 * For the helper alone, which is the only one to write there. Nothing stays open between two lines, so that a folder that was
 * made, filled, or replaced meanwhile is met as it is. A line that a crash cut short is taken away before the next one.
 */
#ifndef RESOLVER_DAEMON_JOURNAL_FILE_H
#define RESOLVER_DAEMON_JOURNAL_FILE_H

#include "base/journal.h"

/* Records that a new file starts with: at most half of the file's size, and no more than this, because they are
 * built in memory. */
#define JOURNAL_KNOWN_MAX (4 * 1024 * 1024)

/* Appends a line with its line end to the journal in that folder, and syncs it. If the file would exceed max bytes,
 * it is rotated first. RES_IO: errno says why; the journal is unchanged. */
enum res journal_file_append(int state_dir, struct span line, uint64_t max);

#endif
