#include "transport/environment.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

extern char **environ;

static bool
variable_is_hostile(const char *entry)
{
	static const char *const prefixes[] = {"SSLKEYLOGFILE=", "GNUTLS_", "EVENT_"};

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++)
		if (strncmp(entry, prefixes[i], strlen(prefixes[i])) == 0)
			return true;
	return false;
}

enum res
environment_scrub(void (*on_scrubbed)(const char *variable))
{
	char **e = environ;

	while (e != NULL && *e != NULL) {
		char name[64];
		size_t n = strcspn(*e, "=");

		if (!variable_is_hostile(*e)) {
			e++;
			continue;
		}
		if (n >= sizeof name) /* for the log; no variable of theirs has so long a name */
			n = sizeof name - 1;
		memcpy(name, *e, n);
		name[n] = '\0';
		/* In place: unsetenv would miss a second entry of the name, and one without "=". */
		for (char **f = e; *f != NULL; f++)
			f[0] = f[1];
		if (on_scrubbed != NULL)
			on_scrubbed(name);
	}
	return RES_OK;
}
