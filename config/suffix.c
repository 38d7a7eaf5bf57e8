#include "config/suffix.h"

#include <libpsl.h>
#include <string.h>

/* The longest public suffixes have five labels; a longer tail cannot be one. */
#define SUFFIX_LABELS_MAX 6
#define LABELS_MAX        128 /* RFC 1035, 2.3.4: 255 bytes hold no more */

bool
suffix_is_top_level(const char *label)
{
	return psl_is_public_suffix2(psl_builtin(), label, PSL_TYPE_ICANN | PSL_TYPE_NO_STAR_RULE) != 0;
}

bool
suffix_is_public(const char *domain)
{
	return psl_is_public_suffix2(psl_builtin(), domain, PSL_TYPE_ANY) != 0;
}

/* A tail of a name as text. Bytes that no registry admits become one that no suffix holds. */
static void
tail_text(char *out, struct span tail)
{
	size_t n = 0;

	for (size_t at = 0; at < tail.n && tail.p[at] != 0; at += 1U + tail.p[at]) {
		if (n > 0)
			out[n++] = '.';
		for (size_t i = 1; i <= tail.p[at]; i++) {
			uint8_t c = tail.p[at + i];

			out[n++] = c <= ' ' || c == '.' || c >= 0x7f ? '_' : (char)c;
		}
	}
	out[n] = '\0';
}

static bool
tail_is_public(struct span tail)
{
	char text[256];

	tail_text(text, tail);
	return suffix_is_public(text);
}

void
suffix_memo_init(struct suffix_memo *memo)
{
	*memo = (struct suffix_memo){.key = hash_key_random()};
}

static bool
memo_is_public(struct suffix_memo *memo, struct span tail)
{
	uint64_t hash = hash_keyed(&memo->key, tail), *slot = &memo->slot[hash / 2 % SUFFIX_MEMO_SLOTS];

	if (*slot == 0 || *slot >> 1 != hash >> 1)
		*slot = (hash & ~UINT64_C(1)) | tail_is_public(tail);
	return (*slot & 1) != 0;
}

struct span
suffix_zone(struct suffix_memo *memo, struct span name)
{
	uint8_t at[LABELS_MAX];
	size_t labels = 0, known = 1;

	for (size_t i = 0; i < name.n && name.p[i] != 0 && labels < LABELS_MAX; i += 1U + name.p[i])
		at[labels++] = (uint8_t)i;
	/* When the rest is a suffix the whole name is the answer, whether it is one as well or not. */
	for (size_t n = 2; known + 1 < labels && n <= labels && n <= SUFFIX_LABELS_MAX; n++) {
		struct span tail = span_slice(name, at[labels - n], name.n);

		if (memo != NULL ? memo_is_public(memo, tail) : tail_is_public(tail))
			known = n;
	}
	return known + 1 < labels ? span_slice(name, at[labels - known - 1], name.n) : name;
}
