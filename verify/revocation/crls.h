/*
 * crls.h - all lists of one upstream.
 */
#ifndef VERIFY_REVOCATION_CRLS_H
#define VERIFY_REVOCATION_CRLS_H

#include "verify/revocation/crl.h"
#include "verify/revocation/revocation.h"

struct crls {
	struct crl *crl[CRLS_MAX]; /* owned; those that cannot be used as well (crl.h) */
	size_t n;
	struct faults left_out;
	bool lacking; /* crls_lack */
};

#endif
