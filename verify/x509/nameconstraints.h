/*
 * nameconstraints.h - may this CA vouch for the names of that certificate (RFC 5280, 4.2.1.10)?
 *
 * Judged with a bound on the work and for every kind of name: dNSName (a wildcard stands for every name it could match), iPAddress, rfc822Name, directoryName and
 * subject, URI. A constraint on any other kind is not understood, and forbids every name of that kind.
 */
#ifndef VERIFY_X509_NAMECONSTRAINTS_H
#define VERIFY_X509_NAMECONSTRAINTS_H

#include "verify/x509/cert.h"

/* In one judgement; public CAs have dozens of subtrees, and each is compared with each name of its kind. */
#define NAMECONSTRAINTS_SUBTREES_MAX 2048
#define NAMECONSTRAINTS_COMPARES_MAX 65536
/* A comparison of directory names, which are brought to one spelling first, counts as so many. */
#define NAMECONSTRAINTS_DIRECTORY_COST 32
/* And so many bytes of the two names count as another comparison of their kind: a URI is searched for its host, and a
 * directory name respelled, as far as it goes. Public names have 20 to 150 bytes. */
#define NAMECONSTRAINTS_BYTES_PER_COMPARE 128

struct nameconstraints_budget {
	size_t subtrees;
	size_t compares;
};

struct nameconstraints_budget nameconstraints_budget(void);

/*
 * Judges the names of `below` by the constraints of `ca`, if it has any. NULL: fine, or none. Else what is
 * wrong, a constant. Too much work (the budget is for a whole judgement) is wrong as well.
 */
const char *nameconstraints_fault(const struct cert *ca, const struct cert *below,
				  struct nameconstraints_budget *);

#endif
