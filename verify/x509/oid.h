/*
 * oid.h - object identifiers that the judge knows, as the content bytes they have in DER.
 */
#ifndef VERIFY_X509_OID_H
#define VERIFY_X509_OID_H

#include "base/bytes.h"

#define OID(bytes) ((struct span){(const uint8_t *)(bytes), sizeof(bytes) - 1})

/* extensions (RFC 5280, 4.2) */
#define OID_SUBJECT_KEY_ID     OID("\x55\x1d\x0e")
#define OID_KEY_USAGE          OID("\x55\x1d\x0f")
#define OID_SUBJECT_ALT_NAME   OID("\x55\x1d\x11")
#define OID_ISSUER_ALT_NAME    OID("\x55\x1d\x12")
#define OID_BASIC_CONSTRAINTS  OID("\x55\x1d\x13")
#define OID_NAME_CONSTRAINTS   OID("\x55\x1d\x1e")
#define OID_CRL_DISTRIBUTION   OID("\x55\x1d\x1f")
#define OID_POLICIES           OID("\x55\x1d\x20")
#define OID_POLICY_MAPPINGS    OID("\x55\x1d\x21")
#define OID_ANY_POLICY         OID("\x55\x1d\x20\x00") /* a value, not an extension */
#define OID_POLICY_CONSTRAINTS OID("\x55\x1d\x24")
#define OID_AUTHORITY_KEY_ID   OID("\x55\x1d\x23")
#define OID_EXTENDED_KEY_USAGE OID("\x55\x1d\x25")
#define OID_INHIBIT_ANY_POLICY OID("\x55\x1d\x36")
#define OID_AUTHORITY_INFO     OID("\x2b\x06\x01\x05\x05\x07\x01\x01")
#define OID_TLS_FEATURE        OID("\x2b\x06\x01\x05\x05\x07\x01\x18")         /* RFC 7633 */
#define OID_PRECERT_POISON     OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03") /* RFC 6962, 3.1 */
#define OID_SCT_LIST           OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02") /* RFC 6962, 3.3 */

/* qualifiers of policies (RFC 5280, 4.2.1.4) */
#define OID_QUALIFIER_CPS    OID("\x2b\x06\x01\x05\x05\x07\x02\x01")
#define OID_QUALIFIER_NOTICE OID("\x2b\x06\x01\x05\x05\x07\x02\x02")

/* an attribute of names (RFC 2985, 5.2.1) */
#define OID_EMAIL_ADDRESS OID("\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01")

/* purposes (RFC 5280, 4.2.1.12) */
#define OID_SERVER_AUTH OID("\x2b\x06\x01\x05\x05\x07\x03\x01")
#define OID_ANY_PURPOSE OID("\x55\x1d\x25\x00")
/* what a TLS server's certificate must not be for as well (Baseline Requirements, 7.1.2.7.10) */
#define OID_CODE_SIGNING     OID("\x2b\x06\x01\x05\x05\x07\x03\x03")
#define OID_EMAIL_PROTECTION OID("\x2b\x06\x01\x05\x05\x07\x03\x04")
#define OID_TIME_STAMPING    OID("\x2b\x06\x01\x05\x05\x07\x03\x08")
#define OID_OCSP_SIGNING     OID("\x2b\x06\x01\x05\x05\x07\x03\x09")
#define OID_PRECERT_SIGNING  OID("\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x04") /* RFC 6962, 3.1 */

/* keys */
#define OID_RSA     OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01") /* rsaEncryption */
#define OID_RSA_PSS OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
#define OID_EC      OID("\x2a\x86\x48\xce\x3d\x02\x01") /* id-ecPublicKey */
#define OID_ED25519 OID("\x2b\x65\x70")
#define OID_ED448   OID("\x2b\x65\x71")
#define OID_P256    OID("\x2a\x86\x48\xce\x3d\x03\x01\x07")
#define OID_P384    OID("\x2b\x81\x04\x00\x22")
#define OID_P521    OID("\x2b\x81\x04\x00\x23")

/* signatures */
#define OID_RSA_MD5      OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04")
#define OID_RSA_SHA1     OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05")
#define OID_RSA_SHA224   OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e")
#define OID_RSA_SHA256   OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b")
#define OID_RSA_SHA384   OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c")
#define OID_RSA_SHA512   OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d")
#define OID_ECDSA_SHA1   OID("\x2a\x86\x48\xce\x3d\x04\x01")
#define OID_ECDSA_SHA224 OID("\x2a\x86\x48\xce\x3d\x04\x03\x01")
#define OID_ECDSA_SHA256 OID("\x2a\x86\x48\xce\x3d\x04\x03\x02")
#define OID_ECDSA_SHA384 OID("\x2a\x86\x48\xce\x3d\x04\x03\x03")
#define OID_ECDSA_SHA512 OID("\x2a\x86\x48\xce\x3d\x04\x03\x04")
#define OID_MGF1         OID("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08") /* RFC 4055, 2.2 */

/* digests, in the parameters of RSASSA-PSS (RFC 4055) */
#define OID_SHA256 OID("\x60\x86\x48\x01\x65\x03\x04\x02\x01")
#define OID_SHA384 OID("\x60\x86\x48\x01\x65\x03\x04\x02\x02")
#define OID_SHA512 OID("\x60\x86\x48\x01\x65\x03\x04\x02\x03")

#endif
