/*
 * version.h - versions of libraries and of Debian packages, and their order.
 */
#ifndef ABOUT_VERSION_H
#define ABOUT_VERSION_H

#include <stdbool.h>

/* Debian policy, 5.6.12: [epoch:]upstream[-revision]; "~" is before the end, digits compare as numbers. A version of a
 * library is an upstream part alone. Negative, zero or positive, as strcmp. */
int version_compare(const char *a, const char *b);

/* Does the package hold this version of the library? "2:1.2.13.dfsg-1" holds "1.2.13". */
bool version_holds(const char *package, const char *library);

/* Do both packages hold the same upstream version, whatever their revisions? */
bool version_same_upstream(const char *a, const char *b);

#endif
