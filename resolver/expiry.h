/*
 * expiry.h - how soon a server's certificate expires, in steps that people act on.
 *
 * The marks are 14 and 3 days before its end: an operator has time at the first, and must act at the second. A
 * certificate for a week or less is renewed at half of its life, so its marks are a half and a quarter of its life.
 */
#ifndef RESOLVER_EXPIRY_H
#define RESOLVER_EXPIRY_H

#include <stdint.h>

enum expiry {
	EXPIRY_FAR,
	EXPIRY_NEAR,   /* 14 days or less */
	EXPIRY_URGENT, /* 3 days or less */
	EXPIRY_OVER,
};

enum expiry expiry_of(int64_t not_before_ms, int64_t not_after_ms, int64_t now_ms);
const char *expiry_text(enum expiry); /* "near" */

#endif
