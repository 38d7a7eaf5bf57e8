#include "tests/bench/measure.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void
bench_need(bool holds, const char *message)
{
	if (holds)
		return;
	fprintf(stderr, "bench: %s\n", message);
	exit(1);
}

double
bench_cpu_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int
double_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
bench_median(double *values, size_t n)
{
	qsort(values, n, sizeof *values, double_order);
	return values[n / 2];
}

struct buf
bench_file(const char *path)
{
	struct buf text = buf_max(BENCH_FILE_MAX);
	FILE *f = fopen(path, "rb");
	uint8_t part[65536];
	size_t n;

	bench_need(f != NULL, path);
	while ((n = fread(part, 1, sizeof part, f)) > 0)
		buf_put(&text, span_of(part, n));
	fclose(f);
	bench_need(buf_ok(&text), path);
	return text;
}
