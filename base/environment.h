/*
 * environment.h - environment variables with which others could influence the libraries.
 *
 * SSLKEYLOGFILE writes our session keys to a file, GNUTLS_* changes what is offered and logs secrets, P11_KIT_* loads
 * modules, OPENSSL_*, NETTLE_* and EVENT_* change how libraries compute and wait.
 */
#ifndef BASE_ENVIRONMENT_H
#define BASE_ENVIRONMENT_H

#include "base/res.h"

/*
 * The first thing that main does. GnuTLS reads its variables when it is loaded, before main. So if any of the variables
 * is set, they are removed and the program executes itself again, with the same process id, descriptors and arguments.
 * The second run reports through on_scrubbed (may be NULL) which were removed. If none is set, the function returns at
 * once.
 *
 * RES_OK: the libraries have seen none of them. RES_IO: the program cannot be executed again; the caller must end,
 * because nothing that needs a secret is safe.
 */
enum res environment_clean(char **argv, void (*on_scrubbed)(const char *variable));

#endif
