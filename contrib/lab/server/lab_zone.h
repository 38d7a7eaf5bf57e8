/*
 * lab_zone.h - what the lab's resolver answers: every name exists, and its records follow from the name.
 *
 * Any client can compute the right answer, and so detect a lie:
 *   A      198.18.x.y, x and y the first two bytes of SHA-256(name in lower case without the last dot)
 *   AAAA   2001:db8::/64 followed by the first eight bytes of the hash
 *   TXT    "answer for NAME"
 *   CNAME, NS, PTR, MX   names below the asked one;   SOA   as for a zone;   HTTPS, SVCB   1 . alpn=h2
 *   others 16 bytes of the hash
 * First labels with a meaning: nx (NXDOMAIN), empty (no data), servfail, refused, alias (CNAME to the
 * rest), big (TXT of about 4000 bytes), ttlN (TTL of N seconds), delayN (answered after N ms), ad (AD is
 * set).
 */
#ifndef CONTRIB_LAB_SERVER_LAB_ZONE_H
#define CONTRIB_LAB_SERVER_LAB_ZONE_H

#include "base/bytes.h"

#include <stdint.h>

#define ZONE_NAME_TEXT_MAX 1025
#define ZONE_TTL           300

enum lab_zone_kind {
	ZONE_TRUTH,
	ZONE_LIES, /* A 6.6.6.6, AAAA 2001:db8:bad::6: the answers of the clear-text traps */
};

struct lab_zone_question {
	char name[ZONE_NAME_TEXT_MAX]; /* as asked, escaped, with the last dot */
	char type[32];
	uint16_t type_code;
	size_t end; /* of the question section in the query */
	bool edns;  /* the query had an OPT record */
	bool dnssec_ok;
	bool padded; /* ... with a padding option */
	uint32_t delay_ms;
};

/* Appends the answer to the query. False: the message is not a query. */
bool lab_zone_answer(enum lab_zone_kind, struct span query, struct lab_zone_question *, struct buf *out);

/* Appends an OPT record to a message that has none, and counts it. padding: to a multiple of so many bytes,
 * 0: none. option: one more option's bytes with its header. */
void lab_zone_opt_write(struct buf *message, bool dnssec_ok, unsigned extended_rcode, struct span option,
			size_t padding);

#endif
