/*
 * named_paths.h - checks whether the files, folders and sockets that options name can be used.
 *
 * Opens and inspects them, and changes nothing. The results are warnings: a folder, a collector or a hosts file may appear
 * later. A missing file whose option has its default value is not reported.
 */
#ifndef CONFIG_NAMED_PATHS_H
#define CONFIG_NAMED_PATHS_H

#include "config/settings.h"

/*
 * user NULL: checks the paths that compiling the configuration does not read, with the rights of this process. Else
 * this process has become that user: finds which of all named files, including the configuration files, it may not
 * read.
 */
void named_paths_check(const struct settings *, const char *user, struct config_errors *warnings);

#endif
