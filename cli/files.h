/*
 * files.h - a file replaced as a whole or not at all.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/bytes.h"
#include "base/res.h"

/* Writes to a new file beside it, mode 0644, syncs, renames, syncs the folder: a crash leaves the old one or the new
 * one. *why on failure (yours; NULL: no memory). */
enum res files_replace(const char *file, struct span content, char **why);
/* The same for a file that the user names. files_replace, which is for ctstub's own files, replaces whatever has the
 * name; this function refuses if that is not a regular file, so a device stays. */
enum res files_replace_named(const char *file, struct span content, char **why);

/* Before any work: can this file be replaced, or files be written into this folder? RES_NOT_FOUND: there is no such
 * folder. *why as above. */
enum res files_target_check(const char *file, char **why);
enum res files_folder_check(const char *folder, char **why);

#endif
