/*
 * hints.h - inside config/: suggestions for wrong names in the configuration file.
 *
 * Every function appends a whole message for people, "what, what was expected" or "what, did you mean ...?".
 */
#ifndef CONFIG_HINTS_H
#define CONFIG_HINTS_H

#include "config/options.h"

/* No option of this section has that name. */
void hint_option(struct buf *why, enum section, const char *name);
/* No section has that name. */
void hint_section(struct buf *why, const char *name);
/* A section of that name stands inside a section. */
void hint_nested(struct buf *why, enum section outer, const char *name);

/* The message for names by which other programs include files: it says what ctstub has instead (a format with the
 * name). */
#define HINT_INCLUDE                                                                                         \
	"there is no \"%.80s\", files conf.d/*.conf beside the main file were expected: they are read in "   \
	"order of their names"
bool hint_is_include(const char *name);

#endif
