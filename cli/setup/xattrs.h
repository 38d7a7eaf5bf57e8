/*
 * xattrs.h - the extended attributes of a file (ACLs, labels, what a person noted), kept and put back.
 *
 * Kept as a row of: the name, a NUL, four bytes of length (the most significant first), the value.
 */
#ifndef CLI_SETUP_XATTRS_H
#define CLI_SETUP_XATTRS_H

#include "base/bytes.h"
#include "base/res.h"

/* Appends those of the file. RES_LIMIT: more than the buffer may hold. A file system without them gives none. */
enum res xattrs_get(struct buf *, int fd);
/* As far as the system lets us: a label that its policy does not allow must not keep the file from being restored. */
void xattrs_put(int fd, struct span kept);

#endif
