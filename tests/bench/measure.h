/*
 * measure.h - for the programs of the bench: processor time, a median, and an end with a message.
 */
#ifndef TESTS_BENCH_MEASURE_H
#define TESTS_BENCH_MEASURE_H

#include <stdbool.h>
#include <stddef.h>

/* Ends the program with the message unless the condition holds. */
void bench_need(bool holds, const char *message);
/* Processor time of this process, in microseconds. */
double bench_cpu_us(void);
/* Sorts the values. */
double bench_median(double *values, size_t n);

#endif
