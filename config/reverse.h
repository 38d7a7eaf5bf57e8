/*
 * reverse.h - the reverse zones of an address prefix.
 */
#ifndef CONFIG_REVERSE_H
#define CONFIG_REVERSE_H

#include "base/addr.h"

#define REVERSE_ZONES_MAX 128 /* a prefix one bit into an octet */
#define REVERSE_WIRE_MAX  75  /* 32 nibbles of 2 bytes, ip6.arpa of 10, the root */

struct reverse_zone {
	uint8_t wire[REVERSE_WIRE_MAX];
	size_t n;
};

/* in-addr.arpa is divided by octets (RFC 1035, 3.5), ip6.arpa by nibbles (RFC 3596, 2.5): a prefix that ends between
 * them needs several zones. Returns how many. */
size_t reverse_zones(struct reverse_zone zone[REVERSE_ZONES_MAX], const struct prefix *);

#endif
