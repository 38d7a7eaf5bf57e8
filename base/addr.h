/*
 * addr.h - an IPv4 or IPv6 address with a port, and an address prefix.
 *
 * Text forms: 192.0.2.1, 192.0.2.1:853, 2001:db8::1, [2001:db8::1]:853.
 * No names, no zones (fe80::1%eth0 is malformed), no IPv4-mapped IPv6
 * addresses: a mapped form is another address to a certificate, and the same
 * one to a socket, so it is refused where it is read.
 */
#ifndef BASE_ADDR_H
#define BASE_ADDR_H

#include "base/bytes.h"
#include "base/res.h"

#include <netinet/in.h>
#include <sys/socket.h>

enum addr_family { ADDR_NONE = 0, ADDR_V4 = 4, ADDR_V6 = 6 };

struct addr {
	enum addr_family family;
	uint8_t ip[16]; /* network order; the first 4 bytes for ADDR_V4, the rest zero */
	uint16_t port;  /* host order; 0: none */
};

#define ADDR_TEXT_MAX 64 /* "[" IPv6 "]:65535" and a NUL fit */

/* The address alone; port becomes 0. */
enum res addr_read_ip(struct addr *, const char *text);
enum res addr_read_ip_span(struct addr *, struct span text);
/* With an optional port; without one it becomes default_port. Port 0 in the text is malformed. */
enum res addr_read(struct addr *, const char *text, uint16_t default_port);
/* Writes "192.0.2.1" or "2001:db8::1"; returns text. */
const char *addr_ip_text(const struct addr *, char text[ADDR_TEXT_MAX]);
/* Writes "192.0.2.1:53" or "[2001:db8::1]:53"; without a port the address alone. */
const char *addr_text(const struct addr *, char text[ADDR_TEXT_MAX]);

struct span addr_ip(const struct addr *);                     /* 4 or 16 bytes, lent; empty for ADDR_NONE */
bool addr_equal(const struct addr *, const struct addr *);    /* address and port */
bool addr_ip_equal(const struct addr *, const struct addr *); /* address alone */
bool addr_is_loopback(const struct addr *);                   /* 127.0.0.0/8, ::1 */
bool addr_is_any(const struct addr *);                        /* 0.0.0.0, :: */
bool addr_is_link_local(const struct addr *);                 /* fe80::/10 (RFC 4291, 2.5.6): needs a link */
/* Not for the public Internet: RFC 1918, 6598, 3927, 4193, 4291 link-local and site-local, loopback,
 * unspecified, and the IPv4 address inside a mapped or NAT64 (64:ff9b::/96) one. */
bool addr_is_private(const struct addr *);

socklen_t addr_to_sockaddr(const struct addr *, struct sockaddr_storage *);
/* IPv4-mapped IPv6 becomes ADDR_V4. RES_UNSUPPORTED for other families. */
enum res addr_from_sockaddr(struct addr *, const struct sockaddr *);

struct prefix {
	struct addr addr; /* host bits zero */
	uint8_t bits;
};
/* "192.0.2.0/24", "2001:db8::/32"; host bits set are malformed. */
enum res prefix_read(struct prefix *, const char *text);
bool prefix_has(const struct prefix *, const struct addr *);

#endif
