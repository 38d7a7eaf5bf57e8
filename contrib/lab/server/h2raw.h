/*
 * h2raw.h - HTTP/2 frames that libraries do not write: floods, bombs, noise (RFC 9113; RFC 7541).
 */
#ifndef CONTRIB_LAB_SERVER_H2RAW_H
#define CONTRIB_LAB_SERVER_H2RAW_H

#include "contrib/lab/server/lab_conn.h"

/* Sent at the start of a connection. True: it replaces HTTP/2 altogether. */
bool h2raw_greeting(struct lab_conn *);
/* Sent before the answer on the stream. True: it replaces the answer. */
bool h2raw_before_answer(struct lab_conn *, int32_t stream, struct span message);

#endif
