/*
 * bytes.h - bytes that belong to another owner, a reader over them, and a
 * growing buffer with a maximum.
 *
 * A span never owns. A cursor reads big-endian fields and remembers the first
 * overrun: after it every read gives zero or an empty span, so the caller asks
 * once, at the end. A buf owns its bytes and refuses to grow beyond its
 * maximum; its error sticks in the same way.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include "base/res.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct span {
	const uint8_t *p; /* may be NULL when n is 0 */
	size_t n;
};

static inline struct span
span_of(const void *p, size_t n)
{
	return (struct span){p, n};
}
struct span span_str(const char *s); /* without the terminating NUL; NULL gives the empty span */
bool span_equal(struct span, struct span);
int span_compare(struct span, struct span); /* bytes first, then length; <0, 0, >0 */
/* The part from `from`, at most `n` bytes; empty when it lies outside. */
struct span span_slice(struct span, size_t from, size_t n);

/* Reader with a sticky error. */
struct cursor {
	const uint8_t *p;
	const uint8_t *end;
	bool bad;
};

struct cursor cursor_over(struct span);
uint8_t cursor_u8(struct cursor *);
uint16_t cursor_u16(struct cursor *);
uint32_t cursor_u24(struct cursor *);
uint32_t cursor_u32(struct cursor *);
uint64_t cursor_u64(struct cursor *);
struct span cursor_take(struct cursor *, size_t n);
struct span cursor_vec8(struct cursor *);  /* u8 length, then that many bytes */
struct span cursor_vec16(struct cursor *); /* u16 length, then that many bytes */
struct span cursor_vec24(struct cursor *);
size_t cursor_left(const struct cursor *); /* 0 once bad */
bool cursor_ok(const struct cursor *);     /* nothing was overrun so far */
bool cursor_done(const struct cursor *);   /* ok, and every byte was read */

/* Growing buffer. Zero-initialised with a max it is ready: struct buf b = buf_max(65535). */
struct buf {
	uint8_t *p; /* owned */
	size_t n;   /* bytes in use */
	size_t cap;
	size_t max; /* never grows beyond */
	bool bad;   /* an append failed (limit or memory); the content stops before it */
	bool nomem; /* and it was memory */
};

struct buf buf_max(size_t max);
void buf_free(struct buf *);              /* empties; keeps max; usable again */
void buf_clear(struct buf *);             /* n = 0, bad = false; keeps the memory */
struct span buf_span(const struct buf *); /* lent, until the next change */
bool buf_ok(const struct buf *);
/* RES_OK, RES_LIMIT or RES_NOMEM. The last is nobody's fault: what leaves out the malformed must not leave out for it. */
enum res buf_res(const struct buf *);
/* Makes room for n more bytes and returns where they go (NULL: bad). n is not added until buf_added. */
uint8_t *buf_room(struct buf *, size_t n);
void buf_added(struct buf *, size_t n);
void buf_put(struct buf *, struct span);
void buf_u8(struct buf *, uint8_t);
void buf_u16(struct buf *, uint16_t);
void buf_u24(struct buf *, uint32_t);
void buf_u32(struct buf *, uint32_t);
void buf_u64(struct buf *, uint64_t);
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
