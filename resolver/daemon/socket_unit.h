/*
 * socket_unit.h - the installed ctstubd.socket, as far as `ctstubd -t` needs it: the addresses that it listens on.
 *
 * Reads the unit and its drop-ins by the rules of systemd.unit(5) and systemd.socket(5): the first folder wins, drop-ins
 * in the order of their names, an empty value takes back what was set before.
 */
#ifndef RESOLVER_DAEMON_SOCKET_UNIT_H
#define RESOLVER_DAEMON_SOCKET_UNIT_H

#include "resolver/daemon/held.h"

#define SOCKET_UNIT          "ctstubd.socket"
#define SOCKET_UNIT_FILE_MAX (64 * 1024) /* ours has 1.3 KiB */
#define SOCKET_UNIT_DROP_INS 64          /* files; administrators have one or two */

/* Where systemd looks for units, the first first; ends in NULL. */
extern const char *const socket_unit_folders[];

/* RES_NOT_FOUND: it is not installed, or masked. RES_MALFORMED, RES_LIMIT, RES_IO: *why (yours; NULL: no memory) names
 * the file and what about it was not understood; *out is undefined. */
enum res socket_unit_read(struct held_sockets *out, const char *const *folders, char **why);

#endif
