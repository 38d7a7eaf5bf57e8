/*
 * resolvers.h - the network's own resolver, as whoever configures the network noted it down.
 *
 * Nothing is guessed (a router that answers on port 53 is not asked for that alone) and /etc/resolv.conf is not read: it
 * names ctstub. The first of these that names a usable address counts, with at most three addresses:
 *
 *   /run/NetworkManager/no-stub-resolv.conf, resolv.conf   NetworkManager writes them also with dns=none
 *   /run/systemd/netif/leases/N                            systemd-networkd, a file a link (DNS=)
 *   /run/systemd/resolve/resolv.conf                       systemd-resolved, where it runs
 *   /run/dhcpcd/hook-state/resolv.conf/INTERFACE.*         dhcpcd
 *   /run/resolvconf/interface/NAME, interfaces/NAME        resolvconf, openresolv
 *   /var/lib/dhcp/dhclient*.leases                         dhclient: the last lease of a file, unless it has expired
 *
 * Link-local IPv6 addresses are left out: they are of no use without the name of a link.
 */
#ifndef CONTRIB_PORTAL_RESOLVERS_H
#define CONTRIB_PORTAL_RESOLVERS_H

#include "base/addr.h"

#include <stddef.h>

#define RESOLVERS_MAX 3 /* as many as resolv.conf(5) has */
#define RESOLVERS_FILE_MAX                                                                                   \
	(64 * 1024)          /* bytes of a file that are read; dhclient drops old leases long before */
#define RESOLVERS_DIR_MAX 64 /* names looked at in a folder: one a link */

struct resolvers {
	struct addr v[RESOLVERS_MAX]; /* port 53 */
	size_t n;
};

enum resolvers_form {
	RESOLVERS_RESOLV_CONF, /* nameserver ADDRESS */
	RESOLVERS_NETWORKD,    /* DNS=ADDRESS ADDRESS */
	RESOLVERS_DHCLIENT,    /* lease { option domain-name-servers ADDRESS, ADDRESS; expire ...; } */
};

/* Adds what the text names; an address that is there already, or unusable, is passed over. now_ms: wall clock. */
void resolvers_read(struct resolvers *, enum resolvers_form, struct span text, int64_t now_ms);
/* Not this machine, not everybody, not a group, not a link's own. */
bool resolvers_usable(const struct addr *);
/* root: "" in production; a folder for tests. */
void resolvers_find(struct resolvers *, const char *root, int64_t now_ms);

#endif
