/*
 * padding.h - what the transport adds to a question's OPT record: padding (RFC 7830, RFC 8467) and, over DoT,
 * the empty TCP keepalive option (RFC 7828); and what it reads of an answer's.
 *
 * Unusual messages are left as they are: this layer does not validate them.
 */
#ifndef BASE_DNS_PADDING_H
#define BASE_DNS_PADDING_H

#include "base/dns/message.h"

#define PADDING_BLOCK 128           /* questions are padded to a multiple of it (RFC 8467, 4.1) */
#define PADDING_ROOM  (4 + 4 + 127) /* at most added: keepalive, an option header, padding */

/* Where the OPT record can be made longer: only when it ends the message. */
struct padding {
	uint16_t rdlen_at; /* offset of its RDLENGTH; 0: there is no such OPT record */
	uint16_t rdlen;    /* as it came */
	bool padded;       /* it has a padding option already */
	bool keepalive;    /* it has a keepalive option already */
};

struct padding padding_find(struct span message);
/* Writes the options after the n bytes of the message, which has room for `room` in all, and returns its new
 * length. May be repeated on the same n bytes: it begins with the OPT record as it came. */
size_t padding_apply(const struct padding *, uint8_t *message, size_t n, size_t room, bool keepalive);
/* The server's idle timeout (RFC 7828, 3.1) in ms; -1 without one, or when its length is wrong. */
int64_t padding_keepalive_ms(struct span answer);

#endif
