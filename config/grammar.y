/* grammar.y - the sentences of the configuration file. See parse.h. */
%code top {
/* What bison writes is not ours to mend. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
}
%code requires {
#include "config/options.h"
#include "config/parse.h"
}
%define api.pure full
%define api.prefix {config_yy}
%define parse.error custom
%parse-param { struct parse *parse } { void *scanner }
%lex-param { void *scanner }

%code {
#include "base/text.h"
#include "config/hints.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int config_yylex(CONFIG_YYSTYPE *, void *scanner);
static void yyerror(struct parse *, void *scanner, const char *);

static bool section_open(struct parse *, struct token *name, struct token *title);
static void section_close(struct parse *);
static void option_read(struct parse *, struct token *name, bool add, struct value *);
static void stray_equals(struct parse *, struct token *name, struct token *word, struct token *equals);
static void equals_missing(struct parse *, struct token *name, struct token *next);
static void comma_missing(struct parse *, struct value *list, struct token *next);
static void brace_missing(struct parse *, struct value *list, struct token *next);
static void section_with_equals(struct parse *, struct token *option, struct token *brace);
}

%union {
	struct token token;
	struct value value;
}

%token <token> WORD
%token <token> STRING
%token <token> ADD "+="
%token <token> EQUALS "="
%token <token> OPEN "{"
%token <token> CLOSE "}"
%token <token> COMMA ","
%type <value> value list items
%type <token> scalar

%destructor { free($$.text); } WORD STRING scalar
%destructor { value_free(&$$); } value list items

%%

file:
	  statements
	;

statements:
	  %empty
	| statements statement
	;

statement:
	  WORD "=" value                { option_read(parse, &$1, false, &$3); }
	| WORD ADD value                { option_read(parse, &$1, true, &$3); }
	| WORD "=" WORD "="             { stray_equals(parse, &$1, &$3, &$4); YYABORT; }
	| WORD ADD WORD "="             { stray_equals(parse, &$1, &$3, &$4); YYABORT; }
	| WORD WORD                     { equals_missing(parse, &$1, &$2); YYABORT; }
	| WORD STRING                   { equals_missing(parse, &$1, &$2); YYABORT; }
	| open statements "}"           { section_close(parse); }
	;

open:
	  WORD "{"                      { if (!section_open(parse, &$1, NULL)) YYABORT; }
	| WORD STRING "{"               { if (!section_open(parse, &$1, &$2)) YYABORT; }
	;

value:
	  scalar                        { $$ = (struct value){.line = $1.line}; if (!parse_append(parse, &$$, &$1)) YYABORT; }
	| "{" list "}"                  { $$ = $2; $$.is_list = true; $$.line = $1.line; }
	| "{" WORD "="                  { $$ = (struct value){0}; section_with_equals(parse, &$2, &$1); YYABORT; }
	;

list:
	  %empty                        { $$ = (struct value){0}; }
	| items
	| items ","
	;

items:
	  scalar                        { $$ = (struct value){0}; if (!parse_append(parse, &$$, &$1)) YYABORT; }
	| items "," scalar              { $$ = $1; if (!parse_append(parse, &$$, &$3)) YYABORT; }
	| items scalar                  { $$ = (struct value){0}; comma_missing(parse, &$1, &$2); YYABORT; }
	| items WORD "="                { $$ = (struct value){0}; brace_missing(parse, &$1, &$2); YYABORT; }
	| items "," WORD "="            { $$ = (struct value){0}; brace_missing(parse, &$1, &$3); YYABORT; }
	;

scalar:
	  STRING
	| WORD
	;

%%

static bool
section_open(struct parse *p, struct token *name, struct token *title)
{
	bool ok = p->nesting < CONFIG_NESTING_MAX;

	if (ok) {
		p->nesting++;
		p->handler->on_open(p->ctx, name, title);
	} else {
		parse_fail(p, name->line, "sections nested too deeply, none inside another was expected");
	}
	free(name->text);
	if (title != NULL)
		free(title->text);
	return ok;
}

static void
section_close(struct parse *p)
{
	p->nesting--;
	p->handler->on_close(p->ctx);
}

static void
option_read(struct parse *p, struct token *name, bool add, struct value *v)
{
	p->handler->on_option(p->ctx, name, add, v);
	free(name->text);
	value_free(v);
}

/* Most often "a =" without a value and then the next option: the line of the first is what helps. */
static void
stray_equals(struct parse *p, struct token *name, struct token *word, struct token *equals)
{
	if (word->line > name->line)
		parse_fail(p, name->line, "option \"%.80s\" has no value, a value was expected after its \"=\"", name->text);
	else
		parse_fail(p, equals->line, "unexpected \"=\", the name of an option was expected before it");
	free(name->text);
	free(word->text);
}

static bool
names_section(const char *name, bool titled)
{
	for (unsigned i = SECTION_TOP + 1; i < SECTION_COUNT; i++)
		if (section_has_title((enum section)i) == titled && strcmp(section_names[i], name) == 0)
			return true;
	return false;
}

/* An option and its value with nothing between, or a section without its "{". */
static void
equals_missing(struct parse *p, struct token *name, struct token *next)
{
	if (hint_is_include(name->text))
		parse_fail(p, name->line, HINT_INCLUDE, name->text);
	else if (names_section(name->text, false))
		parse_fail(p, name->line, "no \"{\" after the section \"%.80s\", %.80s { option = value } was expected", name->text, name->text);
	else if (next->quoted)
		parse_fail(p, name->line,
		    "neither \"=\" nor \"{\" with \"%.80s\", option = value or section \"title\" { ... } was expected", name->text);
	else if (names_section(name->text, true))
		parse_fail(p, name->line, "no quotes around the title of a section, %.80s \"%.80s\" { ... } was expected", name->text,
		    next->text);
	else
		parse_fail(p, name->line, "no \"=\" after \"%.80s\", option = value was expected", name->text);
	free(name->text);
	free(next->text);
}

static void
comma_missing(struct parse *p, struct value *list, struct token *next)
{
	parse_fail(p, next->line, "a comma is missing before \"%.80s\", \",\" was expected between the values of a list", next->text);
	free(next->text);
	value_free(list);
}

/* A list, and then the next option: "a = {1, 2  b = 3". */
static void
brace_missing(struct parse *p, struct value *list, struct token *next)
{
	parse_fail(p, next->line, "option \"%.80s\" inside a list, \"}\" was expected before it for the \"{\" of line %u", next->text,
	    p->open_line[p->n_open > 0 ? p->n_open - 1 : 0]);
	free(next->text);
	value_free(list);
}

static void
section_with_equals(struct parse *p, struct token *option, struct token *brace)
{
	parse_fail(p, brace->line, "option \"%.80s\" inside a value, no \"=\" was expected between the name of a section and its \"{\"",
	    option->text);
	free(option->text);
}

static enum parse_symbol
symbol_read(yysymbol_kind_t symbol)
{
	switch (symbol) {
	case YYSYMBOL_WORD:
		return PARSE_WORD;
	case YYSYMBOL_STRING:
		return PARSE_STRING;
	case YYSYMBOL_ADD:
	case YYSYMBOL_EQUALS:
		return PARSE_EQUALS;
	case YYSYMBOL_OPEN:
		return PARSE_OPEN;
	case YYSYMBOL_CLOSE:
		return PARSE_CLOSE;
	case YYSYMBOL_COMMA:
		return PARSE_COMMA;
	default: /* the end of the file, and kinds of bison's own that never get here */
		return PARSE_END;
	}
}

static int
yyreport_syntax_error(const yypcontext_t *at, struct parse *p, void *scanner)
{
	yysymbol_kind_t expected[YYNTOKENS];
	int n = yypcontext_expected_tokens(at, expected, YYNTOKENS);
	unsigned symbols = 0;

	(void)scanner;
	for (int i = 0; i < n; i++)
		symbols |= symbol_read(expected[i]);
	parse_fail_token(p, symbol_read(yypcontext_token(at)), symbols);
	return 0;
}

static void
yyerror(struct parse *p, void *scanner, const char *text)
{
	(void)scanner;
	if (strcmp(text, "memory exhausted") == 0)
		p->nomem = true;
	parse_fail(p, p->token_line, "%s", text);
}
