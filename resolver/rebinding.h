/*
 * rebinding.h - DNS rebinding protection: private addresses in answers for public names.
 *
 * Immutable once compiled; any thread may use it.
 */
#ifndef RESOLVER_REBINDING_H
#define RESOLVER_REBINDING_H

#include "base/dns/message.h"
#include "config/snapshot.h"

struct rebinding;
/* With protection off *out is NULL, which refuses nothing; a wrong name in the list is still an error. */
enum res rebinding_compile(struct rebinding **, const struct settings *, struct config_errors *);
void rebinding_free(struct rebinding *);
/* The answer holds a private address (A, AAAA, and HTTPS/SVCB hints) for a name that is not an exception. */
bool rebinding_refuses(const struct rebinding *, struct span name, const struct msg_answer *);

#endif
