/*
 * watch_files.h - the files of the watch section: items to watch for, and entries for certificates that are expected.
 *
 * Only how they are written. ctstub-watch makes its tables of them; `ctstubd -t` reads them for their faults.
 */
#ifndef CONFIG_WATCH_FILES_H
#define CONFIG_WATCH_FILES_H

#include "base/addr.h"
#include "base/faults.h"
#include "config/settings.h"
#include "verify/disallow.h"

#define WATCH_FILE_MAX (8 * 1024 * 1024)

enum watched_kind { WATCHED_ADDRESS, WATCHED_PREFIX, WATCHED_NAME };

/* A line of a watch-file. */
struct watched {
	enum watched_kind kind;
	struct prefix net; /* not of a name; of an address the whole */
	const char *text;  /* as written, lent; a name with a dot before it is a domain */
};

/* RES_MALFORMED: that is no item. RES_LIMIT: no more is taken. */
typedef enum res (*watched_fn)(void *ctx, const struct watched *);

/* The form in which names are looked up: ASCII, lower case, no dots at the ends. RES_MALFORMED: it is no name. */
enum res watch_files_name_normal(struct buf *out, const char *name);
/* The items of a text, one a line, `#` begins a comment. Every bad line goes to faults. RES_MALFORMED: there are some. */
enum res watch_files_text_read(struct span text, watched_fn on_item, void *ctx, struct faults *);

/* The items of one watch-file, and the entries of one known-file, by its index in the option. Everything that is wrong
 * goes to errors, with the place of the option and the line of the file. */
enum res watch_files_watched_read(const struct settings *, size_t i, watched_fn on_item, void *ctx,
				  struct config_errors *errors);
enum res watch_files_known_read(const struct settings *, size_t i, struct cert_match_builder *,
				struct config_errors *errors);

/* What is wrong in all of them. Whether they can be opened is for named_paths.h, and whether their owners suit
 * ctstub-watch, which is another user, only that can tell. */
void watch_files_check(const struct settings *, struct config_errors *warnings);

#endif
