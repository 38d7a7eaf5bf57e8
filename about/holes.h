/*
 * holes.h - known vulnerabilities ("holes") of libraries, and whether a library has them.
 */
#ifndef ABOUT_HOLES_H
#define ABOUT_HOLES_H

#include "about/libraries.h"

struct hole {
	const char *library;
	const char *since,
	    *fixed; /* versions of the library: from since (NULL: the first) up to before fixed */
	const char *id;
	const char *patched; /* Debian packages that fixed it under an old version; NULL: none */
	const char *why;
};

enum hole_state {
	HOLE_CLOSED, /* another library, a version without it, or a package that fixed it */
	HOLE_OPEN,   /* Debian fixed it in a later package of the same version */
	HOLE_UNSURE, /* an old version, of which nothing tells whether somebody fixed it */
};

extern const struct hole holes[];
extern const size_t n_holes;

enum hole_state hole_state(const struct hole *, const struct library *);

/* The package that fixed it under the version of the library that is installed, or "" when there is none. Static. */
const char *hole_patched_in(const struct hole *, const struct library *, char out[DPKG_VERSION_MAX]);

#endif
