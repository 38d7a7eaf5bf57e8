/*
 * tokens.h - the tokens of a C++ source header, as far as Mozilla's list of logs needs them.
 *
 * White space and comments are skipped. Adjacent string literals are one token. Code that only a DEBUG build sees is
 * left out; any other preprocessor condition is refused, because it would decide which logs there are.
 */
#ifndef VERIFY_CT_TOKENS_H
#define VERIFY_CT_TOKENS_H

#include "base/bytes.h"
#include "base/res.h"

enum token_kind { TOKEN_END, TOKEN_WORD, TOKEN_NUMBER, TOKEN_STRING, TOKEN_MARK };

struct tokens {
	struct span text; /* lent */
	size_t at;
	size_t line;
	enum token_kind kind; /* of the current token */
	/* A word, a number as written, a string's bytes (in `string`), or a mark of one character. */
	struct span token;
	struct buf string;
	char **why; /* for a sentence about what is wrong (why.h); lent */
};

/* Opens the text; the current token is before the first one. */
void tokens_open(struct tokens *, struct span text, char **why);
void tokens_close(struct tokens *);
/* Goes to the next token; TOKEN_END after the last one. */
enum res tokens_next(struct tokens *);
/* Is the current token this word or mark? */
bool tokens_is(const struct tokens *, const char *text);
/* Takes these words and marks, which `text` contains with one space between them. */
enum res tokens_expect(struct tokens *, const char *text);
/* Takes a decimal number of at most max. */
enum res tokens_number(struct tokens *, int64_t *out, int64_t max);
/* RES_MALFORMED, with a sentence: the line, what is wrong, and the current token. */
enum res tokens_refuse(struct tokens *, const char *what);

#endif
