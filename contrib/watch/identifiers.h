/*
 * identifiers.h - who a logged certificate is for: every address and name in it, wherever it is.
 *
 * Reading only, and more than a client would believe: subjectAltName (each of them, the obsolete one too) with names,
 * addresses, URIs, mail addresses, other names and directory names; every attribute of the subject; Netscape's server
 * name. Nothing is matched here: see watch_list.h. All spans point into the certificate or, for strings of a wide type,
 * into a buffer that lives until the callback returns.
 */
#ifndef CONTRIB_WATCH_IDENTIFIERS_H
#define CONTRIB_WATCH_IDENTIFIERS_H

#include "base/bytes.h"
#include "base/res.h"

#define IDENTIFIERS_NESTING_MAX 4 /* of values in an otherName; SRVName and its like have two */

enum identifier_kind {
	IDENTIFIER_HOST,   /* text that is a host where it stands: dNSName, common name */
	IDENTIFIER_TEXT,   /* text in which a host may stand: URI, mail address */
	IDENTIFIER_LEGEND, /* text about the subject that is a host only as a whole, such as the organisation */
	IDENTIFIER_IP,     /* the bytes of an iPAddress, of any length */
};

struct identifier {
	enum identifier_kind kind;
	const char *where; /* "dNSName", "subject"; constant */
	struct span value;
};

typedef void identifier_fn(void *ctx, const struct identifier *);

/* The parts of a certificate that a finding shows; spans over it, empty where they could not be read. */
struct cert_parts {
	struct span tbs;
	struct span serial; /* content of the INTEGER */
	struct span issuer, subject, spki;
	int64_t not_before_ms, not_after_ms; /* 0: not read */
	const char *trouble; /* what could not be read, for people; NULL: everything was. Constant */
};

/*
 * Reports to fn every identifier of a Certificate, or with is_tbs of a TBSCertificate (as logs keep precertificates). If
 * a part cannot be read, parts->trouble says so, and the identifiers of the other parts are still reported.
 */
void identifiers_read(struct cert_parts *parts, struct span certificate, bool is_tbs, identifier_fn *fn,
		      void *ctx);

#endif
