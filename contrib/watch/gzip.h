/*
 * gzip.h - the body of an answer with Content-Encoding: gzip, bounded. The only door to zlib.
 */
#ifndef CONTRIB_WATCH_GZIP_H
#define CONTRIB_WATCH_GZIP_H

#include "base/bytes.h"
#include "base/res.h"

struct gunzip;

/* Yours. NULL: no memory. Used again for each body. */
struct gunzip *gunzip_new(void);
void gunzip_free(struct gunzip *);

/* Replaces the content of out, whose maximum bounds it whatever the body says. RES_LIMIT: there is more. RES_MALFORMED:
 * not one whole gzip member, or bytes after it. RES_NOMEM. */
enum res gunzip_read(struct gunzip *, struct buf *out, struct span body);

#endif
