#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int
span_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

void
buf_free(struct buf *b)
{
	size_t max = b->max;

	free(b->p);
	*b = buf_max(max);
}

enum res
buf_res(const struct buf *b)
{
	if (!b->bad)
		return RES_OK;
	return b->nomem ? RES_NOMEM : RES_LIMIT;
}

uint8_t *
buf_grow(struct buf *b, size_t n)
{
	size_t want, cap;
	uint8_t *p;

	if (b->bad || n > b->max || b->n > b->max - n) {
		b->bad = true;
		return NULL;
	}
	want = b->n + n;
	if (want > b->cap || b->p == NULL) {
		cap = b->cap < 32 ? 64 : b->cap * 2;
		if (cap < want)
			cap = want;
		if (cap > b->max)
			cap = b->max;
		/* One byte more than the capacity, so that a NUL always fits after it. */
		p = realloc(b->p, cap + 1);
		if (p == NULL) {
			b->bad = b->nomem = true;
			return NULL;
		}
		b->p = p;
		b->cap = cap;
	}
	return b->p + b->n;
}

void
buf_text(struct buf *b, const char *s)
{
	buf_put(b, span_str(s));
}

void
buf_format(struct buf *b, const char *format, ...)
{
	va_list ap;
	uint8_t *p;
	int n;

	va_start(ap, format);
	n = vsnprintf(NULL, 0, format, ap);
	va_end(ap);
	if (n < 0) {
		b->bad = true;
		return;
	}
	p = buf_room(b, (size_t)n);
	if (p == NULL)
		return;
	va_start(ap, format);
	(void)vsnprintf((char *)p, (size_t)n + 1, format, ap);
	va_end(ap);
	b->n += (size_t)n;
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->n) {
		b->n = 0;
		return;
	}
	memmove(b->p, b->p + n, b->n - n);
	b->n -= n;
}

const char *
buf_cstr(struct buf *b)
{
	if (b->bad || (b->p == NULL && buf_room(b, 0) == NULL))
		return NULL;
	b->p[b->n] = '\0';
	return (const char *)b->p;
}

char *
buf_take_cstr(struct buf *b)
{
	char *s = NULL;

	if (buf_cstr(b) != NULL) {
		s = (char *)b->p;
		b->p = NULL;
	}
	buf_free(b);
	return s;
}
