/*
 * nameconstraints.h - may this CA vouch for the names of that certificate (RFC 5280, 4.2.1.10)?
 *
 * The work is bounded. The kinds of names are dNSName (a wildcard stands for every name it could match), iPAddress,
 * rfc822Name, directoryName and subject, URI. A constraint on any other kind is not understood, and forbids every name
 * of that kind.
 */
#ifndef VERIFY_X509_NAMECONSTRAINTS_H
#define VERIFY_X509_NAMECONSTRAINTS_H

#include "verify/x509/cert.h"

/* In one judgement; public CAs have dozens of subtrees, and each is compared with each name of its kind. */
#define NAMECONSTRAINTS_SUBTREES_MAX 2048
#define NAMECONSTRAINTS_COMPARES_MAX 65536
/* A comparison of directory names, which are normalized first, counts as this many comparisons. */
#define NAMECONSTRAINTS_DIRECTORY_COST 32
/* This many bytes of the two names count as another comparison of their kind, because the whole URI is searched for
 * its host, and the whole directory name is normalized. Public names have 20 to 150 bytes. */
#define NAMECONSTRAINTS_BYTES_PER_COMPARE 128

struct nameconstraints_budget {
	size_t subtrees;
	size_t compares;
	bool gave_up; /* an answer was a fault because the work was too much, or for want of memory */
};

struct nameconstraints_budget nameconstraints_budget(void);

/*
 * Checks the names of `below` against the constraints of `ca`, if it has any. NULL: they are met, or there are none.
 * Else what is wrong, a constant; that includes too much work: then the names may meet the constraints all the same, and
 * gave_up is set. The budget is for a whole judgement.
 */
const char *nameconstraints_fault(const struct cert *ca, const struct cert *below,
				  struct nameconstraints_budget *);

#endif
