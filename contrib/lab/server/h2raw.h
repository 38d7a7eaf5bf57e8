/*
 * h2raw.h - HTTP/2 frames that no library would write: floods, bombs, noise (RFC 9113; RFC 7541).
 */
#ifndef CONTRIB_LAB_SERVER_H2RAW_H
#define CONTRIB_LAB_SERVER_H2RAW_H

#include "contrib/lab/server/lab_conn.h"

/* What a connection begins with instead of HTTP/2. True: nothing of HTTP/2 may follow. */
bool h2raw_greeting(struct lab_conn *);
/* What comes before the answer on the stream. True: it takes the answer's place. */
bool h2raw_before_answer(struct lab_conn *, int32_t stream, struct span message);

#endif
