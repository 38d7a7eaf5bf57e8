/*
 * toylog.h - the lab's CT logs: operators, states, keys, the SCTs they sign and the list that names them.
 *
 * Here the logs keep no tree: they sign whatever they are given, as RFC 6962, 3.2 says. Static-ct logs put a
 * leaf_index into the SCT's extensions, which are signed too. The trees are in contrib/lab/logs.
 */
#ifndef CONTRIB_LAB_PKI_TOYLOG_H
#define CONTRIB_LAB_PKI_TOYLOG_H

#include "base/bytes.h"
#include "base/res.h"
#include "contrib/lab/pki/key.h"

enum log_id {
	LOG_ALPHA,     /* RFC 6962, usable */
	LOG_ALPHA_TWO, /* of the same operator */
	LOG_BETA,
	LOG_GAMMA,       /* qualified */
	LOG_DELTA_TILED, /* static-ct */
	LOG_ALPHA_TILED, /* static-ct, the first operator's */
	LOG_READONLY,
	LOG_PENDING,
	LOG_REJECTED,
	LOG_RETIRED_EARLY, /* 60 days ago */
	LOG_RETIRED_LATE,  /* yesterday */
	LOG_RETIRED_LATE_TWO,
	LOG_STATELESS,  /* the list gives no state: counts as pending */
	LOG_TEST,       /* log_type "test" */
	LOG_SHARD_PAST, /* for certificates that ended a year ago */
	LOG_SHARD_NOW,  /* for certificates that end this season */
	LOG_MOVED,      /* Alpha's until yesterday */
	LOG_RSA,
	LOG_UNKNOWN, /* in no list */
	LOG_MIMIC,   /* has the id of a log whose private key is public */
	LOG_COUNT
};

enum sct_fault {
	SCT_GOOD,
	SCT_BROKEN_SIGNATURE,  /* one bit of the signature */
	SCT_OTHER_CERTIFICATE, /* signed for other bytes */
	SCT_OTHER_ISSUER,      /* with another issuer's key hash */
	SCT_X509_ENTRY,        /* signed as an x509_entry, not as a precert_entry */
	SCT_OTHER_TIME,        /* the timestamp is another than the signed one */
	SCT_VERSION_2,
	SCT_ALGORITHM_RSA,      /* claims RSA for an ECDSA key */
	SCT_ALGORITHM_SHA1,     /* claims SHA-1 */
	SCT_NO_EXTENSIONS,      /* a static-ct log without its leaf_index */
	SCT_ALTERED_EXTENSIONS, /* the leaf_index was changed after signing */
	SCT_SPARE_EXTENSION,    /* an extension of unknown type after the leaf_index */
};

struct forge_sct {
	enum log_id log;
	int64_t ms;
	enum sct_fault fault;
};

/* What a log signs for a precertificate. */
struct log_entry {
	struct span tbs;                /* TBSCertificate without the SCT list */
	const uint8_t *issuer_key_hash; /* 32 bytes */
};

struct toylogs;

/* Keys live in `folder` and are made when they are first needed. */
enum res toylogs_new(struct toylogs **, const char *folder, int64_t at_ms);
void toylogs_free(struct toylogs *);

/* Appends one serialised SCT. An error makes *out bad. */
void toylog_sign(struct toylogs *, const struct forge_sct *, const struct log_entry *, struct buf *out);

enum list_variant { LIST_FRESH, LIST_69_DAYS, LIST_71_DAYS, LIST_ALL_RETIRED, LIST_COUNT };
/* File name of the variant in the lab's folder. */
const char *pkidir_list_variant(enum list_variant);
/* Appends the list as v3 JSON. Every log's URL is its name below `base`, "https://127.0.0.1:8445"; NULL: a host of its
 * own in lab.test, which does not exist. */
enum res toylogs_list(struct toylogs *, enum list_variant, const char *base, struct buf *out);

/* One log. The key is lent; NULL: it could be neither read nor made. */
const struct key *toylog_key(struct toylogs *, enum log_id);
const char *toylog_name(enum log_id);
bool toylog_is_tiled(enum log_id);
bool toylog_is_listed(enum log_id);
int64_t toylog_mmd_s(enum log_id); /* maximum merge delay */

#endif
