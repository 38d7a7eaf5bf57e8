#include "tests/unit/failing_alloc.h"

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
static size_t fail; /* 0: none */
static bool fail_all;

void
failing_alloc_begin(size_t fail_at)
{
	allocations = 0;
	fail = fail_at;
}

void
failing_alloc_begin_all(void)
{
	allocations = 0;
	fail_all = true;
}

size_t
failing_alloc_end(void)
{
	fail = 0;
	fail_all = false;
	return allocations;
}

static bool
fails_now(void)
{
	return ++allocations == fail || fail_all;
}

void *
__wrap_malloc(size_t n)
{
	return fails_now() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails_now() ? NULL : __real_calloc(n, size);
}

void *
__wrap_realloc(void *p, size_t n)
{
	return fails_now() ? NULL : __real_realloc(p, n);
}

char *
__wrap_strdup(const char *s)
{
	return fails_now() ? NULL : __real_strdup(s);
}
