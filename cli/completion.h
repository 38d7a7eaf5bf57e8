/*
 * completion.h - completions for shells, made from the tables of verbs and options, so that they offer what exists.
 */
#ifndef CLI_COMPLETION_H
#define CLI_COMPLETION_H

#include "cli/cli.h"

/* Prints the script for "bash", "zsh" or "fish" on standard output. False: the shell is not known. */
bool completion_print(const char *shell);

#endif
