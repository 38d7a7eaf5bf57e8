/*
 * jumping.h - clocks that jump, as in a sleep or when they are set: part of shim.c and of jumps.c.
 *
 * jumping.c has the program's clocks and timers; the library that it is linked with provides how far they jumped.
 */
#ifndef TESTS_FAULT_JUMPING_H
#define TESTS_FAULT_JUMPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

enum jumping_call { JUMPING_CLOCK, JUMPING_TIMERFD };

/* ---- provided by the library */

extern const char jumping_variable[]; /* the environment variable that names its file */
int64_t jumping_wall_s(void);         /* the wall clock is wrong by so much */
int64_t jumping_boot_s(void);         /* the boot clock has run on for so long; the kernel's has not */
bool jumping_fails(enum jumping_call); /* this call fails now, and errno says why */

/* ---- provided by jumping.c */

/* For read(): true when fd is what the program uses as a timer of the wall clock; then *got and errno are the result of read(). */
bool jumping_read(ssize_t *got, ssize_t (*real)(int, void *, size_t), int fd, void *p);

/* For epoll_wait(): waits in portions, so that a timer that a sleep made due wakes the program. */
typedef int jumping_waits(int fd, struct epoll_event *events, int max, int timeout);
int jumping_wait(jumping_waits *real, int fd, struct epoll_event *events, int max, int timeout);

#endif
