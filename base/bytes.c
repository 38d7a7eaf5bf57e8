#include "base/bytes.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct span
span_str(const char *s)
{
	return s == NULL ? (struct span){NULL, 0} : span_of(s, strlen(s));
}

bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int
span_compare(struct span a, struct span b)
{
	size_t n = a.n < b.n ? a.n : b.n;
	int c = n == 0 ? 0 : memcmp(a.p, b.p, n);

	return c != 0 ? c : (a.n > b.n) - (a.n < b.n);
}

struct span
span_slice(struct span s, size_t from, size_t n)
{
	if (s.p == NULL || from > s.n) /* not even 0 may be added to NULL */
		return (struct span){NULL, 0};
	if (n > s.n - from)
		n = s.n - from;
	return span_of(s.p + from, n);
}

struct cursor
cursor_over(struct span s)
{
	static const uint8_t none;

	if (s.n == 0)
		return (struct cursor){&none, &none, false};
	return (struct cursor){s.p, s.p + s.n, false};
}

struct span
cursor_take(struct cursor *in, size_t n)
{
	struct span s;

	if (in->bad || n > (size_t)(in->end - in->p)) {
		in->bad = true;
		return (struct span){NULL, 0};
	}
	s = span_of(in->p, n);
	in->p += n;
	return s;
}

static uint64_t
cursor_uint(struct cursor *in, size_t n)
{
	struct span s = cursor_take(in, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

uint8_t
cursor_u8(struct cursor *in)
{
	return (uint8_t)cursor_uint(in, 1);
}

uint16_t
cursor_u16(struct cursor *in)
{
	return (uint16_t)cursor_uint(in, 2);
}

uint32_t
cursor_u24(struct cursor *in)
{
	return (uint32_t)cursor_uint(in, 3);
}

uint32_t
cursor_u32(struct cursor *in)
{
	return (uint32_t)cursor_uint(in, 4);
}

uint64_t
cursor_u64(struct cursor *in)
{
	return cursor_uint(in, 8);
}

struct span
cursor_vec8(struct cursor *in)
{
	return cursor_take(in, cursor_u8(in));
}

struct span
cursor_vec16(struct cursor *in)
{
	return cursor_take(in, cursor_u16(in));
}

struct span
cursor_vec24(struct cursor *in)
{
	return cursor_take(in, cursor_u24(in));
}

size_t
cursor_left(const struct cursor *in)
{
	return in->bad ? 0 : (size_t)(in->end - in->p);
}

bool
cursor_ok(const struct cursor *in)
{
	return !in->bad;
}

bool
cursor_done(const struct cursor *in)
{
	return !in->bad && in->p == in->end;
}

struct buf
buf_max(size_t max)
{
	return (struct buf){.max = max};
}

void
buf_free(struct buf *b)
{
	size_t max = b->max;

	free(b->p);
	*b = buf_max(max);
}

void
buf_clear(struct buf *b)
{
	b->n = 0;
	b->bad = b->nomem = false;
}

struct span
buf_span(const struct buf *b)
{
	return span_of(b->p, b->n);
}

bool
buf_ok(const struct buf *b)
{
	return !b->bad;
}

enum res
buf_res(const struct buf *b)
{
	if (!b->bad)
		return RES_OK;
	return b->nomem ? RES_NOMEM : RES_LIMIT;
}

uint8_t *
buf_room(struct buf *b, size_t n)
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
buf_added(struct buf *b, size_t n)
{
	b->n += n;
}

void
buf_put(struct buf *b, struct span s)
{
	uint8_t *p;

	if (s.n == 0)
		return;
	p = buf_room(b, s.n);
	if (p == NULL)
		return;
	memcpy(p, s.p, s.n);
	b->n += s.n;
}

static void
buf_uint(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_room(b, n);

	if (p == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	b->n += n;
}

void
buf_u8(struct buf *b, uint8_t v)
{
	buf_uint(b, v, 1);
}

void
buf_u16(struct buf *b, uint16_t v)
{
	buf_uint(b, v, 2);
}

void
buf_u24(struct buf *b, uint32_t v)
{
	buf_uint(b, v, 3);
}

void
buf_u32(struct buf *b, uint32_t v)
{
	buf_uint(b, v, 4);
}

void
buf_u64(struct buf *b, uint64_t v)
{
	buf_uint(b, v, 8);
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
