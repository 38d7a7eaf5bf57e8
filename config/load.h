/*
 * load.h - inside config/: the files that the settings name, read and made ready.
 *
 * trusted: the name comes from a configuration file, so no other user may have written the file (file.h); else a
 * person gave it on a command line. *why on failure: a sentence with the file's name (yours; NULL: no memory).
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include "config/settings.h"

#define ANCHOR_FILES_MAX 4096 /* in a folder of anchors; Debian's has 450 */

/* where: "system", a PEM file, or a folder of them. A certificate, and in a folder a file, that cannot be used is left out
 * with a warning; it is an error when nothing is left. */
enum res anchors_load(struct trust **, const char *where, bool trusted, struct config_errors *warnings,
		      char **why);
/* A log list of any of the formats. ctlogs_left_out says what it left out. */
enum res log_list_load(struct ctlogs **, const char *file, bool trusted, char **why);
/* The folder in state-dir to which ctstub-ct-logs.service, which has its own user, writes ct-logs.json. */
#define LOG_LIST_FOLDER "ct-logs"
/* The ct-logs.json of a folder. RES_NOT_FOUND with *why NULL: there is none. */
enum res log_list_stored(struct ctlogs **, const char *folder, char **why);
/* The newest of three lists: the compiled-in list, ct-logs.json in state-dir, and ct-logs.json in its folder
 * ct-logs. *from is "compiled in" or the file (yours). A file that cannot be used is not a failure, because the
 * compiled-in list is not weaker; *warning says what is wrong (yours; NULL: nothing). */
enum res log_list_choose(struct ctlogs **, const char *state_dir, char **from, char **warning);
/* The folder of ctstub-watch(8) in state-dir, and its files of disallow entries that hold for every upstream. */
#define WATCH_FOLDER        "watch"
#define WATCH_DISALLOW_FILE "disallow.txt"  /* of its own findings, with block = "enforce" */
#define WATCH_FEED_FILE     "feed.txt"      /* of an organisation, by `ctstub-watch pull` */
#define WATCH_FEED_KEY_FILE "feed.key"      /* in hex: the public key that it was signed with */
#define WATCH_RELOAD_FILE   "reload-wanted" /* empty; there until ctstub-reload.service has removed it */

/* The name of the list in state-dir. Yours; NULL: no memory. */
char *log_list_file(const char *state_dir);

#endif
