/*
 * lab_counts.h - what a server of the lab counts: the evidence of a scenario's outcome.
 */
#ifndef CONTRIB_LAB_SERVER_LAB_COUNTS_H
#define CONTRIB_LAB_SERVER_LAB_COUNTS_H

#include <stdint.h>

struct lab_server_counts {
	uint64_t connections;
	uint64_t handshakes; /* finished, resumed ones too */
	uint64_t resumed;
	uint64_t refused;   /* the client ended the handshake with an alert or by leaving */
	uint64_t bad_names; /* ended by GnuTLS: an IPv6 address as server name (RFC 6066, 3) */
	uint64_t bytes;     /* of application data received */
	uint64_t questions;
	uint64_t answers;
};

#endif
