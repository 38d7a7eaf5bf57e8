/*
 * near.h - "did you mean ...?": finds the known word that a misspelt word most likely stands for.
 *
 * Upper and lower case are the same, and so are "-" and "_". A word is near when it differs by few typing errors (a
 * missing, extra or wrong letter, or two neighbours swapped: one error for a word of up to three letters, one more for
 * every three letters, at most three), or when one word is the beginning of the other.
 */
#ifndef BASE_NEAR_H
#define BASE_NEAR_H

#include "base/bytes.h"

#include <stddef.h>

/* Longer words are near no other word: this bounds the work, and no name in ctstub is longer. */
#define NEAR_WORD_MAX 64

struct near {
	const char *text; /* lent; what was written */
	const char *word; /* lent; the nearest so far; NULL: none is near */
	size_t distance;  /* its keystrokes */
};

struct near near_to(const char *text);
/* Considers a word. On a tie the first one stays. */
void near_offer(struct near *, const char *word);
/* Of a list that ends in NULL. */
const char *near_of(const char *text, const char *const *words);
/* Appends `, did you mean "WORD"?`; nothing when word is NULL. */
void near_put(struct buf *, const char *word);

#endif
