/*
 * named_paths.h - can the files, folders and sockets be used that options name?
 *
 * Looks and opens, and changes nothing. What is found is for warnings: a folder may be made later, a collector started later, a
 * hosts file written later. What is left at its default and is missing is no news.
 */
#ifndef CONFIG_NAMED_PATHS_H
#define CONFIG_NAMED_PATHS_H

#include "config/settings.h"

/*
 * user NULL: those that compiling the configuration does not read, with the rights of this process. Else this process has become
 * that user: which of all named files, the configuration's own among them, may it not read?
 */
void named_paths_check(const struct settings *, const char *user, struct config_errors *warnings);

#endif
