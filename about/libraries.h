/*
 * libraries.h - the libraries that this process has loaded, and their versions.
 */
#ifndef ABOUT_LIBRARIES_H
#define ABOUT_LIBRARIES_H

#include "about/dpkg.h"

#include <stdbool.h>

#define LIBRARY_VERSION_MAX 32 /* bytes with the NUL; what is longer is cut */
#define LIBRARIES_MAX       32 /* entries of libraries.def */

struct library {
	const char *name;
	const char *built_with;            /* the version of its headers; NULL: not included by us */
	char version[LIBRARY_VERSION_MAX]; /* what runs; empty: it does not say */
	char package[DPKG_VERSION_MAX];    /* of the Debian package that it came from; empty: not known */
};

/* The libraries of libraries.def that are loaded, with their packages; how many. */
size_t libraries_loaded(struct library out[LIBRARIES_MAX]);

#endif
