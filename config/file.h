/*
 * file.h - whole files, read with a limit and only when nobody else could have written them.
 */
#ifndef CONFIG_FILE_H
#define CONFIG_FILE_H

#include "base/bytes.h"
#include "base/res.h"

/* Reads a whole regular file of at most max bytes that only root or the reading user can write. What out held is
 * freed. On failure *why gets "cannot read FILE: ..." (yours; NULL: no memory). */
enum res config_file_read(struct buf *out, const char *file, size_t max, char **why);
/* As above, of any owner and kind (a pipe): for what a person names on a command line. "-" is standard input. */
enum res config_file_read_any(struct buf *out, const char *file, size_t max, char **why);

#endif
