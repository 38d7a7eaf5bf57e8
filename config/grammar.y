/* grammar.y - the sentences of the configuration file. See parse.h. */
%code top {
/* What bison writes is not ours to mend. */
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wsign-conversion"
#pragma GCC diagnostic ignored "-Wunused-but-set-variable"
}
%code requires {
#include "config/parse.h"
}
%define api.pure full
%define api.prefix {config_yy}
%define parse.error custom
%parse-param { struct parse *parse } { void *scanner }
%lex-param { void *scanner }

%code {
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int config_yylex(CONFIG_YYSTYPE *, void *scanner);
static void yyerror(struct parse *, void *scanner, const char *);

static bool section_open(struct parse *, struct token *name, struct token *title);
static void section_close(struct parse *);
static void option_read(struct parse *, struct token *name, bool add, struct value *);
static void stray_equals(struct parse *, struct token *name, struct token *word, struct token *equals);
}

%union {
	struct token token;
	struct value value;
}

%token <token> WORD "a name or a bare word"
%token <token> STRING "a string in quotes"
%token <token> ADD "+="
%token <token> '=' '{' '}' ','
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
	  WORD '=' value                { option_read(parse, &$1, false, &$3); }
	| WORD ADD value                { option_read(parse, &$1, true, &$3); }
	| WORD '=' WORD '='             { stray_equals(parse, &$1, &$3, &$4); YYABORT; }
	| WORD ADD WORD '='             { stray_equals(parse, &$1, &$3, &$4); YYABORT; }
	| open statements '}'           { section_close(parse); }
	;

open:
	  WORD '{'                      { if (!section_open(parse, &$1, NULL)) YYABORT; }
	| WORD STRING '{'               { if (!section_open(parse, &$1, &$2)) YYABORT; }
	;

value:
	  scalar                        { $$ = (struct value){.line = $1.line}; if (!parse_append(parse, &$$, &$1)) YYABORT; }
	| '{' list '}'                  { $$ = $2; $$.is_list = true; $$.line = $1.line; }
	;

list:
	  %empty                        { $$ = (struct value){0}; }
	| items
	| items ','
	;

items:
	  scalar                        { $$ = (struct value){0}; if (!parse_append(parse, &$$, &$1)) YYABORT; }
	| items ',' scalar              { $$ = $1; if (!parse_append(parse, &$$, &$3)) YYABORT; }
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

static const char *
symbol_text(yysymbol_kind_t symbol, char quoted[16])
{
	switch (symbol) {
	case YYSYMBOL_YYEOF:
		return "the end of the file";
	case YYSYMBOL_WORD:
		return "a name or a bare word";
	case YYSYMBOL_STRING:
		return "a string in quotes";
	case YYSYMBOL_ADD:
		return "\"+=\"";
	default: /* bison's own kinds, and the single characters */
		(void)snprintf(quoted, 16, "\"%.1s\"", yysymbol_name(symbol) + 1);
		return quoted;
	}
}

static int
yyreport_syntax_error(const yypcontext_t *at, struct parse *p, void *scanner)
{
	enum { EXPECTED_MAX = 5 };
	yysymbol_kind_t expected[EXPECTED_MAX], got = yypcontext_token(at);
	struct buf b = buf_max(512);
	int n = yypcontext_expected_tokens(at, expected, EXPECTED_MAX);
	char quoted[16];

	(void)scanner;
	for (int i = 0; i < n; i++)
		buf_format(&b, "%s%s", i == 0 ? "" : i + 1 < n ? ", " : " or ", symbol_text(expected[i], quoted));
	if (n <= 0)
		buf_text(&b, "something else");
	parse_fail(p, p->token_line, "unexpected %s, %s was expected",
	    got == YYSYMBOL_YYEMPTY ? "text" : symbol_text(got, quoted), buf_cstr(&b));
	buf_free(&b);
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
