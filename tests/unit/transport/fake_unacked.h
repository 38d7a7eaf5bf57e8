/*
 * fake_unacked.h - unacked.h with a scripted answer: link fake_unacked.c before the libraries.
 */
#ifndef TESTS_UNIT_FAKE_UNACKED_H
#define TESTS_UNIT_FAKE_UNACKED_H

#include <stdbool.h>

/* What unacked_bytes answers; false at the start. */
extern bool fake_unacked;

#endif
