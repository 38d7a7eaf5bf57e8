/*
 * signing_log.h - a log of RFC 6962 with a key of its own, which signs its tree heads. One in a program.
 */
#ifndef TESTS_UNIT_VERIFY_CT_SIGNING_LOG_H
#define TESTS_UNIT_VERIFY_CT_SIGNING_LOG_H

#include "verify/ct/ctlogs.h"
#include "verify/ct/head.h"

/* Makes an ECDSA key on P-256, and puts key, key_kind and id into log; log->key is valid until signing_log_close. False: GnuTLS
 * could not. */
bool signing_log_open(struct ctlog *log);
void signing_log_close(void);
/* Signs size, time and root hash as RFC 6962, 3.5 defines them, written a second time here. Fails the test on an error. */
void signing_log_sign(struct head *head);

#endif
