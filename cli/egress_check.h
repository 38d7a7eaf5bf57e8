/*
 * egress_check.h - what nftables knows about the rules of egress.h: whether they are loaded, and who was refused.
 *
 * Input is the text of `nft -j list table inet ctstub_egress`; nothing is run here.
 */
#ifndef CLI_EGRESS_CHECK_H
#define CLI_EGRESS_CHECK_H

#include "cli/egress.h"

#include <jansson.h>

/* One user, address and port that was refused. */
struct egress_attempt {
	char user[64]; /* the name, or the number of a user that has none */
	struct addr addr;
	long long packets;
};

struct egress_found {
	struct egress_attempt *tried;
	size_t n;
	long long refused; /* packets of everybody, forwarded ones included */
	bool out_of_date;  /* the upstreams in the rules are not those of the plan */
};

/* RES_MALFORMED: the text is not nftables's description of that table. */
enum res egress_found_read(struct egress_found *, struct span text, const struct egress *);
void egress_found_free(struct egress_found *);

#endif
