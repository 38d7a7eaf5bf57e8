/*
 * cert_fixture.h - writes certificates for tests, in which only the names matter.
 */
#ifndef TESTS_UNIT_WATCH_CERT_FIXTURE_H
#define TESTS_UNIT_WATCH_CERT_FIXTURE_H

#include "base/bytes.h"

/* One identifier: where it stands and its bytes. */
struct given {
	enum {
		GIVEN_NONE,
		SAN,     /* tag is the context tag of the GeneralName (0x82 dNSName, 0x87 iPAddress) */
		SUBJECT, /* tag is the string type, oid the attribute */
		OLD_SAN, /* as SAN, in the extension of 1993 */
		NETSCAPE,
		RAW_SAN, /* the extension's value, as it is */
	} place;
	uint8_t tag;
	const char *oid; /* of a subject attribute, dotted; NULL: the common name */
	const char *bytes;
	size_t n;
};

#define GIVEN_MAX 3

/* Appends a Certificate that has these, or its TBSCertificate alone. serial: its first byte, so that two differ. */
void fixture_certificate(struct buf *out, const struct given given[], size_t n, bool tbs_only, uint8_t serial);

#endif
