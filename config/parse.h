/*
 * parse.h - the grammar of the configuration file, not its meaning.
 *
 *   option = value    option += {value, value,}    section { ... }    section "title" { ... }    # comment
 *
 * A value is a string in quotes (\" and \\ are its only escapes), a bare word (a number, true, false), or a list of them in
 * braces. Each statement is passed on as soon as it is read, with the line of each word. Any syntax error ends the reading.
 * The size and depth of a file are bounded: see CONFIG_*_MAX in settings.h.
 */
#ifndef CONFIG_PARSE_H
#define CONFIG_PARSE_H

#include "base/bytes.h"
#include "base/res.h"

#include <stddef.h>

/* Sections inside sections. None is allowed; they are only read to report the error. */
#define CONFIG_NESTING_MAX 8

struct token {
	char *text; /* NUL-terminated, without quotes and escapes */
	unsigned line;
	bool quoted;
};

struct value {
	bool is_list;
	struct token *v; /* owned, as are their texts */
	size_t n;        /* 1 unless it is a list */
	unsigned line;
};

/* All pointers are lent for the time of the call. */
struct parse_handler {
	void (*on_open)(void *ctx, const struct token *section,
			const struct token *title); /* title may be NULL */
	void (*on_close)(void *ctx);
	void (*on_option)(void *ctx, const struct token *name, bool add, const struct value *value);
	void (*on_error)(void *ctx, unsigned line, const char *text);
};

/* RES_MALFORMED: on_error was called once. RES_NOMEM. Statements that were passed on before the error stay in
 * effect. */
enum res parse_text(struct span text, const struct parse_handler *, void *ctx);

/* Between the lexer and the grammar. */
struct parse {
	const struct parse_handler *handler;
	void *ctx;
	unsigned line;       /* where the lexer is */
	unsigned token_line; /* of the last token */
	unsigned nesting;
	char last[80];                              /* the text of the last token, cut */
	unsigned open_line[CONFIG_NESTING_MAX + 2]; /* of each "{" that waits for its "}" */
	unsigned n_open;
	bool failed; /* on_error was called */
	bool nomem;
	_Alignas(max_align_t) uint8_t room[1024]; /* all that flex ever wants */
	size_t room_used;
};
void parse_fail(struct parse *, unsigned line, const char *format, ...) __attribute__((format(printf, 3, 4)));
bool parse_token(struct parse *, struct token *out, const char *text, size_t n, bool quoted);
bool parse_append(struct parse *, struct value *list, struct token *taken);
void value_free(struct value *);
/* Reports a character that begins no token. */
void parse_fail_character(struct parse *, struct span utf8);
/* The symbols that are allowed where the grammar stopped, and the symbol that was there. */
enum parse_symbol {
	PARSE_END = 1 << 0,
	PARSE_WORD = 1 << 1,
	PARSE_STRING = 1 << 2,
	PARSE_EQUALS = 1 << 3,
	PARSE_OPEN = 1 << 4,
	PARSE_CLOSE = 1 << 5,
	PARSE_COMMA = 1 << 6,
};
/* Reports a token at which the grammar stopped. expected: symbols, or-ed. */
void parse_fail_token(struct parse *, enum parse_symbol got, unsigned expected);

/* The generated parser. */
int config_yyparse(struct parse *, void *scanner);
/* The generated lexer over these bytes. */
enum res lexer_run(struct parse *, struct span text);

#endif
