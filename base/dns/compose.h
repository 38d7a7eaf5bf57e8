/*
 * compose.h - composes DNS messages: the answers for names that are never sent upstream.
 */
#ifndef BASE_DNS_COMPOSE_H
#define BASE_DNS_COMPOSE_H

#include "base/dns/message.h"

#define COMPOSE_TTL_LONG  10800 /* of what no configuration changes (RFC 6303, 3) */
#define COMPOSE_TTL_SHORT 60    /* of what a person may change at any time */

struct compose {
	struct buf *out;
	size_t start; /* where the message begins in it */
	const struct msg_question *question;
};

/* Header and question, no records yet. */
struct compose compose_begin(struct buf *out, const struct msg_question *, uint16_t rcode);
/* A record of the answer section. owner: empty for the question's own name. */
void compose_answer(struct compose *, struct span owner, uint16_t type, uint32_t ttl, struct span rdata);
void compose_authority(struct compose *, struct span owner, uint16_t type, uint32_t ttl, struct span rdata);
/*
 * The SOA of `zone`, which is the end of the question's name. In the authority section it makes an answer
 * negative (RFC 2308, 2); its MINIMUM is the TTL.
 */
void compose_soa(struct compose *, struct span zone, uint32_t ttl);
/* The whole of a negative answer. */
void compose_negative(struct buf *out, const struct msg_question *, uint16_t rcode, struct span zone,
		      uint32_t ttl);

#endif
