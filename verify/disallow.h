/*
 * disallow.h - where the entries of a disallow list come from: files, and the list that is compiled in.
 *
 * A file has one entry (cert_match.h) a line. ctstub.conf(5) says where `#` begins a comment; a name is read whole.
 */
#ifndef VERIFY_DISALLOW_H
#define VERIFY_DISALLOW_H

#include "base/faults.h"
#include "verify/cert_match.h"

#define DISALLOW_FILE_MAX (64 * 1024 * 1024)

/* Adds the entries of a file. Errors as in lines.h; an empty file is none. */
enum res disallow_add_file(struct cert_match_builder *, struct span text, struct faults *);
/* Adds the known rogue certificates that are compiled in. */
enum res disallow_add_builtin(struct cert_match_builder *);

#endif
