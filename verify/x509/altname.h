/*
 * altname.h - the names in a certificate's subjectAltName, one after the other.
 *
 * Reading only: no name is believed or compared here. The values are spans over the certificate.
 */
#ifndef VERIFY_X509_ALTNAME_H
#define VERIFY_X509_ALTNAME_H

#include "verify/x509/cert.h"
#include "verify/x509/der.h"

/* The tag numbers of GeneralName (RFC 5280, 4.2.1.6). */
enum altname_kind {
	ALTNAME_OTHER = 0,
	ALTNAME_EMAIL = 1,
	ALTNAME_DNS = 2,
	ALTNAME_X400 = 3,
	ALTNAME_DIRECTORY = 4,
	ALTNAME_EDI_PARTY = 5,
	ALTNAME_URI = 6,
	ALTNAME_IP = 7,
	ALTNAME_REGISTERED_ID = 8,
};

struct altname {
	enum altname_kind kind;
	struct span value; /* content; of a directoryName the Name with its header */
};

/* One GeneralName. RES_MALFORMED. */
enum res altname_read(struct altname *, struct der_reader *);

/* Over the names of a certificate; over none when it has no such extension. */
struct der_reader altname_list(const struct cert *);
/* False at the end or when the rest cannot be read; der_done() then says which. */
bool altname_next(struct altname *, struct der_reader *list);

#endif
