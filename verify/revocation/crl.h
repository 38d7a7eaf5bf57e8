/*
 * crl.h - one certificate revocation list (RFC 5280, 5): its parts as spans over its own bytes.
 *
 * Read once, at loading: its serials sorted, its body hashed. Reading only: no key is used, no clock is known.
 *
 * A list that cannot be used is kept as long as its issuer's name can be read: a malformed one, and those that RFC 5280
 * forbids to use (a delta CRL without its base, an indirect CRL, a critical extension that is not known, of the list or of
 * an entry). So crls_check still knows that a list was configured for this issuer.
 */
#ifndef VERIFY_REVOCATION_CRL_H
#define VERIFY_REVOCATION_CRL_H

#include "verify/revocation/crlscope.h"
#include "verify/when.h"
#include "verify/x509/signature.h"

/* Of the issuer's name in compared form; public names stay below 200 bytes. */
#define CRL_ISSUER_KEY_MAX (16 * 1024)

struct crl {
	uint8_t *der; /* owned; every span below points into it */
	size_t n;
	struct span issuer_der; /* Name with its header */
	struct buf issuer;      /* the same in compared form */
	bool usable;            /* false: only the issuer means anything */
	struct signature signature;
	int64_t this_ms;
	int64_t next_ms;           /* 0: absent */
	struct span authority_key; /* keyIdentifier of authorityKeyIdentifier; empty: none */
	struct crl_scope scope;
	struct span *serial; /* minimal form, sorted */
	size_t n_serials;
	size_t cap_serials;
};

/* Reads a list from bytes that are copied. RES_OK: *out is yours and usable. RES_MALFORMED, RES_UNSUPPORTED: *out is yours
 * and not usable; NULL when not even its issuer could be read. RES_NOMEM: NULL. *why gets a sentence with every result but
 * RES_OK (yours). */
enum res crl_new(struct crl **out, struct span der, char **why);
void crl_free(struct crl *);

/* Does the list name this serial number (content of the INTEGER)? Numbers are compared: padding does not matter, the
 * sign does. */
bool crl_names(const struct crl *, struct span serial);
/* thisUpdate to nextUpdate, both included; a list without nextUpdate is never current (RFC 5280, 5.1.2.5). */
bool crl_is_current(const struct crl *, struct when);

#endif
