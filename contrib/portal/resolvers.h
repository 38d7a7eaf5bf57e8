/*
 * resolvers.h - the network's own resolver, as the program that configures the network recorded it.
 *
 * Nothing is guessed (a router is not asked just because it answers on port 53) and /etc/resolv.conf is not read: it
 * names ctstub. The first of these that names a usable address counts, with at most three addresses:
 *
 *   /run/NetworkManager/no-stub-resolv.conf, resolv.conf   NetworkManager writes them also with dns=none
 *   /run/systemd/netif/leases/N                            systemd-networkd, a file a link (DNS=)
 *   /run/systemd/resolve/resolv.conf                       systemd-resolved, where it runs
 *   /run/dhcpcd/hook-state/resolv.conf/INTERFACE.*         dhcpcd
 *   /run/resolvconf/interface/NAME, interfaces/NAME        resolvconf, openresolv
 *   /var/lib/dhcp/dhclient*.leases                         dhclient: the last lease of a file, unless it has expired
 *
 * A link-local IPv6 address counts with its link only (fe80::1%eth0; a lease names the link in a line of its own). The
 * kernel's table of IPv6 addresses (/proc/self/net/if_inet6) says which links there are: the sandbox allows no other way
 * to ask.
 */
#ifndef CONTRIB_PORTAL_RESOLVERS_H
#define CONTRIB_PORTAL_RESOLVERS_H

#include "base/addr.h"

#include <stddef.h>

#define RESOLVERS_MAX 3 /* as many as resolv.conf(5) allows */
/* Bytes of a file that are read; dhclient drops old leases long before. */
#define RESOLVERS_FILE_MAX (64 * 1024)
#define RESOLVERS_DIR_MAX  64 /* names looked at in a folder: one a link */

#define RESOLVER_TEXT_MAX  (ADDR_TEXT_MAX + 12) /* "%", a number, and a NUL fit */

struct resolver {
	struct addr addr; /* port 53 */
	uint32_t link;    /* the interface's index, of a link-local IPv6 address; else 0 */
};

struct resolvers {
	struct resolver v[RESOLVERS_MAX];
	size_t n;
};

enum resolvers_form {
	RESOLVERS_RESOLV_CONF, /* nameserver ADDRESS */
	RESOLVERS_NETWORKD,    /* DNS=ADDRESS ADDRESS */
	RESOLVERS_DHCLIENT,    /* lease { option domain-name-servers ADDRESS, ADDRESS; expire ...; } */
};

/* Adds what the text names; an address that is there already, or unusable, is passed over. links: if_inet6's text.
 * now_ms: wall clock. */
void resolvers_read(struct resolvers *, enum resolvers_form, struct span text, struct span links,
		    int64_t now_ms);
/* Not loopback, unspecified, broadcast or multicast, and with a link exactly when the address needs one. */
bool resolver_usable(const struct resolver *);
/* "192.0.2.1", "fe80::1%2"; returns text. */
const char *resolver_text(const struct resolver *, char text[RESOLVER_TEXT_MAX]);
/* root: "" in production; a folder for tests. */
void resolvers_find(struct resolvers *, const char *root, int64_t now_ms);

#endif
