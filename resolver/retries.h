/*
 * retries.h - may a question that failed be repeated to the same server? As far as repeats have helped there.
 *
 * A server that fails some questions at random answers a repeated one. One that fails all of them does not, nor does one that
 * tells of a broken name. So each repeat is paid for by earlier ones that brought an answer: where none does, none is
 * made.
 */
#ifndef RESOLVER_RETRIES_H
#define RESOLVER_RETRIES_H

#include <stdbool.h>

#define RETRIES_EARNED 3  /* repeats that one with an answer pays for: they go on while one in three helps */
#define RETRIES_MAX    16 /* bounds what a server that begins to fail every question still gets */

/* Of one server. Zeroed before its first use. */
struct retries {
	unsigned left;
};

/* One more repeat is paid for; counts it. */
bool retries_take(struct retries *);
/* A repeated question was answered. */
void retries_helped(struct retries *);

#endif
