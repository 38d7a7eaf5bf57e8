/*
 * lab_files.h - reading, writing and naming files of the lab's folders.
 */
#ifndef CONTRIB_LAB_LAB_FILES_H
#define CONTRIB_LAB_LAB_FILES_H

#include "base/bytes.h"
#include "base/res.h"

#define FILE_PATH_MAX 4096

/* Appends the whole file. RES_NOT_FOUND, RES_LIMIT (larger than the buf's maximum), RES_IO. */
enum res lab_file_read(struct buf *out, const char *path);
/* Replaces the file atomically. */
enum res lab_file_write(const char *path, struct span content, unsigned mode);
/* Before any work: can lab_file_write write there? RES_NOT_FOUND: there is no such folder; RES_IO. errno says why. */
enum res lab_file_check(const char *path);
/* As lab_file_write, but RES_LIMIT when the file is there already: the first writer wins. */
enum res lab_file_create(const char *path, struct span content, unsigned mode);
/* The folder, and the folders above it that are missing. */
enum res lab_folder_make(const char *path);
/* Removes a folder of ours with what is in it; symbolic links are removed, never followed. */
void lab_folder_remove(const char *path);
/* "a/b"; RES_LIMIT when it does not fit. */
enum res lab_path_join(char out[FILE_PATH_MAX], const char *folder, const char *name);

#endif
