/*
 * rules.h - the options of verify and probe that change the rules of a judgement.
 */
#ifndef CLI_RULES_H
#define CLI_RULES_H

#include "cli/options.h"
#include "config/settings.h"

/* Strings are the command line's. */
struct rules {
	const char *ca, *ct, *ct_policy, *ct_logs;
	struct strings disallow, crl, constraints; /* files, added to those of the configuration */
	struct strings pin, allow_issuer;          /* entries, in place of those of the upstream */
};

/* Ids of its rows are RULES_OPTION_FIRST and up; those of the verbs stay below. */
#define RULES_OPTION_FIRST 512
extern const struct cli_option rules_options[];

/* Takes an option of the table. False: the value is invalid, and *complaint (yours; NULL: no memory) tells why. */
bool rules_take(struct rules *, int id, const char *arg, char **complaint);
/* Overrides the settings, which have one upstream, with the rules. False: no memory. */
bool rules_apply(const struct rules *, struct settings *);
/* Sets the anchors for everything that has no anchors of its own. NULL changes nothing. False: no memory. */
bool rules_anchors_set(struct settings *, const char *ca);
void rules_clear(struct rules *);

/* Puts a copy of value into a field of the settings. False: no memory. */
bool rules_text_set(char **field, const char *value);

#endif
