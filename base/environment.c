#include "base/environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

/* From the first run to the second: the names of what was removed, with a space after each. */
#define REMOVED      "CTSTUB_ENVIRONMENT_REMOVED"
#define REMOVED_MAX  512 /* of text; longer lists are cut */
#define PROGRAM_PATH 4096

extern char **environ;

static bool
variable_is_hostile(const char *entry)
{
	static const char *const prefixes[] = {"SSLKEYLOGFILE=", "GNUTLS_",  "EVENT_",
					       "NETTLE_",        "P11_KIT_", "OPENSSL_"};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

/* In place: unsetenv would miss a second entry of the name, and one without "=". */
static void
variable_remove(char **entry)
{
	for (char **e = entry; *e != NULL; e++)
		e[0] = e[1];
}

/* The names that were removed; empty: there was none. */
static void
variables_remove(char names[REMOVED_MAX])
{
	char **e = environ;
	size_t used = 0;

	names[0] = '\0';
	while (e != NULL && *e != NULL) {
		size_t n = strcspn(*e, "=");

		if (!variable_is_hostile(*e)) {
			e++;
			continue;
		}
		if (used + n + 2 <= REMOVED_MAX) {
			memcpy(names + used, *e, n);
			memcpy(names + used + n, " ", 2);
			used += n + 1;
		}
		variable_remove(e);
	}
}

/* The second run. Only our own names are passed on: others may have set the variable. */
static void
removed_report(void (*on_scrubbed)(const char *variable))
{
	const char *removed = getenv(REMOVED);
	char names[REMOVED_MAX], *rest, *name;

	if (removed == NULL)
		return;
	(void)snprintf(names, sizeof names, "%s", removed);
	(void)unsetenv(REMOVED);
	for (name = strtok_r(names, " ", &rest); name != NULL; name = strtok_r(NULL, " ", &rest))
		if (on_scrubbed != NULL &&
		    strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(name))
			on_scrubbed(name);
}

enum res
environment_clean(char **argv, void (*on_scrubbed)(const char *variable))
{
	char names[REMOVED_MAX], program[PROGRAM_PATH];
	ssize_t n;

	variables_remove(names);
	if (names[0] == '\0') {
		removed_report(on_scrubbed);
		return RES_OK;
	}
	if (setenv(REMOVED, names, 1) != 0)
		return RES_IO;
	/* By its path, so that the process keeps its name; by the link when the file was replaced meanwhile; without
	 * /proc by the path that the kernel was given. */
	n = readlink("/proc/self/exe", program, sizeof program - 1);
	if (n > 0) {
		program[n] = '\0';
		(void)execv(program, argv);
	}
	(void)execv("/proc/self/exe", argv);
	if (getauxval(AT_EXECFN) != 0)
		(void)execv((const char *)getauxval(AT_EXECFN), argv);
	return RES_IO;
}
