/*
 * descriptors.h - may this process still open files?
 *
 * For libraries that end the program when they get no descriptor.
 */
#ifndef BASE_DESCRIPTORS_H
#define BASE_DESCRIPTORS_H

#include <stdbool.h>

#define DESCRIPTORS_ASKED_MAX 16
#define DESCRIPTORS_LIBEVENT  3 /* epoll, and the two ends of what its signals come through */

/* Can this process open n more descriptors (at most DESCRIPTORS_ASKED_MAX)? False: errno says why not. */
bool descriptors_are_left(unsigned n);

#endif
