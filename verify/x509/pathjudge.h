/*
 * pathjudge.h - is this candidate path good? Every fault of it, not only the first.
 */
#ifndef VERIFY_X509_PATHJUDGE_H
#define VERIFY_X509_PATHJUDGE_H

#include "verify/judge.h"

#define PATH_FAULTS_MAX 128 /* at most seven for each certificate, and some for the path */

struct path_fault {
	enum reason reason;
	size_t at;        /* of which certificate of the path */
	const char *what; /* a constant */
	bool reported;    /* its rule is in report mode: it does not make the path worse than it is */
};

struct path_faults {
	struct path_fault fault[PATH_FAULTS_MAX];
	size_t n;
	bool starved; /* no memory: nothing else here means anything */
};

void path_faults_add(struct path_faults *, enum reason, size_t at, const char *what);
bool path_faults_has(const struct path_faults *, enum reason);

/* How bad a path is, by its worst fault; a path up to PATH_DATED is one whose signatures and constraints
 * hold. */
enum path_grade { PATH_GOOD, PATH_UNWANTED, PATH_WEAK, PATH_DATED, PATH_BROKEN, PATH_UNPROVEN };
enum path_grade path_grade(const struct path_faults *);

/* All but what the policy wants of it: form, usage, constraints, strength, dates by our own reading; then
 * signatures, and everything once more, by GnuTLS. */
void path_judge(struct path_faults *, struct judgement *, const struct path *);

#endif
