/*
 * message_walk.h - one name and one record at a time, inside the bounds of a message. For message*.c, and for
 * local.c to look at what a library made.
 */
#ifndef BASE_DNS_MESSAGE_WALK_H
#define BASE_DNS_MESSAGE_WALK_H

#include "base/dns/message.h"

/*
 * Labels and hops that all names of one message may cost together. A hostile message makes each of its
 * thousands of names run through 127 labels of another; an honest one needs less than one step a byte, and
 * three when every name in it belongs to a reverse zone of IPv6.
 */
#define WALK_STEPS_BASE     1024
#define WALK_STEPS_PER_BYTE 4

struct walk {
	const uint8_t *p;
	size_t n;
	size_t at;
	size_t steps;        /* left */
	size_t question_end; /* after the question's name, which holds no pointer; 0: not known yet */
	/*
	 * What is going to be changed, and no name that a pointer leads to may run through: the OPT (0, 0:
	 * none met so far), the TTLs of the records before, and type to RDLENGTH of the record under way (0:
	 * still at its owner).
	 */
	size_t opt_at, opt_end;
	const uint16_t *ttl_at;
	size_t n_ttl;
	size_t fixed_at;
	/* Called for every compression pointer of the current record; may be NULL. */
	void (*on_pointer)(void *ctx, size_t at, size_t target);
	void *ctx;
};

struct walk walk_over(struct span wire, size_t at);
/* Both move `at` past what they read; false: malformed, or out of steps. */
bool walk_name(struct walk *, size_t end);

/* A name of a message, written out, as spelled. Gives its length; 0: it is no name, or has a pointer that does not go
 * back. */
size_t walk_name_expand(struct span wire, size_t at, uint8_t out[MSG_NAME_MAX]);

struct walk_rr {
	size_t name_at, type_at, rdata_at, end;
	uint16_t type, class;
	uint32_t ttl;
};
bool walk_rr(struct walk *, struct walk_rr *);

/* The OPT of a record whose type is OPT: its owner must be the root. False: malformed. */
bool walk_edns(const struct walk *, const struct walk_rr *, struct msg_edns *);

#endif
