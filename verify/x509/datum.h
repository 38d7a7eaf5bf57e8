/*
 * datum.h - bytes as GnuTLS takes them.
 */
#ifndef VERIFY_X509_DATUM_H
#define VERIFY_X509_DATUM_H

#include "base/bytes.h"

#include <gnutls/gnutls.h>

/* Lent; GnuTLS only reads it. */
static inline gnutls_datum_t
datum_of(struct span s)
{
	return (gnutls_datum_t){(unsigned char *)(uintptr_t)s.p, (unsigned)s.n};
}

#endif
