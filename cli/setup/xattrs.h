/*
 * xattrs.h - the extended attributes of a file (ACLs, labels, what a person noted), kept and put back.
 *
 * Kept as a row of: the name, a NUL, four bytes of length (the most significant first), the value.
 */
#ifndef CLI_SETUP_XATTRS_H
#define CLI_SETUP_XATTRS_H

#include "base/bytes.h"
#include "base/res.h"

/* Appends the attributes of the file; none if the file system has none. RES_LIMIT: more than the buffer may hold. */
enum res xattrs_get(struct buf *, int fd);
/* Sets the attributes as far as the system allows: a label that its policy forbids must not keep the file from being
 * restored. */
void xattrs_put(int fd, struct span kept);

#endif
