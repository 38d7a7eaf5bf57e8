/*
 * policies.h - certificate policies along a path (RFC 5280, 6.1.3 (d) to (f), 6.1.4 (a) to (j), 6.1.5).
 *
 * Any policy will do for us (the initial set is any-policy, and nothing is inhibited at the start); a CA above may demand
 * that there is one (requireExplicitPolicy), forbid its mapping and forbid anyPolicy. Only whether a policy is valid for
 * the whole path matters then, not which and by which way: of each certificate the set of valid policies is kept, each
 * with the policies that the next one may name for it, and no tree (RFC 9618 tells why a tree grows without bound).
 */
#ifndef VERIFY_X509_POLICIES_H
#define VERIFY_X509_POLICIES_H

#include "verify/x509/cert.h"

/* Of one certificate, and pairs of one mapping; public certificates have two or three. */
#define POLICIES_MAX 64

/*
 * Checks the first n of a path's certificates, leaf first; those are all but the anchor. NULL: nothing is wrong. Else
 * what is wrong, a constant, and *at: in which certificate. Policies that cannot be read are wrong, and so are more
 * than POLICIES_MAX.
 */
const char *policies_fault(size_t *at, const struct cert *const *certs, size_t n);

#endif
