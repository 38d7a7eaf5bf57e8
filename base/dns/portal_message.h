/*
 * portal_message.h - the messages between ctstubd and ctstub-portal, over a SOCK_SEQPACKET socket.
 *
 *   the daemon    OPEN     how long the window lasts; the first message of a connection, and none after it
 *                 ASK      one question, with a number
 *   the helper    ANSWER   its result
 *
 * The end of the connection is the end of the window. An answer is addresses and nothing else: no record, name or flag of
 * the network's resolver reaches the daemon. Numbers are big-endian. Each side reads the other's messages as hostile.
 */
#ifndef BASE_DNS_PORTAL_MESSAGE_H
#define BASE_DNS_PORTAL_MESSAGE_H

#include "base/dns/message.h"

#define PORTAL_MESSAGE_MAX   512 /* an ASK has at most 263 bytes, an ANSWER 141 */
#define PORTAL_ADDRESSES_MAX 8   /* a probe connects to the first that answers */
#define PORTAL_TTL_MAX_S     5 /* an address of a login page must not outlive the login in a browser's cache */
#define PORTAL_WINDOW_MAX_S  3600 /* the longest window: an hour, as `ctstub captive` allows */

enum portal_kind { PORTAL_OPEN = 'O', PORTAL_ASK = 'Q', PORTAL_ANSWER = 'A' };

enum portal_outcome {
	PORTAL_ADDRESSES, /* some */
	PORTAL_NOTHING,   /* the resolver answered, without an address for this name */
	PORTAL_FAILED,    /* no usable answer: no resolver, a refusal, silence */
};

struct portal_message {
	enum portal_kind kind;
	uint32_t window_s; /* OPEN */
	uint32_t id;       /* ASK, ANSWER: the daemon's number */
	uint16_t type;     /* ASK, ANSWER: TYPE_A or TYPE_AAAA */
	struct span name;  /* ASK: lower-case wire form; lent */
	enum portal_outcome outcome;
	uint32_t ttl; /* ANSWER: seconds, at most PORTAL_TTL_MAX_S */
	size_t n;     /* ANSWER: addresses, 4 or 16 bytes each by the type */
	uint8_t ip[PORTAL_ADDRESSES_MAX][16];
};

/* Can a login page have this address (4 or 16 bytes)? Not if it is loopback, unspecified, multicast or link-local.
 * Both sides check: a web page at a login name must not reach a server on loopback. */
bool portal_address_serves(struct span ip);
/* Appends. */
void portal_message_write(struct buf *out, const struct portal_message *);
/* RES_MALFORMED: invalid. The spans point into wire. */
enum res portal_message_read(struct portal_message *, struct span wire);

#endif
