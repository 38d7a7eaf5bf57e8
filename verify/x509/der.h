/*
 * der.h - strict DER: one element at a time, and a TBSCertificate without one of its extensions.
 *
 * Definite, minimal lengths and low tag numbers only (X.690, 10.1; no certificate needs a tag above 30). A
 * reader keeps the first error, as a cursor does: after it everything is empty, and the caller asks once.
 * Every span points into the caller's bytes.
 */
#ifndef VERIFY_X509_DER_H
#define VERIFY_X509_DER_H

#include "base/bytes.h"
#include "base/res.h"

/* Identifier octets (X.690, 8.1.2). */
#define DER_BOOLEAN          0x01
#define DER_INTEGER          0x02
#define DER_BIT_STRING       0x03
#define DER_OCTET_STRING     0x04
#define DER_NULL             0x05
#define DER_OID              0x06
#define DER_IA5_STRING       0x16
#define DER_UTC_TIME         0x17
#define DER_GENERALIZED_TIME 0x18
#define DER_SEQUENCE         0x30
#define DER_SET              0x31
#define DER_CONTEXT(n)       (0x80 | (n)) /* [n], primitive */
#define DER_CONTEXT_CONS(n)  (0xa0 | (n)) /* [n], constructed */

#define DER_HEADER_MAX       6 /* identifier, length of up to 32 bits */

struct der_element {
	uint8_t id;        /* identifier octet; 0 when there is none */
	struct span body;  /* content */
	struct span whole; /* with its header */
};

struct der_reader {
	struct span left;
	bool bad;
};

struct der_reader der_over(struct span);
/* The next element, whatever it is. */
struct der_element der_any(struct der_reader *);
/* The next element, which must have this identifier. */
struct der_element der_take(struct der_reader *, uint8_t id);
/* A reader over the content of the next element, which must have this identifier (bad when absent). */
struct der_reader der_enter(struct der_reader *, uint8_t id);
/* Is there a next element with this identifier? Reads nothing. */
bool der_at(const struct der_reader *, uint8_t id);
bool der_more(const struct der_reader *); /* something is left and nothing went wrong */
bool der_done(const struct der_reader *); /* everything was read and nothing went wrong */
/* The one element that fills `all` and has this identifier; bad otherwise. */
struct der_reader der_only(struct span all, uint8_t id);

/* Content of a BOOLEAN: exactly 00 or ff (X.690, 11.1). */
enum res der_bool(bool *out, struct span body);
/* Content of a non-negative INTEGER that fits; minimal (X.690, 8.3.2). */
enum res der_uint(uint32_t *out, struct span body);
/*
 * Content of a BIT STRING, which becomes its octets, without the first one, the count of unused bits. Unused bits must be
 * zero, and there are none without an octet (X.690, 8.6.2 and 11.2.1). Zeros after the last one of a list of named bits
 * (11.2.2) are accepted: trusted roots have them, and they change no bit.
 */
enum res der_bits(struct span *body);
/* The same for a key or a signature: whole octets, at least one. */
enum res der_bits_whole(struct span *body);
/* Content of an INTEGER is minimal and not empty. */
bool der_integer_ok(struct span body);
/* Content of an INTEGER, which becomes the number's octets without the leading zero: minimal, above zero. RES_MALFORMED
 * otherwise. */
enum res der_natural(struct span *body);
/* The minimal form of an INTEGER's content, so that equal numbers are equal bytes; the sign stays. */
struct span der_integer_trim(struct span body);

/* The next element as a time: YYMMDDHHMMSSZ or YYYYMMDDHHMMSSZ by its type, nothing else (RFC 5280, 4.1.2.5).
 */
enum res der_time(int64_t *ms, struct der_reader *);

/* Identifier and length, as they stand before n content bytes. Appends. */
void der_header(struct buf *, uint8_t id, size_t n);

/*
 * The TBSCertificate without the extension of this OID (content bytes): what a log signed (RFC 6962, 3.2). The three
 * lengths around the extension are corrected, and all other bytes are unchanged; [3] is removed too if it becomes
 * empty. RES_NOT_FOUND: no such extension. RES_MALFORMED: more than one, or not a TBSCertificate. Appends to out;
 * RES_NOMEM when out takes no more.
 */
enum res der_tbs_without(struct buf *out, struct span tbs, struct span oid);

/* Appends an INTEGER that is not negative, from its octets, most significant first; zeros in front are left out. */
void der_put_natural(struct buf *out, struct span n);

#endif
