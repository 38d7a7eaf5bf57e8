/*
 * forge.h - certificates with any contents that a scenario needs, right or wrong.
 *
 * A forge is filled in, then forge_certificate writes it: TBSCertificate, embedded SCTs of the lab's logs
 * over the TBSCertificate without them (RFC 6962, 3.2), signature. It checks nothing.
 */
#ifndef CONTRIB_LAB_PKI_FORGE_H
#define CONTRIB_LAB_PKI_FORGE_H

#include "base/addr.h"
#include "base/bytes.h"
#include "contrib/lab/pki/key.h"
#include "contrib/lab/pki/toylog.h"

#define FORGE_SCTS_MAX 64
#define FORGE_CERT_MAX (512 * 1024) /* more than a client may read */

/* Bits of the KeyUsage extension, as RFC 5280, 4.2.1.3 numbers them. */
enum forge_usage { USAGE_DIGITAL_SIGNATURE = 1 << 0, USAGE_KEY_CERT_SIGN = 1 << 5, USAGE_CRL_SIGN = 1 << 6 };

enum forge_basic { BASIC_NONE, BASIC_CA, BASIC_END_ENTITY };

enum sct_list_fault {
	SCT_LIST_GOOD,
	SCT_LIST_EMPTY,       /* no item */
	SCT_LIST_EMPTY_ITEM,  /* an empty item at the start */
	SCT_LIST_LENGTH_LIES, /* the list claims one byte more than it has */
	SCT_LIST_TRAILING,    /* a byte after the list */
	SCT_LIST_NOT_NESTED,  /* not wrapped in its second OCTET STRING */
	SCT_LIST_TWICE,       /* the extension occurs twice */
};

struct forge {
	int version;                  /* 3; version 1 has no extensions */
	const char *serial_seed;      /* the serial is a hash of it */
	struct span serial;           /* instead of the hash, when not empty */
	const char *subject, *issuer; /* as derw_name reads them */
	uint8_t string_tag;           /* of the names' strings */
	int64_t not_before_ms, not_after_ms;
	const struct key *key;        /* the subject's */
	const struct key *issuer_key; /* signs */
	enum key_digest digest;
	bool broken_signature;

	enum forge_basic basic;
	int path_length; /* -1: none */
	unsigned usage;  /* 0: no KeyUsage */
	const char *eku; /* OIDs separated by a blank; NULL: none */
	bool must_staple, poison, unknown_critical;
	bool no_key_ids;      /* else both key identifiers, of the keys above */
	struct buf san;       /* GeneralNames without their header; empty: no extension */
	struct buf permitted; /* GeneralSubtrees without their header */
	struct buf excluded;
	struct buf extra; /* complete Extension values, after the others */

	struct forge_sct sct[FORGE_SCTS_MAX];
	size_t n_sct;
	enum sct_list_fault sct_list_fault;
	bool sct_list; /* the extension is there even with no SCT */
};

/* A version 3 certificate with nothing in it. */
void forge_init(struct forge *);
void forge_free(struct forge *); /* the buffers; the forge may be filled again after forge_init */

void forge_san_ip(struct forge *, struct span octets); /* any length */
void forge_san_dns(struct forge *, struct span text);  /* any bytes */
void forge_san_uri(struct forge *, const char *);
void forge_san_email(struct forge *, const char *);
/* A name constraint on addresses: address and mask (RFC 5280, 4.2.1.10). */
void forge_constraint_ip(struct buf *subtrees, const struct addr *, unsigned bits);
void forge_sct_add(struct forge *, enum log_id, int64_t ms, enum sct_fault);

/* Appends the DER certificate. An error makes *out bad. */
void forge_certificate(const struct forge *, struct toylogs *, struct buf *out);
/* Appends the TBSCertificate as the logs see it: without SCT list. */
void forge_precert_tbs(const struct forge *, struct buf *out);
/* The serial that it will have: content bytes of the INTEGER without leading zeros. Returns the number of bytes in out. */
size_t forge_serial(const struct forge *, uint8_t out[20]);

#endif
