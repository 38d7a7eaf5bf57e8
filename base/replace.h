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
/* n bytes from that place on, fewer only at the end of the file, however many calls that takes. -1: errno says why. */
ssize_t file_read_at(int fd, void *to, size_t n, off_t from);
/* Every byte, however many calls that takes. False: errno says why. */
bool file_write_all(int fd, struct span content);
/* Writes a new file beside it, syncs it, renames it and syncs the folder: a crash leaves the old file or the new one. False:
 * errno says why, and the old file stands, unless the folder alone could not be synced. */
bool file_replace_at(int folder, const char *name, struct span content, mode_t mode);
/* The same without waiting for the disk, for what is only shown and soon written again: readers see the old file or the new
 * one, and after a crash of the machine it may be damaged. */
bool file_show_at(int folder, const char *name, struct span content, mode_t mode);

#endif
