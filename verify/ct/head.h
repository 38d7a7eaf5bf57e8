/*
 * head.h - the signed tree head of a log, in both forms that logs give it.
 *
 * RFC 6962, 4.3: JSON of get-sth. C2SP static-ct-api: a checkpoint, which is a signed note (C2SP signed-note) with a
 * signature of type 5. Both sign the same bytes (RFC 6962, 3.5), so one struct holds either. Nothing here knows files,
 * the network or the clock.
 */
#ifndef VERIFY_CT_HEAD_H
#define VERIFY_CT_HEAD_H

#include "verify/ct/ctlogs.h"
#include "verify/ct/tree.h"

#define HEAD_FILE_MAX      (16 * 1024) /* a head, as JSON or note: 1 KB, more where witnesses sign too */
#define HEAD_SIGNATURE_MAX 512         /* RSA of 4096 bits; ECDSA needs 72 */
#define HEAD_ORIGIN_MAX    512         /* the name of a log in its checkpoint */

struct head {
	uint64_t size;         /* leaves; at most TREE_SIZE_MAX */
	uint64_t timestamp_ms; /* at most INT64_MAX, the largest number of JSON here */
	struct tree_hash root;
	uint8_t hash_algorithm; /* as in sct.h */
	uint8_t signature_algorithm;
	uint16_t n_signature;
	uint8_t signature[HEAD_SIGNATURE_MAX];
};

/* RES_MALFORMED, with a sentence in *why (yours; may be NULL for no memory). The signature is not checked. */
enum res head_read_sth(struct head *, struct span json, char **why);
/*
 * The checkpoint's signature is the one whose name is the origin and whose key is this log's; signatures of others are
 * ignored. `origin` is the submission prefix without its scheme and last slash; NULL accepts any.
 */
enum res head_read_checkpoint(struct head *, struct span note, const uint8_t log_id[32], const char *origin,
			      char **why);
/* Appends the JSON of get-sth, which head_read_sth reads. */
void head_write_sth(struct buf *, const struct head *);

/* RES_MALFORMED: the log's key did not make this signature. RES_NOMEM. */
enum res head_verify(const struct head *, const struct ctlog *);

#endif
