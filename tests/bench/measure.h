/*
 * measure.h - for the programs of the bench: processor time, a median, reading a file, and ending with a message.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include "base/bytes.h"

#include <stdbool.h>
#include <stddef.h>

/* Ends the program with the message unless the condition holds. */
void bench_need(bool holds, const char *message);
/* Processor time of this process, in microseconds. */
double bench_cpu_us(void);
/* Sorts the values. */
double bench_median(double *values, size_t n);

#define BENCH_FILE_MAX (64 << 20)
/* The whole file; the caller frees it. Ends the program when the file cannot be read or is too large. */
struct buf bench_file(const char *path);

#endif
