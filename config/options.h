/*
 * options.h - the option table, and how values are read into fields and printed from them.
 *
 * One row an option (options.def). Nothing here reads files or opens sections. For a value that does not fit, an
 * error says what was expected.
 */
#ifndef CONFIG_OPTIONS_H
#define CONFIG_OPTIONS_H

#include "config/forms.h"
#include "config/parse.h"
#include "config/settings.h"

enum section {
	SECTION_TOP,
	SECTION_CT,
	SECTION_TRUST,
	SECTION_CACHE,
	SECTION_LOCAL,
	SECTION_REBINDING,
	SECTION_FILTER,
	SECTION_PORTAL,
	SECTION_WATCH,
	SECTION_JOURNAL,
	SECTION_EVIDENCE,
	SECTION_QUERY_LOG,
	SECTION_UPSTREAM,
	SECTION_FORWARD,
	SECTION_COUNT
};

enum option_kind {
	KIND_BOOL,      /* bool: true or false */
	KIND_COUNT,     /* unsigned: a bare number */
	KIND_PORT,      /* uint16_t: a bare number */
	KIND_WORD,      /* an enum: a string out of a few */
	KIND_DURATION,  /* int64_t, milliseconds: "10ms" "4s" "1h" */
	KIND_SIZE,      /* uint64_t, bytes: "16MiB" */
	KIND_STRING,    /* char * */
	KIND_STRINGS,   /* struct strings */
	KIND_ADDRESSES, /* struct addrs */
};

struct option_row {
	enum option_id id;
	enum section section;
	const char *name;
	enum option_kind kind;
	size_t offset; /* in the struct of its section */
	const char *fallback;
	int64_t least, most;
	enum option_form form;
};

extern const struct option_row option_table[OPTION_COUNT];
extern const char *const section_names[SECTION_COUNT]; /* "" for SECTION_TOP */

const struct option_row *option_find(enum section, const char *name); /* NULL: there is none */
bool section_has_title(enum section);

/* Stores a value from this file (NULL: compiled in); base is the struct of the option's section. A list is replaced,
 * or extended with `add`. RES_MALFORMED: errors say what is wrong with the value, or with each item of the list, and
 * what was expected; the field is unchanged. */
enum res option_store(void *base, const struct option_row *, bool add, const struct value *, const char *file,
		      struct config_errors *errors);
/* Appends the field as a file would have it: `"info"`, `{"127.0.0.1:53"}`. port: the default, which addresses leave
 * out. */
void option_print(struct buf *out, const struct option_row *, const void *base, uint16_t port);
/* The items of a list option; field: the list itself. */
size_t option_items(const struct option_row *, const void *field);
/* Appends one of them: `"127.0.0.1:53"`. */
void option_item_print(struct buf *out, const struct option_row *, const void *field, size_t i,
		       uint16_t port);
/* Frees what the field owns. */
void option_free(void *base, const struct option_row *);

void string_print(struct buf *out, const char *s); /* in quotes, escaped */

#endif
