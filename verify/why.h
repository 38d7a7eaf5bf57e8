/*
 * why.h - the sentence for people that explains a failure, and how functions pass such sentences on.
 *
 * A function that fails for a reason that a person should know has a parameter `char **why`. On failure it sets *why to one
 * sentence: owned by the caller, without file, line and full stop, and NULL when there was no memory for it. On success it
 * leaves *why or sets it to NULL, so the caller begins with NULL. A caller that knows the place puts it in front
 * (why_prefix). A why of NULL is allowed: the caller does not want the sentence.
 *
 * A check of one thing, with few possible results, returns a constant sentence, or NULL when nothing is wrong; its name ends
 * in _fault (strength_key_fault). Functions that such checks call own no text.
 *
 * A reader that goes on after a bad item collects the sentences with their lines in a struct faults (base/faults.h).
 */
#ifndef VERIFY_WHY_H
#define VERIFY_WHY_H

#include "base/bytes.h"
#include "base/res.h"

/* Puts the sentence into *why (yours to free; NULL without memory) and returns res, so that a reader can
 * `return why_say(why, RES_MALFORMED, ...)`. */
enum res why_say(char **why, enum res res, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Puts the sentence in front of the one that *why already holds: "sentence: *why". */
enum res why_prefix(char **why, enum res res, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define WHY_QUOTE_MAX 80
/* A piece of a file, for use in such a sentence: shortened, and escaped so that it is safe on a terminal. Returns
 * out. */
const char *why_quote(char out[WHY_QUOTE_MAX], struct span text);

#endif
