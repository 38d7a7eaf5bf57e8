#include "base/near.h"

#include "base/text.h"

#include <string.h>

static uint8_t
fold(char c)
{
	return c == '_' ? (uint8_t)'-' : ascii_lower((uint8_t)c);
}

static size_t
least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* The optimal string alignment distance, by rows: row[0] is the current one, row[1] and row[2] those before it. */
static size_t
distance(const char *a, size_t a_n, const char *b, size_t b_n)
{
	size_t row[3][NEAR_WORD_MAX + 1] = {{0}};

	for (size_t k = 0; k <= b_n; k++)
		row[0][k] = k;
	for (size_t i = 1; i <= a_n; i++) {
		memcpy(row[2], row[1], sizeof row[2]);
		memcpy(row[1], row[0], sizeof row[1]);
		row[0][0] = i;
		for (size_t k = 1; k <= b_n; k++) {
			uint8_t x = fold(a[i - 1]), y = fold(b[k - 1]);
			size_t best = least(row[1][k], row[0][k - 1]) + 1;

			best = least(best, row[1][k - 1] + (x != y));
			if (i > 1 && k > 1 && x == fold(b[k - 2]) && fold(a[i - 2]) == y)
				best = least(best, row[2][k - 2] + 1);
			row[0][k] = best;
		}
	}
	return row[0][b_n];
}

struct near
near_to(const char *text)
{
	return (struct near){.text = text};
}

void
near_offer(struct near *near, const char *word)
{
	size_t n = strlen(near->text), word_n = strlen(word), shared = least(n, word_n), d;
	size_t most = least(3, n <= 3 ? 1 : n / 3);

	if (n == 0 || n > NEAR_WORD_MAX || word_n > NEAR_WORD_MAX)
		return;
	d = distance(near->text, n, word, word_n);
	if (d > most && shared >= 3 && distance(near->text, shared, word, shared) == 0)
		d = most; /* one begins with the other: "addr", "log" */
	if (d > most || d >= shared || (near->word != NULL && d >= near->distance))
		return;
	near->word = word;
	near->distance = d;
}

const char *
near_of(const char *text, const char *const *words)
{
	struct near near = near_to(text);

	for (; *words != NULL; words++)
		near_offer(&near, *words);
	return near.word;
}

void
near_put(struct buf *out, const char *word)
{
	if (word != NULL)
		buf_format(out, ", did you mean \"%s\"?", word);
}
