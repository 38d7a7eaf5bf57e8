#include "cli/completion.h"

#include <stdio.h>
#include <string.h>

#define NOTE "# completions for ctstub; made by: ctstub help --completion "

/* What may follow the options of a verb, separated by spaces. FILE: a file; VERB: any verb. */
static const struct operands {
	const char *verb, *words;
} operands[] = {
    {"verify", "FILE"},
    {"ct-logs", "show check update import FILE"},
    {"disallow", "check import FILE"},
    {"log-level", "error warn notice info debug"},
    {"captive", "off"},
    {"help", "VERB"},
};

/* What the value of an option may be, by its name in the tables; a name without a row takes free text. */
static const struct values {
	const char *arg;
	enum { VALUE_FILE, VALUE_FOLDER, VALUE_WORDS } kind;
	const char *words;
} values[] = {
    {"FILE", VALUE_FILE, ""},
    {"PATH", VALUE_FILE, ""},
    {"DIR", VALUE_FOLDER, ""},
    {"MODE", VALUE_WORDS, "require report off"},
    {"POLICY", VALUE_WORDS, "strict chrome mozilla apple"},
};

static const char *
operands_of(const char *verb)
{
	for (size_t i = 0; i < sizeof operands / sizeof *operands; i++)
		if (strcmp(operands[i].verb, verb) == 0)
			return operands[i].words;
	return "";
}

/* NULL: free text. */
static const struct values *
values_of(const char *arg)
{
	for (size_t i = 0; i < sizeof values / sizeof *values; i++)
		if (strcmp(values[i].arg, arg) == 0)
			return &values[i];
	return NULL;
}

/* The words of a list, one call a word: begin with NULL. The end: NULL. */
static const char *
word_next(const char *list, const char *word, int *n)
{
	word = word == NULL ? list : word + *n;
	word += strspn(word, " ");
	*n = (int)strcspn(word, " ");
	return *n > 0 ? word : NULL;
}

static bool
word_is(const char *word, int n, const char *what)
{
	return strlen(what) == (size_t)n && strncmp(word, what, (size_t)n) == 0;
}

/* A row of the verb's options; NULL: no more. Begin with 0. */
static const struct cli_option *
option_next(const struct verb *v, size_t *at)
{
	size_t i = (*at)++;

	for (const struct cli_option *o = v->own; o != NULL && o->name != NULL; o++)
		if (i-- == 0)
			return o;
	for (const struct cli_option *o = v->shared; o != NULL && o->name != NULL; o++)
		if (i-- == 0)
			return o;
	return NULL;
}

/* Within single quotes: a line, with a backslash before each of `special`. */
static void
quoted(const char *text, const char *special)
{
	for (; *text != '\0'; text++) {
		if (*text == '\'') {
			(void)fputs("'\\''", stdout);
			continue;
		}
		if (strchr(special, *text) != NULL)
			(void)putchar('\\');
		(void)putchar(*text == '\n' ? ' ' : *text);
	}
}

static void
verbs_print(void)
{
	for (const struct verb *v = verb_table; v->name != NULL; v++)
		(void)printf("%s%s", v == verb_table ? "" : " ", v->name);
}

/* The words that an operand may be. True: it may also be a file. */
static bool
operands_print(const char *words)
{
	const char *word = NULL;
	bool file = false;
	int n = 0;

	while ((word = word_next(words, word, &n)) != NULL)
		if (word_is(word, n, "FILE"))
			file = true;
		else if (word_is(word, n, "VERB"))
			verbs_print();
		else
			(void)printf("%.*s ", n, word);
	return file;
}

/* ---- bash */

static void
bash_option(const struct verb *v, const struct cli_option *o)
{
	const struct values *known = o->arg != NULL ? values_of(o->arg) : NULL;

	if (o->arg == NULL)
		return;
	(void)printf("\t\t%s:--%s", v->name, o->name);
	if (o->id < 256)
		(void)printf("|%s:-%c", v->name, o->id);
	if (known == NULL)
		(void)puts(") return ;;");
	else if (known->kind == VALUE_WORDS)
		(void)printf(") words='%s' ;;\n", known->words);
	else
		(void)printf(") how=%s ;;\n", known->kind == VALUE_FILE ? "-f" : "-d");
}

/* The options of a verb, and what may follow them. */
static void
bash_verb(const struct verb *v)
{
	const struct cli_option *o;

	(void)printf("\t\t%s) words='", v->name);
	for (size_t i = 0; (o = option_next(v, &i)) != NULL;) {
		(void)printf("--%s ", o->name);
		if (o->id < 256)
			(void)printf("-%c ", o->id);
	}
	(void)printf("'%s ;;\n", operands_print(operands_of(v->name)) ? " how=-f" : "");
}

static void
bash_print(void)
{
	const struct cli_option *o;

	(void)puts(NOTE "bash\n_ctstub()\n{\n"
			"\tlocal cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} "
			"verb=${COMP_WORDS[1]} words='' how=''\n"
			"\tCOMPREPLY=()\n"
			"\tif [ \"$COMP_CWORD\" -eq 1 ]; then\n\t\tverb='' prev=''");
	(void)fputs("\t\twords='--help --version ", stdout);
	verbs_print();
	(void)puts("'\n\tfi\n\tcase $verb:$prev in");
	for (const struct verb *v = verb_table; v->name != NULL; v++)
		for (size_t i = 0; (o = option_next(v, &i)) != NULL;)
			bash_option(v, o);
	(void)puts("\t\t*) case $verb in");
	for (const struct verb *v = verb_table; v->name != NULL; v++)
		bash_verb(v);
	(void)puts("\t\tesac ;;\n\tesac\n"
		   "\t[ -z \"$how\" ] || compopt -o filenames 2>/dev/null\n"
		   "\tmapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\"; [ -z \"$how\" ] || compgen "
		   "\"$how\" -- \"$cur\")\n"
		   "}\ncomplete -F _ctstub ctstub");
}

/* ---- zsh */

static void
zsh_option(const struct cli_option *o)
{
	const struct values *known = o->arg != NULL ? values_of(o->arg) : NULL;

	if (o->id < 256)
		(void)printf(" \\\n\t\t\t'*'{-%c,--%s}'[", o->id, o->name);
	else
		(void)printf(" \\\n\t\t\t'*--%s[", o->name);
	quoted(o->help, "[]:\\");
	(void)putchar(']');
	if (o->arg != NULL) {
		(void)putchar(':');
		quoted(o->arg, ":\\");
		(void)putchar(':');
	}
	if (known != NULL && known->kind == VALUE_WORDS)
		(void)printf("(%s)", known->words);
	else if (known != NULL)
		(void)fputs(known->kind == VALUE_FILE ? "_files" : "_files -/", stdout);
	(void)putchar('\'');
}

/* Words and files are offered wherever an operand may stand. */
static void
zsh_operands(const char *words)
{
	if (*words == '\0')
		return;
	(void)fputs(" \\\n\t\t\t'*:argument:{ compadd -- ", stdout);
	(void)printf("%s}'", operands_print(words) ? "; _files " : " ");
}

static void
zsh_print(void)
{
	const struct cli_option *o;

	(void)puts("#compdef ctstub\n" NOTE
		   "zsh\n_ctstub()\n{\n\tlocal -a verbs\n\tlocal context state state_descr line\n"
		   "\ttypeset -A opt_args\n\tverbs=(");
	for (const struct verb *v = verb_table; v->name != NULL; v++) {
		(void)printf("\t\t'%s:", v->name);
		quoted(v->summary, ":\\");
		(void)puts("'");
	}
	(void)puts("\t)\n\tif (( CURRENT == 2 )); then\n\t\t_describe -t verbs verb verbs\n"
		   "\t\tcompadd -- --help --version\n\t\treturn\n\tfi\n"
		   "\tlocal verb=$words[2]\n\tshift words\n\t(( CURRENT-- ))\n\tcase $verb in");
	for (const struct verb *v = verb_table; v->name != NULL; v++) {
		(void)printf("\t%s)\n\t\t_arguments -s", v->name);
		for (size_t i = 0; (o = option_next(v, &i)) != NULL;)
			zsh_option(o);
		zsh_operands(operands_of(v->name));
		(void)puts("\n\t\t;;");
	}
	(void)puts("\tesac\n}\nif [[ $funcstack[1] == _ctstub ]]; then\n\t_ctstub \"$@\"\nelse\n\tcompdef "
		   "_ctstub ctstub\nfi");
}

/* ---- fish */

static void
fish_option(const struct verb *v, const struct cli_option *o)
{
	const struct values *known = o->arg != NULL ? values_of(o->arg) : NULL;

	(void)printf("complete -c ctstub -n '__fish_seen_subcommand_from %s' -l %s", v->name, o->name);
	if (o->id < 256)
		(void)printf(" -s %c", o->id);
	if (o->arg != NULL && (known == NULL || known->kind == VALUE_WORDS))
		(void)printf(" -x -a '%s'", known != NULL ? known->words : "");
	else if (known != NULL && known->kind == VALUE_FOLDER)
		(void)fputs(" -x -a '(__fish_complete_directories)'", stdout);
	else if (known != NULL)
		(void)fputs(" -r -F", stdout);
	(void)fputs(" -d '", stdout);
	quoted(o->help, "\\");
	(void)puts("'");
}

static void
fish_operands(const char *verb, const char *words)
{
	const char *word = NULL;
	int n = 0;

	while ((word = word_next(words, word, &n)) != NULL) {
		(void)printf("complete -c ctstub -n '__fish_seen_subcommand_from %s'", verb);
		if (word_is(word, n, "FILE")) {
			(void)puts(" -F");
			continue;
		}
		(void)fputs(" -a '", stdout);
		if (word_is(word, n, "VERB"))
			verbs_print();
		else
			(void)printf("%.*s", n, word);
		(void)puts("'");
	}
}

static void
fish_print(void)
{
	const struct cli_option *o;

	(void)puts(NOTE "fish\ncomplete -c ctstub -f");
	for (const struct verb *v = verb_table; v->name != NULL; v++) {
		(void)printf("complete -c ctstub -n __fish_use_subcommand -a %s -d '", v->name);
		quoted(v->summary, "\\");
		(void)puts("'");
	}
	(void)puts("complete -c ctstub -n __fish_use_subcommand -l help -d 'print the list of verbs'\n"
		   "complete -c ctstub -n __fish_use_subcommand -l version -d 'print the version'");
	for (const struct verb *v = verb_table; v->name != NULL; v++) {
		for (size_t i = 0; (o = option_next(v, &i)) != NULL;)
			fish_option(v, o);
		fish_operands(v->name, operands_of(v->name));
	}
}

bool
completion_print(const char *shell)
{
	static const struct {
		const char *shell;
		void (*print)(void);
	} shells[] = {{"bash", bash_print}, {"zsh", zsh_print}, {"fish", fish_print}};

	for (size_t i = 0; i < sizeof shells / sizeof *shells; i++)
		if (strcmp(shells[i].shell, shell) == 0) {
			shells[i].print();
			return true;
		}
	return false;
}
