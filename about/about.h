/*
 * about.h - the libraries that a program runs with, and their known vulnerabilities that can be reached here.
 *
 * A library is asked for its version by the name of a function, so nothing here needs a header of it, and one that this
 * program does not load is left out. Debian fixes vulnerabilities without a new version of the library, so the version of
 * the package is compared as well. libraries.def and holes.def are the tables.
 */
#ifndef ABOUT_ABOUT_H
#define ABOUT_ABOUT_H

/* Prints "PROGRAM VERSION" and, after it, a line for each library and each hole, on stdout. */
void about_print(const char *program);

#endif
