/*
 * reader.h - inside config/: from text to settings, without the file system.
 */
#ifndef CONFIG_READER_H
#define CONFIG_READER_H

#include "config/options.h"

struct reader {
	struct settings *s;
	struct config_errors *errors;
	const char *file;     /* being read; NULL: what is compiled in */
	enum section section; /* where we are */
	void *base;           /* the struct of its options; NULL: everything in here is passed over */
	struct place *set_at; /* of those options; NULL for what is compiled in */
	unsigned passed_over; /* sections inside one that is passed over */
	unsigned top_here[OPTION_COUNT]; /* the line of this file that set it, outside sections; 0: none */
	unsigned section_here[OPTION_COUNT]; /* the line in which this section did */
	bool nomem;
	bool bad; /* an error was reported */
};

/* Settings of the compiled-in defaults. */
enum res reader_start(struct reader *, struct config_errors *);
/* Reads one text; it overrides the settings so far. file: its name, for the errors; lent as long as the settings
 * live. */
enum res reader_text(struct reader *, const char *file, struct span text);
/* Sets values that depend on other options (ports), and checks options against each other. *out is yours, except
 * after RES_NOMEM; after RES_MALFORMED it is broken (settings.h). The reader is empty afterwards. */
enum res reader_finish(struct reader *, struct settings **out);

/* Checks options against each other. True: no error. */
bool settings_check(const struct settings *, struct config_errors *);

/* The port that an upstream uses for addresses without one. */
uint16_t upstream_port(const struct upstream_settings *);
const struct upstream_settings *settings_upstream(const struct settings *, const char *title);

/* Forgets every upstream and forward. */
void settings_routes_drop(struct settings *);

/* For tests and fuzzing: one text as if it were the main file, without conf.d. */
enum res settings_read_text(struct settings **, const char *file, struct span text, struct config_errors *);

#endif
