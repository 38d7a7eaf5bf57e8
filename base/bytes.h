/*
 * bytes.h - borrowed bytes, a reader over them, and a growing buffer with a
 * maximum size.
 *
 * A span never owns. A cursor reads big-endian fields and remembers the first
 * overrun: after it every read gives zero or an empty span, so the caller checks
 * once, at the end. A buf owns its bytes and refuses to grow beyond its
 * maximum; its error sticks in the same way.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/res.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct span {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;
};

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){p, n};
}

/* Without the terminating NUL; NULL gives the empty span. */
static inline struct span
span_str(const char *s)
{
	return s == NULL ? (struct span){NULL, 0} : span_of(s, strlen(s));
}

static inline bool
span_equal(struct span a, struct span b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

int span_compare(struct span, struct span); /* bytes first, then length; <0, 0, >0 */
/* The part from `from`, at most `n` bytes; empty when it lies outside, and still not NULL unless s is. */
static inline struct span
span_slice(struct span s, size_t from, size_t n)
{
	if (s.n == 0) /* not even 0 may be added to NULL */
		return s;
	if (from > s.n)
		from = s.n;
	if (n > s.n - from)
		n = s.n - from;
	return span_of(s.p + from, n);
}

/* Reader with a sticky error. */
struct cursor {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

/* Inline, because every message is read with these. */
static inline struct cursor
cursor_over(struct span s)
{
	static const uint8_t none;

	if (s.n == 0)
		return (struct cursor){&none, &none, false};
	return (struct cursor){s.p, s.p + s.n, false};
}

static inline struct span
cursor_take(struct cursor *in, size_t n)
{
	struct span s;

	if (in->bad || n > (size_t)(in->end - in->p)) {
		in->bad = true;
		return span_of(in->p, 0); /* not NULL, which memcpy must not get even for 0 bytes */
	}
	s = span_of(in->p, n);
	in->p += n;
	return s;
}

/* n big-endian bytes, at most 8. */
static inline uint64_t
cursor_uint(struct cursor *in, size_t n)
{
	struct span s = cursor_take(in, n);
	uint64_t v = 0;

	for (size_t i = 0; i < s.n; i++)
		v = v << 8 | s.p[i];
	return v;
}

static inline uint8_t
cursor_u8(struct cursor *in)
{
	return (uint8_t)cursor_uint(in, 1);
}

static inline uint16_t
cursor_u16(struct cursor *in)
{
	return (uint16_t)cursor_uint(in, 2);
}

static inline uint32_t
cursor_u24(struct cursor *in)
{
	return (uint32_t)cursor_uint(in, 3);
}

static inline uint32_t
cursor_u32(struct cursor *in)
{
	return (uint32_t)cursor_uint(in, 4);
}

static inline uint64_t
cursor_u64(struct cursor *in)
{
	return cursor_uint(in, 8);
}

/* A u8, u16 or u24 length, then that many bytes. */
static inline struct span
cursor_vec8(struct cursor *in)
{
	return cursor_take(in, cursor_u8(in));
}

static inline struct span
cursor_vec16(struct cursor *in)
{
	return cursor_take(in, cursor_u16(in));
}

static inline struct span
cursor_vec24(struct cursor *in)
{
	return cursor_take(in, cursor_u24(in));
}

static inline size_t
cursor_left(const struct cursor *in) /* 0 once bad */
{
	return in->bad ? 0 : (size_t)(in->end - in->p);
}

static inline bool
cursor_ok(const struct cursor *in) /* nothing was overrun so far */
{
	return !in->bad;
}

static inline bool
cursor_done(const struct cursor *in) /* ok, and every byte was read */
{
	return !in->bad && in->p == in->end;
}

/* Growing buffer. Zero-initialised with a max it is ready: struct buf b = buf_max(65535). */
struct buf {
	uint8_t *p; /* owned */
	size_t n;   /* bytes in use */
	size_t cap;
	size_t max; /* never grows beyond */
	bool bad;   /* an append failed (limit or memory); the content stops before it */
	bool nomem; /* and it was memory */
};

static inline struct buf
buf_max(size_t max)
{
	return (struct buf){.max = max};
}

void buf_free(struct buf *); /* empties; keeps max; usable again */

static inline void
buf_clear(struct buf *b) /* n = 0, bad = false; keeps the memory */
{
	b->n = 0;
	b->bad = b->nomem = false;
}

static inline struct span
buf_span(const struct buf *b) /* lent, until the next change */
{
	return span_of(b->p, b->n);
}

static inline bool
buf_ok(const struct buf *b)
{
	return !b->bad;
}

/* RES_OK, RES_LIMIT or RES_NOMEM. Out of memory is not the input's fault: a reader that skips malformed items must
 * not skip an item because of it. */
enum res buf_res(const struct buf *);

uint8_t *buf_grow(struct buf *, size_t n); /* buf_room, when there is no room yet */

/* Makes room for n more bytes and returns where they go (NULL: bad). n is not added until buf_added. The capacity is never
 * above the maximum. */
static inline uint8_t *
buf_room(struct buf *b, size_t n)
{
	if (b->bad || b->p == NULL || n > b->cap - b->n)
		return buf_grow(b, n);
	return b->p + b->n;
}

static inline void
buf_added(struct buf *b, size_t n)
{
	b->n += n;
}

static inline void
buf_put(struct buf *b, struct span s)
{
	uint8_t *p = s.n == 0 ? NULL : buf_room(b, s.n);

	if (p == NULL)
		return;
	memcpy(p, s.p, s.n);
	b->n += s.n;
}

/* The n lower bytes of v, big-endian, at most 8. */
static inline void
buf_uint(struct buf *b, uint64_t v, size_t n)
{
	uint8_t *p = buf_room(b, n);

	if (p == NULL)
		return;
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> 8 * (n - 1 - i));
	b->n += n;
}

static inline void
buf_u8(struct buf *b, uint8_t v)
{
	buf_uint(b, v, 1);
}

static inline void
buf_u16(struct buf *b, uint16_t v)
{
	buf_uint(b, v, 2);
}

static inline void
buf_u24(struct buf *b, uint32_t v)
{
	buf_uint(b, v, 3);
}

static inline void
buf_u32(struct buf *b, uint32_t v)
{
	buf_uint(b, v, 4);
}

static inline void
buf_u64(struct buf *b, uint64_t v)
{
	buf_uint(b, v, 8);
}

void buf_text(struct buf *, const char *s);
void buf_format(struct buf *, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Drops n bytes from the front. */
void buf_drop(struct buf *, size_t n);
/* The content as a C string, NUL appended after n (not counted). NULL when bad. Lent. */
const char *buf_cstr(struct buf *);
/* As buf_cstr, but the memory is yours (free) and the buf is empty. */
char *buf_take_cstr(struct buf *);

/* Big-endian in place. */
static inline uint16_t
be16_read(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t
be32_read(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static inline void
be16_write(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static inline void
be32_write(uint8_t *p, uint32_t v)
{
	be16_write(p, (uint16_t)(v >> 16));
	be16_write(p + 2, (uint16_t)v);
}

#endif
