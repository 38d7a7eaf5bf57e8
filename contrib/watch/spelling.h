/*
 * spelling.h - the many ways to write one host: every reading of a text that some client may have.
 *
 * A name comes out in lower case, ASCII, without dots at its ends; an address as bytes and a mask (a wildcard or a mask
 * in the certificate leaves bits open). One text can give several of both: "cloudflare-dns.com\0.example.net" is read up
 * to the NUL, after it, and without it. Nothing is matched here: see watch_list.h.
 */
#ifndef CONTRIB_WATCH_SPELLING_H
#define CONTRIB_WATCH_SPELLING_H

#include "base/bytes.h"

#define SPELLING_NAME_MAX     1024 /* bytes of one name; RFC 1035 allows 253, and no client takes a longer one */
#define SPELLING_TEXT_MAX     8192 /* bytes of a text that is read in every way; public names stay below 256 */
#define SPELLING_READINGS_MAX 256  /* of one text; beyond them the text is unreadable */

/* An address of which the bits of the mask are known. */
struct spelled_address {
	uint8_t ip[16];
	uint8_t mask[16];
	uint8_t n;  /* 4 or 16 */
	bool exact; /* written in full, not as a short form that can be some other number */
};

struct spelling {
	void (*on_name)(void *ctx, struct span name);
	void (*on_address)(void *ctx, const struct spelled_address *);
	void *ctx;
	unsigned readings; /* reported so far for this text */
	bool in_words;     /* reading a word of a text: no short forms of addresses, "TLS 1.1" has none */
	bool limit;        /* there were more than SPELLING_READINGS_MAX, or the text is too long; sticks */
};

/* Every reading of a text. whole: only the text as one host counts, no word in it. */
void spelling_read(struct spelling *, struct span text, bool whole);
/* Every reading of the bytes of an iPAddress. False: they are not an address in any reading. */
bool spelling_read_ip(struct spelling *, struct span bytes);

/* An address as text, in any form that some client takes: octal, hexadecimal, short, mapped. Calls on_address; false: it
 * is not an address. */
bool spelling_read_address_text(struct spelling *, struct span text);

/* Appends the characters of a label, given without its "xn--" (RFC 3492), as UTF-8. False: malformed, and undefined bytes
 * may have been appended. */
bool punycode_read(struct buf *out, struct span label);

#endif
