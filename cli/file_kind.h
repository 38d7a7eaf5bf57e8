/*
 * file_kind.h - says what a file holds that was given as a certificate chain but is not one, for people who picked the
 * wrong file.
 *
 * A guess by the first bytes: nothing here decides about a certificate.
 */
#ifndef CLI_FILE_KIND_H
#define CLI_FILE_KIND_H

#include "base/bytes.h"

/* Appends a clause with a verb ("it holds a private key", "it is empty"). False: the kind of file is right: every
 * block or element of it may be a certificate. */
bool file_kind_put(struct buf *out, struct span text);

#endif
