#include "about/dpkg.h"

#include <stdbool.h>
#include <string.h>

#define LINE_MAX_READ 512 /* bytes; longer lines hold lists and texts, and none that is looked for */

/* A paragraph of the file, so far. */
struct paragraph {
	struct dpkg_wanted *package; /* whose it is; NULL: nobody asks */
	bool installed;
	char version[DPKG_VERSION_MAX];
};

static bool
is_among(const char *names, const char *name)
{
	size_t n = strlen(name);

	for (const char *p = strstr(names, name); n > 0 && p != NULL; p = strstr(p + n, name))
		if ((p == names || p[-1] == ' ') && (p[n] == ' ' || p[n] == '\0'))
			return true;
	return false;
}

static struct dpkg_wanted *
wanted_find(struct dpkg_wanted *wanted, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (is_among(wanted[i].packages, name))
			return &wanted[i];
	return NULL;
}

/* The value when the line is of that field, else NULL. */
static const char *
field_value(const char *line, const char *field)
{
	size_t n = strlen(field);

	return strncmp(line, field, n) == 0 ? line + n : NULL;
}

static void
paragraph_end(struct paragraph *p)
{
	if (p->package != NULL && p->installed && p->package->version[0] == '\0')
		memcpy(p->package->version, p->version, sizeof p->version);
	*p = (struct paragraph){.package = NULL};
}

static void
line_take(struct paragraph *p, const char *line, struct dpkg_wanted *wanted, size_t n)
{
	const char *value;

	if (line[0] == '\0')
		paragraph_end(p);
	else if ((value = field_value(line, "Package: ")) != NULL)
		p->package = wanted_find(wanted, n, value);
	else if ((value = field_value(line, "Status: ")) != NULL)
		p->installed =
		    strcmp(value, "install ok installed") == 0 || strcmp(value, "hold ok installed") == 0;
	else if ((value = field_value(line, "Version: ")) != NULL && strlen(value) < sizeof p->version)
		memcpy(p->version, value, strlen(value) + 1);
}

void
dpkg_read(FILE *status, struct dpkg_wanted *wanted, size_t n)
{
	struct paragraph p = {.package = NULL};
	char line[LINE_MAX_READ];
	bool whole = true; /* the line before ended */
	long read = 0;

	while (read < DPKG_FILE_MAX && fgets(line, sizeof line, status) != NULL) {
		size_t length = strlen(line);
		bool ends = length > 0 && line[length - 1] == '\n';

		read += (long)length;
		if (ends)
			line[length - 1] = '\0';
		if (whole && ends)
			line_take(&p, line, wanted, n);
		whole = ends;
	}
	paragraph_end(&p);
}

void
dpkg_find(struct dpkg_wanted *wanted, size_t n)
{
	FILE *status = fopen(DPKG_STATUS, "re");

	if (status == NULL)
		return;
	dpkg_read(status, wanted, n);
	(void)fclose(status);
}
