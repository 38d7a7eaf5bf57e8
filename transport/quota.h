/*
 * quota.h - learns how many questions a peer answers over one connection before it closes it.
 *
 * RFC 7766 (6.2.3) lets a server close a connection when it likes, and some do after each answer, or after a few. The questions
 * that were written in addition are lost with the connection. Therefore after such a close the next connection gets only one
 * question more than that. If it ends after the same number of answers, no connection gets more questions than that any
 * longer; but now and then one gets one more, to see whether this still holds.
 */
#ifndef TRANSPORT_QUOTA_H
#define TRANSPORT_QUOTA_H

#include <stdbool.h>

#define QUOTA_MAX   8  /* a server that answers more is no trouble */
#define QUOTA_TRUST 2  /* connections in a row that make the number known */
#define QUOTA_TEST  16 /* of so many connections one tests it */

/* Zeroed before its first use. */
struct quota {
	unsigned limit; /* answers of the last connection that ended under questions; 0: none, or too many */
	unsigned times; /* how often in a row */
	unsigned used;  /* connections since it was tested */
};

/* How many questions a new connection gets. 0: any number. */
unsigned quota_takes(struct quota *);
/* The peer closed a connection under questions, after so many answers. */
void quota_on_close(struct quota *, unsigned answers);
/* A connection brought so many answers. */
void quota_on_answer(struct quota *, unsigned answers);
/* Is it known that the peer closes each connection after that many answers? Until then one answer more may show otherwise. */
bool quota_is_known(const struct quota *);

#endif
