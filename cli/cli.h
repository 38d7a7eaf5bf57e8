/*
 * cli.h - what the verbs of ctstub share.
 *
 * One file a verb (cmd_X.c), one row a verb in verbs.c. A verb gets its own argument vector (its name first) and gives
 * an exit code. Results go to standard output, complaints to standard error.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include "base/journal.h"
#include "cli/options.h"
#include "cli/rules.h"
#include "config/snapshot.h"

#include <jansson.h>

enum exit_code {
	EXIT_GOOD = 0,    /* accepted, done */
	EXIT_REFUSED = 1, /* a verdict */
	EXIT_USAGE = 2,   /* the command line or the configuration */
	EXIT_TROUBLE = 3, /* I/O, memory, the daemon does not answer */
};

struct verb {
	const char *name;
	const char *usage;                     /* what follows the name; lines of at most 100 characters */
	const char *summary;                   /* one line */
	const struct cli_option *own, *shared; /* its options, every one explained; NULL: none */
	enum exit_code (*run)(int argc, char **argv);
};

extern const struct verb verb_table[];
const struct verb *verb_find(const char *name); /* NULL: there is none */

enum exit_code cmd_audit(int, char **);
enum exit_code cmd_captive(int, char **);
enum exit_code cmd_ct_logs(int, char **);
enum exit_code cmd_disallow(int, char **);
enum exit_code cmd_egress(int, char **);
enum exit_code cmd_flush(int, char **);
enum exit_code cmd_help(int, char **);
enum exit_code cmd_history(int, char **);
enum exit_code cmd_log_level(int, char **);
enum exit_code cmd_metrics(int, char **);
enum exit_code cmd_probe(int, char **);
enum exit_code cmd_reload(int, char **);
enum exit_code cmd_setup(int, char **);
enum exit_code cmd_stats(int, char **);
enum exit_code cmd_status(int, char **);
enum exit_code cmd_upstreams(int, char **);
enum exit_code cmd_verify(int, char **);

/* The options of the verbs; a row of the table in verbs.c names those of each. */
extern const struct cli_option audit_options[];
extern const struct cli_option control_options[]; /* of the verbs that talk to the daemon */
extern const struct cli_option ct_logs_options[];
extern const struct cli_option disallow_options[];
extern const struct cli_option egress_options[];
extern const struct cli_option help_options[];
extern const struct cli_option history_options[];
extern const struct cli_option metrics_options[];
extern const struct cli_option probe_options[];
extern const struct cli_option setup_options[];
extern const struct cli_option stats_options[];
extern const struct cli_option status_options[];
extern const struct cli_option verify_options[];

/*
 * With --json among the arguments, a verb that fails also prints JSON: complaints and configuration errors are kept
 * from now on, and cli_done prints them as {"error": "...", "errors": [...]} if nothing else was printed as JSON.
 */
void cli_failures_collect(int argc, char **argv);
/* The complaints since then: an array of sentences, yours; empty without --json. */
json_t *cli_complaints(void);
/* Prints a complaint on standard error, "ctstub VERB: ...". With EXIT_GOOD it is a warning, and is not in the JSON
 * of a failure. Returns the code, so that the caller can return it. */
enum exit_code cli_complain(enum exit_code, const char *verb, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Before any work: can a file be written where this option says? Complains. EXIT_USAGE: there is no such folder. */
enum exit_code cli_output_check(const char *verb, const char *option, const char *file);
enum exit_code cli_output_folder_check(const char *verb, const char *option, const char *folder);
/* A complaint on standard error about something that alone is not a failure, such as one source of several. The JSON
 * of the next failure lists it after that failure. */
void cli_complain_part(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* What `ctstub help VERB` prints. */
enum exit_code cli_help_print(const char *verb);
/* Are -h or --help the first argument? For verbs whose first argument is an action. */
bool cli_wants_help(int argc, char **argv);
/* Complains about the command line, and prints how the verb is used, on standard error. */
enum exit_code cli_misused(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The exit code for the result of reading a configuration; its errors are printed and freed. */
enum exit_code cli_config_result(const char *verb, enum res, struct config_errors *);

/* Takes an option of rules_options; complains. */
bool cli_rule_take(struct rules *, const char *verb, int id, const char *arg);

/* Prints warnings about items left out of lists, on standard error. */
void cli_warn_lists(const char *verb, const struct snapshot *);
void cli_warn_faults(const char *verb, const char *file, const struct faults *);
/* The settings of a file; NULL: of the daemon's own file, or those compiled in. Complains. */
enum exit_code cli_settings(struct settings **, const char *verb, const char *file);

/* The same for verbs that need little of the settings, and that a person may run because the file is broken: errors
 * become warnings, and options that could not be read have their defaults. A file that cannot be read at all is an
 * error only if it was named on the command line. */
enum exit_code cli_settings_as_read(struct settings **, const char *verb, const char *file);

/* Complains that the configuration has no upstream of that title; suggests the nearest one. */
enum exit_code cli_complain_upstream(const char *verb, const struct settings *, const char *title);

/* Prints a JSON text (taken; NULL: no memory) as a line. */
enum exit_code cli_print_json(const char *verb, char *json);
/* May text for people have colours? Standard output is a terminal, and NO_COLOR is not set. */
bool cli_in_colour(void);
/* Text for people: the words accepted and refused in colour when standard output is a terminal. */
void cli_print_verdict(const char *text);
/* Called after each round of a verb that reports repeatedly: prints its failure in JSON, which cli_done then does
 * not print again. */
void cli_round_done(enum exit_code);
/* Ends the program: standard output must have taken everything. For main. */
enum exit_code cli_done(const char *verb, enum exit_code);

/* Chains and staples from files. */
#define CHAIN_FILE_MAX  (4 * 1024 * 1024)
#define CHAIN_CERTS_MAX 64 /* read from a file; verification accepts fewer, and reports that */

struct chain {
	struct buf der;
	struct span cert[CHAIN_CERTS_MAX];
	size_t n;
};
/* Reads PEM certificates in order, or DER certificates one after the other. A malformed PEM block becomes an empty
 * certificate, which verification refuses. A file with neither gives an empty chain. Whatever it returns, call
 * chain_free. */
enum res chain_read(struct chain *, struct span text);
/* The certificates of a record. RES_MALFORMED: they are not base64. */
enum res chain_of_journal(struct chain *, const struct journal_record *);
void chain_free(struct chain *);

#endif
