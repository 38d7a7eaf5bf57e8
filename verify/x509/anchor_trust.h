/*
 * anchor_trust.h - what the owner of a "TRUSTED CERTIFICATE" (OpenSSL, X509_CERT_AUX after the certificate) says that it
 * is for.
 */
#ifndef VERIFY_X509_ANCHOR_TRUST_H
#define VERIFY_X509_ANCHOR_TRUST_H

#include "base/bytes.h"
#include "base/res.h"

/*
 * *servers: may it vouch for TLS servers? As OpenSSL's "compat" trust: not when it rejects serverAuth or any use; not when
 * it lists uses without either of them. `aux` may be empty, which sets no limit. RES_MALFORMED: not such settings; then
 * *servers is false.
 */
enum res anchor_trust_read(bool *servers, struct span aux);

#endif
