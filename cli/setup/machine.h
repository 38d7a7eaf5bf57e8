/*
 * machine.h - how this machine resolves names today: the facts that a plan is made of.
 */
#ifndef CLI_SETUP_MACHINE_H
#define CLI_SETUP_MACHINE_H

#include "cli/setup/entry.h"

#define LINKS_UNIT "ctstub-links.path" /* follows what systemd-networkd says of links, for --with-links */

enum resolv_conf_guard {
	GUARD_NONE,
	GUARD_IMMUTABLE, /* chattr +i or +a: somebody does not want it changed */
	GUARD_MOUNT,     /* a mount point: a container's runtime put it there */
};

struct machine {
	const char *root; /* lent; "" but in tests */
	bool systemd;     /* it is PID 1 */
	bool network_manager, network_manager_runs;
	bool resolved_runs, resolved_enabled;
	bool networkd_runs, links_unit_runs; /* the latter: LINKS_UNIT, now and at each boot */
	bool openresolv;                     /* /etc/resolvconf.conf */
	bool resolvconf; /* Debian's resolvconf, which follows a link at /etc/resolv.conf */
	bool dhcpcd;
	bool dhclient; /* its script reads /etc/dhcp/dhclient-enter-hooks.d */
	bool container;
	enum resolv_conf_guard guard;
	struct entry resolv_conf; /* owned */
};

/* Looks at the files below root. If root is "", asks systemd which services run. */
enum res machine_look(struct machine *, const char *root);
void machine_free(struct machine *);
/* For people: "NetworkManager, systemd-resolved". Yours; NULL: no memory. */
char *machine_text(const struct machine *);

#endif
