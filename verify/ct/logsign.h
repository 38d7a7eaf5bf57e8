/*
 * logsign.h - signatures that CT logs make: of SCTs and of tree heads (RFC 6962, 2.1.4).
 */
#ifndef VERIFY_CT_LOGSIGN_H
#define VERIFY_CT_LOGSIGN_H

#include "verify/ct/ctlogs.h"

/* Are these the two algorithm bytes (RFC 5246, 7.4.1.4.1) of signatures by the log's key? */
bool log_algorithm_fits(const struct ctlog *, uint8_t hash, uint8_t signature);
/* RES_MALFORMED: the log's key did not sign the data, or the signature has a form that no log may use. RES_NOMEM. */
enum res log_signature_verify(const struct ctlog *, struct span data, struct span signature);

#endif
