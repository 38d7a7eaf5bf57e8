/*
 * sct.h - signed certificate timestamps as they stand in a certificate.
 *
 * Reading only: nothing here knows keys, logs, policy or the clock. Every span points into the caller's
 * bytes.
 */
#ifndef VERIFY_CT_SCT_H
#define VERIFY_CT_SCT_H

#include "base/bytes.h"
#include "base/res.h"

#define SCT_LIST_MAX 32 /* SCTs in one list; certificates carry two to five */

/* HashAlgorithm and SignatureAlgorithm of RFC 5246, 7.4.1.4.1: the two that RFC 6962, 2.1.4 allows. */
#define SCT_HASH_SHA256     4
#define SCT_SIGNATURE_RSA   1
#define SCT_SIGNATURE_ECDSA 3

struct sct {
	bool malformed;         /* its bytes cannot be read: only the fields before the fault are set */
	uint8_t version;        /* 0 means v1; of any other version nothing more is read */
	struct span log_id;     /* 32 bytes: SHA-256 of the log's key */
	uint64_t timestamp_ms;  /* since the epoch; milliseconds are what is signed */
	struct span extensions; /* signed too, so kept as received */
	uint8_t hash_algorithm;
	uint8_t signature_algorithm;
	struct span signature;
};

struct sct_list {
	struct sct sct[SCT_LIST_MAX];
	size_t n;
};

/* Reads one SCT; if it cannot be read, sets malformed. */
void sct_read(struct sct *, struct span wire);

/*
 * Reads the value of the SCT-list extension: an OCTET STRING that holds a SignedCertificateTimestampList (RFC
 * 6962, 3.3). A fault inside one SCT leaves the others readable. RES_MALFORMED: the list itself cannot be
 * read, is empty, or has an empty item. RES_LIMIT: more SCTs than are read. On an error the list is empty.
 */
enum res sct_list_read(struct sct_list *, struct span extension);

/*
 * The leaf index that a static-ct log puts into CtExtensions (C2SP static-ct-api): type 0, five bytes. Other types are
 * ignored. RES_MALFORMED: a type occurs twice, or has the wrong length. RES_NOT_FOUND: there is no leaf index.
 */
enum res sct_leaf_index(uint64_t *index, struct span extensions);

#endif
