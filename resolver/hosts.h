/*
 * hosts.h - the hosts file, forwards and backwards.
 *
 * Lines that are no address and names are passed over and counted: the file belongs to others, who put
 * link-local addresses with zones and the like into it.
 */
#ifndef RESOLVER_HOSTS_H
#define RESOLVER_HOSTS_H

#include "resolver/local.h"

#define HOSTS_ENTRIES_MAX 500000 /* address and name pairs */

/* Addresses and their names; for other types of a name that is here: not answered, but for SVCB and HTTPS,
 * which would lead to other addresses. */
bool hosts_answer(struct hosts *, const struct msg_question *, int64_t now_ms, struct buf *out);
size_t hosts_bad(const struct hosts *); /* lines passed over */
/* Reads this text in place of the file. */
enum res hosts_read(struct hosts *, struct span text);

#endif
