#include "tests/unit/verify/starve.h"

#include <stdbool.h>

void *__real_malloc(size_t);
void *__real_calloc(size_t, size_t);
void *__real_realloc(void *, size_t);
char *__real_strdup(const char *);
void *__wrap_malloc(size_t);
void *__wrap_calloc(size_t, size_t);
void *__wrap_realloc(void *, size_t);
char *__wrap_strdup(const char *);

static size_t allocations;
static size_t fail; /* 0: never */

void
starve_begin(size_t fail_at)
{
	allocations = 0;
	fail = fail_at;
}

size_t
starve_end(void)
{
	fail = 0;
	return allocations;
}

static bool
starved(void)
{
	return ++allocations == fail;
}

void *
__wrap_malloc(size_t n)
{
	return starved() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return starved() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return starved() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return starved() ? NULL : __real_strdup(s);
}
