/*
 * res.h - the outcome of a function that can fail.
 *
 * Errors are values: a function that can fail returns one of these and touches
 * its out-parameters only on RES_OK (unless its comment says otherwise).
 */
#ifndef BASE_RES_H
#define BASE_RES_H

enum res {
	RES_OK = 0,
	RES_MALFORMED,   /* bytes or text are not of the form they must have */
	RES_LIMIT,       /* well-formed, but beyond a named limit */
	RES_UNSUPPORTED, /* well-formed, of a kind that is not handled */
	RES_NOT_FOUND,   /* what was asked for is not there */
	RES_NOMEM,       /* no memory */
	RES_IO,          /* the system refused; errno says why */
};

/* A short English text for people, lent and constant. */
const char *res_text(enum res);

/* As res_text(), but of RES_IO what errno says. Call it before anything else that may fail. */
const char *res_why(enum res);

#endif
