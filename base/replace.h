/*
 * replace.h - reads and writes whole files despite interrupts; replaces a file in an open folder as a whole or not at all.
 */
#ifndef BASE_REPLACE_H
#define BASE_REPLACE_H

#include "base/bytes.h"

#include <sys/types.h>

/* read(2) that no signal interrupts. */
ssize_t file_read_some(int fd, void *to, size_t n);
/* send(2) of one message with these flags, without SIGPIPE, that no signal interrupts. False: errno says why. */
bool file_message_send(int socket, struct span message, int flags);
/* Reads n bytes from that offset, fewer only at the end of the file, in as many calls as needed. -1: errno says why. */
ssize_t file_read_at(int fd, void *to, size_t n, off_t from);
/* Writes every byte, in as many calls as needed. False: errno says why. */
bool file_write_all(int fd, struct span content);
/* Writes a new file beside it, syncs it, renames it and syncs the folder: a crash leaves the old file or the new
 * one. False: errno says why. The old file is unchanged then, unless only the sync of the folder failed. */
bool file_replace_at(int folder, const char *name, struct span content, mode_t mode);
/* The same without waiting for the disk, for files that are only displayed and soon written again: readers see the
 * old file or the new one, but after a crash of the machine it may be damaged. */
bool file_show_at(int folder, const char *name, struct span content, mode_t mode);

#endif
