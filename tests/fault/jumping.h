/*
 * jumping.h - clocks that jump as in a sleep or when somebody sets them: part of shim.c and of jumps.c.
 *
 * jumping.c has the program's clocks and timers; the library that it is linked with says how far they jumped.
 */
#ifndef TESTS_FAULT_JUMPING_H
#define TESTS_FAULT_JUMPING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>

enum jumping_call { JUMPING_CLOCK, JUMPING_TIMERFD };

/* ---- of the library */

extern const char jumping_variable[]; /* the environment variable that names its file */
int64_t jumping_wall_s(void);         /* the wall clock is wrong by so much */
int64_t jumping_boot_s(void);         /* the boot clock has run on for so long; the kernel's has not */
bool jumping_fails(enum jumping_call); /* this call fails now, and errno says why */

/* ---- of jumping.c */

/* For read(): is it what the program takes for a timer of the wall clock? Then *got and errno are what read() gives. */
bool jumping_read(ssize_t *got, ssize_t (*real)(int, void *, size_t), int fd, void *p);

/* For epoll_wait(): waits in pieces, so that a timer that a sleep made due wakes a program that waits. */
typedef int jumping_waits(int fd, struct epoll_event *events, int max, int timeout);
int jumping_wait(jumping_waits *real, int fd, struct epoll_event *events, int max, int timeout);

#endif
