/*
 * hosts.h - the hosts file, for forward and reverse lookups.
 *
 * Lines that are not an address followed by names are skipped and counted: other programs own the file, and put
 * link-local addresses with zones and the like into it.
 */
#ifndef RESOLVER_HOSTS_H
#define RESOLVER_HOSTS_H

#include "base/dns/message.h"

struct hosts;
#define HOSTS_CHECK_MS 1000 /* the file is checked for changes at most this often */
/* If a file larger than this has changed, a reader reads it. That takes milliseconds, or half a second for a very
 * large file, and questions do not wait for it: the old entries are used until the new ones are read. */
#define HOSTS_BESIDE_MIN (64 * 1024)
/* file "" or NULL: none. A file that does not exist is an empty one. */
enum res hosts_new(struct hosts **, const char *file);
void hosts_free(struct hosts *);
struct reader;
/* Sets the reader of large files; lent. NULL: none. Set before the first answer. */
void hosts_read_beside(struct hosts *, struct reader *);
/* A reload: the file is checked for changes at the next question. False: it is another file than before. */
bool hosts_look_again(struct hosts *, const char *file);

/* Answers from the file. A name in the file is answered for every type: types that the file cannot hold get NODATA
 * (RFC 2308, 2.2). */
bool hosts_answer(struct hosts *, const struct msg_question *, int64_t now_ms, struct buf *out);
/* According to the last reading: the file has this name; the file has a name below it. */
bool hosts_has(const struct hosts *, struct span name);
bool hosts_is_above(const struct hosts *, struct span name);
size_t hosts_bad(const struct hosts *); /* lines skipped */
/* When the entries last changed; INT64_MIN: never. */
int64_t hosts_changed_ms(const struct hosts *);
/* Reads this text in place of the file. */
enum res hosts_read(struct hosts *, struct span text);

#endif
