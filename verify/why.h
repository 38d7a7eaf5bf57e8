/*
 * why.h - a sentence for people that goes with a refusal of a file or an entry.
 */
#ifndef VERIFY_WHY_H
#define VERIFY_WHY_H

#include "base/bytes.h"
#include "base/res.h"

/* Puts the sentence into *why (yours to free; NULL without memory) and gives res back, so that a reader can
 * `return why_say(why, RES_MALFORMED, ...)`. A why of NULL is passed over. */
enum res why_say(char **why, enum res res, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* The same with the sentence behind what *why says already: "prefix: *why". */
enum res why_prefix(char **why, enum res res, const char *format, ...) __attribute__((format(printf, 3, 4)));

#define WHY_QUOTE_MAX 80
/* A piece of a file for such a sentence: shortened, and escaped so that a terminal is safe. Returns out. */
const char *why_quote(char out[WHY_QUOTE_MAX], struct span text);

#endif
