/*
 * about.h - what a program is made of: the libraries that it runs with, and the known holes of them that reach us.
 *
 * A library is asked for its version by the name of a function, so nothing here needs a header of it, and one that this
 * program does not load is left out. Debian closes holes without a new version of the library: holes are judged by the
 * version of the package too. libraries.def and holes.def are the tables.
 */
#ifndef ABOUT_ABOUT_H
#define ABOUT_ABOUT_H

/* Prints "PROGRAM VERSION" and, after it, a line for each library and each hole, on stdout. */
void about_print(const char *program);

#endif
