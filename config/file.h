/*
 * file.h - whole files, read with a limit and only when no other user could have written them.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/bytes.h"
#include "base/res.h"

/* Reads a whole regular file of at most max bytes that only root or the reading user can write; links are followed
 * by the rule of base/path.h. The previous content of out is freed. On failure *why gets "cannot read FILE: ..."
 * (yours; NULL: no memory). */
enum res config_file_read(struct buf *out, const char *file, size_t max, char **why);
/* As above, but of any owner and kind (such as a pipe): for files that a person names on a command line. "-" is
 * standard input. */
enum res config_file_read_any(struct buf *out, const char *file, size_t max, char **why);

/* Reads the file of that name in state-dir, which the daemon's user may write. It must be a regular file and not a
 * link, and belong to root, the reading user or the owner of the folder. Opening it never blocks. RES_NOT_FOUND:
 * there is none; *why is NULL. */
enum res config_state_read(struct buf *out, const char *folder, const char *name, size_t max, char **why);

#endif
