/*
 * cell.h - a machine of its own for one trial: network, mount and process namespaces.
 *
 * Inside, loopback has the resolver's addresses, every other address of the Internet is this machine too,
 * /run is empty and /etc/resolv.conf names only the trap. Nothing changes outside. When the first
 * process ends, for whatever reason, the kernel removes the whole cell.
 */
#ifndef CONTRIB_LAB_RUN_CELL_H
#define CONTRIB_LAB_RUN_CELL_H

#include "base/addr.h"
#include "base/res.h"

#include <sys/types.h>

/*
 * Starts `inside` as the first process of a new cell, with loopback already up. It gets `ctx`, and its
 * result is the exit code. RES_IO: errno says why (no namespaces for this user, most often). *pid is a
 * child of ours to wait for; it dies with us, and the cell with it.
 */
enum res cell_start(pid_t *pid, const struct addr *own, size_t n_own, int (*inside)(void *ctx), void *ctx);

/* Starts a cell that does nothing. RES_UNSUPPORTED: there are no namespaces for this user, and standard
 * error says so. */
enum res cell_try(void);

/* When it returns, no process of the cell is left to write into its folders. */
void cell_end(pid_t pid);

#endif
