#include "config.h"

#include "about/about.h"

#include "about/holes.h"

#include <string.h>

static void
library_print(const struct library *l)
{
	const char *version = l->version[0] != '\0' ? l->version : "unknown";

	printf("  %-11s %s", l->name, version);
	if (l->package[0] != '\0')
		printf(" (package %s)", l->package);
	if (l->built_with != NULL && strcmp(l->built_with, version) != 0)
		printf(", built with %s", l->built_with);
	printf("\n");
}

static void
hole_print(const struct hole *h, const struct library *l)
{
	char patched[DPKG_VERSION_MAX];

	switch (hole_state(h, l)) {
	case HOLE_CLOSED:
		break;
	case HOLE_OPEN:
		printf("warning: %s %s has %s: %s; upgrade its package to %s\n", l->name, l->package, h->id,
		       h->why, hole_patched_in(h, l, patched));
		break;
	case HOLE_UNSURE:
		printf("warning: %s %s may have %s: %s; fixed in %s, unless whoever built this library fixed "
		       "it before\n",
		       l->name, l->version, h->id, h->why, h->fixed);
		break;
	}
}

void
about_print(const char *program)
{
	struct library library[LIBRARIES_MAX];
	size_t n = libraries_loaded(library);

	printf("%s %s\n", program, PACKAGE_VERSION);
	for (size_t i = 0; i < n; i++)
		library_print(&library[i]);
	for (size_t i = 0; i < n; i++)
		for (size_t h = 0; h < n_holes; h++)
			hole_print(&holes[h], &library[i]);
}
