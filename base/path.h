/*
 * path.h - files and folders by name, where other users may write the folder that holds them.
 *
 * A name is resolved component by component, each relative to the descriptor of the folder before it, so that a name
 * swapped meanwhile changes nothing. A symbolic link is followed only when root or the process itself made it, in a folder
 * where no other user could have put it: then it points where its maker intended. An owner who is not mapped in this user
 * namespace stands for root outside of it (user_namespaces(7)). A file is checked before it is opened, so that no device is
 * opened; it is opened without blocking (a FIFO), and checked again.
 *
 * All code that uses paths, and why none of it can be misled:
 *
 *   who                        what                               how
 *   config/file.c              main file, conf.d, lists, anchors, path_file_open: regular, links by the rule above, at
 *                              CRLs, key files, hosts, filters    most max bytes; then the owner is judged (file.h)
 *   config/file.c              state-dir's files                  path_file_open_at: regular, never a link
 *   config/settings_read.c,    names in conf.d and in a folder    path_folder_open, then scandirat of that descriptor
 *   load.c                     of anchors
 *   base/journal.c             state-dir's journal, to read       path_file_open_at of the folder's descriptor
 *   resolver/daemon/journal_file.c, evidence_folder.c             relative to a descriptor of state-dir, never through a
 *                              journal and evidence, to write     link; the helper has the daemon's user
 *   resolver/daemon/control_socket.c                              path_parent_open, then relative to that descriptor; a
 *                              control socket and its folder      folder that others may write is written as the
 *                                                                 daemon's user, never as root
 *   cli/files.c                what the tool writes (state-dir)   path_parent_open; a new file of its own in that
 *                                                                 folder, renamed there
 *   cli/files.c, contrib/watch/  what the user names as output    path_target_open, then the same
 *   contrib/watch/             state-dir/watch                    one descriptor of the folder, everything relative to
 *                                                                 it, never through a link; new files renamed there
 *   resolver/hosts.c           has the hosts file changed?        stat: nothing is opened
 *   config/settings_read.c,    is there a main file?              access, lstat, stat: nothing is opened
 *   main.c
 *   resolver/daemon/           the installed ctstubd.socket       stat, then config/file.c; drop-ins by path_folder_open
 *   socket_unit.c                                                 and scandirat
 *
 * tests/checks/paths.py fails for any other call that takes a path.
 */
#ifndef BASE_PATH_H
#define BASE_PATH_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#define PATH_LINKS_MAX 40   /* links followed in one name, as many as the kernel follows */
#define PATH_NAME_MAX  4096 /* bytes of a name, links filled in: the kernel's PATH_MAX */

/* Each gives a descriptor of yours, or -1 and a reason in *why (constant, or strerror's: lent until the next call) with
 * errno set. */

/* The folder itself; good for fstat and as the folder of the ..._at calls. */
int path_folder_open(const char *path, const char **why);
/* The folder that holds the last name of the path; *name is a pointer into path, without a slash. */
int path_parent_open(const char *path, const char **name, const char **why);
/* The same for a file that is to be replaced as a whole. If the name exists, it must be a regular file or a link to
 * one, but not a link like /dev/stdout. A device is never replaced: root could do that, and the machine would lose
 * the device. */
int path_target_open(const char *path, const char **name, const char **why);
/* Before any work: can this file be replaced so, and can files be made in this folder? 0, or an error number: ENOENT and
 * ENOTDIR mean that there is no such folder. */
int path_target_check(const char *path, const char **why);
int path_folder_check(const char *path, const char **why);
/* Does the name lead through a link of /proc to an open file of a process, as /dev/stdout does? The open file may be
 * a regular one, but the link itself is needed by the machine. Not for processes with a filter on system calls. */
bool path_is_descriptor(const char *path);
/* A regular file, for reading. */
int path_file_open(const char *path, struct stat *, const char **why);
/* Is there such a file, and may this process read it? False: errno says why not. */
bool path_file_is_readable(const char *path);
/* A regular file in an open folder, for reading; not through a link. */
int path_file_open_at(int folder, const char *name, struct stat *, const char **why);

/* Its owner cannot be determined: the owner is not mapped in the user namespace of this process. */
bool path_owner_is_unmapped(uid_t);
/* Only root and the user of this process can create names in this folder, or remove names that they own. */
bool path_folder_is_safe(const struct stat *folder);

#endif
