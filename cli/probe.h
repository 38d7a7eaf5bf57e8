/*
 * probe.h - the result of a probe of one address.
 */
#ifndef CLI_PROBE_H
#define CLI_PROBE_H

#include "transport/transport.h"

#define PROBE_QUESTION "example.com." /* RFC 2606, 3: reserved, and resolvable everywhere */
/* Our own side closes at 120 s; a server that keeps it longer is reported as such. */
#define PROBE_IDLE_MS 110000

struct probe_result {
	const struct tp_target *target;
	bool idle; /* --idle */

	struct verdict verdict;
	enum reason trouble; /* of the wire; REASON_NONE: none so far */
	char *detail;        /* owned */
	char tls_version[16], cipher[64], alpn[16];
	bool ready;   /* the first connection was */
	bool resumed; /* the second one */
	int64_t handshake_ms;

	bool answered;
	char rcode[24]; /* NOERROR */
	unsigned answers;
	int64_t rtt_us;
	bool padded;
	int64_t keepalive_ms;  /* -1: not offered */
	bool out_of_order;     /* seen */
	int64_t idle_close_ms; /* -1: not measured, or longer than we waited */
};

/* Prints the result. Without a verdict, the network failure is shown in place of the findings. */
enum res probe_result_print(struct probe_result *, bool json);
void probe_result_clear(struct probe_result *);

#endif
