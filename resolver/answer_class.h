/*
 * answer_class.h - does an upstream's answer decide the question, or should another upstream be asked?
 *
 * Pure: one answer in, a class out; the caller decides what follows. An upstream that filters or validates refuses
 * with the same RCODE as a broken one. The Extended DNS Error (RFC 8914) shows the difference: an upstream that names a
 * policy or a failed validation has decided, and a laxer upstream must not overrule it.
 */
#ifndef RESOLVER_ANSWER_CLASS_H
#define RESOLVER_ANSWER_CLASS_H

#include "base/dns/message.h"

enum answer_class {
	ANSWER_DECISION, /* a decision: the client gets it */
	ANSWER_FAILURE,  /* the server failed: another one may succeed */
	ANSWER_LAME,     /* the server does not recurse: its answer says nothing about the name */
};

/*
 * NOERROR, NXDOMAIN and YXDOMAIN (RFC 6672, 2.2: the name would be too long behind a DNAME) are decisions; NXDOMAIN
 * also without RA, which is how a public resolver marks a blocked name. Without RA a NOERROR that answers nothing is
 * lame (RFC 1034, 4.3.1), unless the zone's own server says so with its SOA. Other RCODEs are failures, unless an
 * INFO-CODE says that the server decided:
 *   4 (forged), 5 to 12 and 25 (validation failed), 27 (too many NSEC3 iterations: a validator's policy, RFC 9276, 3.2),
 *   15 to 18 (blocked, censored, filtered, prohibited), 28 (policy), 30 (the type is no question).
 * These decide nothing: 0 (other), 1 and 2 (algorithms that another validator may know), 3 and 19 (stale), 13 (a
 * failure from the cache), 14 (not ready), 20 to 24 (the servers of the zone), 26 (too early), 29 (synthesized), and
 * codes that are not known here. One deciding code among several is enough. RCODEs about the hop itself (BADVERS to
 * BADCOOKIE) are failures, whatever INFO-CODEs come with them.
 */
enum answer_class answer_classify(const struct msg_answer *);

/* The Extended DNS Error to keep beside the answer: the first that decides, else the first; NULL: there is none. Lent. */
const struct msg_ede *answer_ede(const struct msg_answer *);

#endif
