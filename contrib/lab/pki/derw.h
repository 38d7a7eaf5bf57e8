/*
 * derw.h - writing DER (X.690) into a buf.
 *
 * It only writes, and checks nothing: also contents that no CA would sign.
 * Errors (the buf's maximum, memory) stick in the buf.
 */
#ifndef CONTRIB_LAB_PKI_DERW_H
#define CONTRIB_LAB_PKI_DERW_H

#include "base/bytes.h"

enum derw_tag {
	DERW_BOOLEAN = 0x01,
	DERW_INTEGER = 0x02,
	DERW_BITS = 0x03,
	DERW_OCTETS = 0x04,
	DERW_NULL = 0x05,
	DERW_OID = 0x06,
	DERW_ENUM = 0x0a,
	DERW_UTF8 = 0x0c,
	DERW_PRINTABLE = 0x13,
	DERW_IA5 = 0x16,
	DERW_UTC_TIME = 0x17,
	DERW_GENERAL_TIME = 0x18,
	DERW_SEQUENCE = 0x30,
	DERW_SET = 0x31,
};
/* [n], primitive and constructed. */
#define DERW_CONTEXT(n)     ((uint8_t)(0x80 | (n)))
#define DERW_CONSTRUCTED(n) ((uint8_t)(0xa0 | (n)))

/* Begins a value whose length is not known yet; the result goes to derw_close. */
size_t derw_open(struct buf *, uint8_t tag);
void derw_close(struct buf *, size_t opened);

void derw_tlv(struct buf *, uint8_t tag, struct span content);
void derw_text(struct buf *, uint8_t tag, const char *);
void derw_bool(struct buf *, bool);
void derw_null(struct buf *);
void derw_number(struct buf *, uint8_t tag, uint32_t);   /* INTEGER or ENUMERATED, not negative */
void derw_unsigned(struct buf *, struct span magnitude); /* INTEGER from big-endian bytes, shortest form */
void derw_oid(struct buf *, const char *dotted);
void derw_bits(struct buf *, struct span bytes, unsigned unused);
/* UTCTime until 2049, GeneralizedTime after (RFC 5280, 4.1.2.5). */
void derw_time(struct buf *, int64_t ms);
void derw_general_time(struct buf *, int64_t ms);
/* A Name from "C=XX/O=Some Body/CN=host", in DER order, one attribute each RDN; "" is the empty Name.
 * Attributes C, O, OU, CN or a dotted OID. The strings get string_tag, C always PrintableString. A value
 * cannot contain "/". */
void derw_name(struct buf *, const char *dn, uint8_t string_tag);
/* The same name as RFC 4514 text (reversed, commas). */
void derw_name_rfc4514(struct buf *, const char *dn);

#endif
