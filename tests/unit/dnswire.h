/*
 * dnswire.h - DNS messages for tests, spelled as short texts.
 *
 * hex: pairs of digits, spaces between them mean nothing, 'abc' stands for its bytes, (www.example) for a name in
 * wire form with its root: wire_make(&b, "1234 0100 0001 0000 0000 0000 (a.test) 0001 0001").
 */
#ifndef TESTS_DNSWIRE_H
#define TESTS_DNSWIRE_H

#include "resolver/message.h"

#include <assert.h>
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

static inline int
wire_digit(int c)
{
	return c <= '9' ? c - '0' : tolower(c) - 'a' + 10;
}

static inline const char *
wire_labels(struct buf *out, const char *s)
{
	while (*s != ')') {
		size_t n = strcspn(s, ".)");

		buf_u8(out, (uint8_t)n);
		buf_put(out, span_of(s, n));
		s += n + (s[n] == '.');
	}
	buf_u8(out, 0);
	return s + 1;
}

/* Appends; gives the whole, lent. */
static inline struct span
wire_make(struct buf *out, const char *s)
{
	while (*s != '\0') {
		if (*s == '(') {
			s = wire_labels(out, s + 1);
		} else if (*s == '\'') {
			const char *end = strchr(s + 1, '\'');

			buf_put(out, span_of(s + 1, (size_t)(end - s - 1)));
			s = end + 1;
		} else if (isxdigit((unsigned char)*s)) {
			assert(isxdigit((unsigned char)s[1]));
			buf_u8(out, (uint8_t)(wire_digit(s[0]) << 4 | wire_digit(s[1])));
			s += 2;
		} else {
			s++;
		}
	}
	return buf_span(out);
}

#define WIRE_OPT  " 00 0029 04d0 00000000 0000"
#define WIRE_OPT_DO " 00 0029 04d0 00008000 0000"

/* A copy of exactly the right size, so that a sanitizer sees a read beyond it. Yours to free. */
static inline struct span
wire_exact(struct span s)
{
	uint8_t *p = malloc(s.n == 0 ? 1 : s.n);

	assert(p != NULL);
	if (s.n > 0)
		memcpy(p, s.p, s.n);
	return span_of(p, s.n);
}

#endif
