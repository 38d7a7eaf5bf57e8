/*
 * logs_reply.h - requests to the lab's CT logs, their replies, and the misbehaviours.
 */
#ifndef CONTRIB_LAB_LOGS_LOGS_REPLY_H
#define CONTRIB_LAB_LOGS_LOGS_REPLY_H

#include "base/bytes.h"

#define LOGS_BODY_MAX  (4 * 1024 * 1024) /* a submission; a chain is a tenth of it */
#define LOGS_REPLY_MAX (64 * 1024 * 1024)

enum misbehaviour {
#define MISBEHAVIOUR(id, name, sentence) MISBEHAVE_##id,
#include "contrib/lab/logs/lab_misbehaviour.def"
#undef MISBEHAVIOUR
	MISBEHAVIOUR_COUNT
};

struct logs_options {
	uint64_t fill;          /* entries that every log has from the start */
	size_t entry_size;      /* bytes of DER of each of these, about */
	int64_t merge_delay_ms; /* until a submission is in the tree */
	unsigned batch;         /* entries that get-entries gives at most */
	int gzip_level;         /* of tiles of entries; 0: they are not compressed */
};

struct logs_request {
	bool post;
	struct span path; /* with the query */
	struct span body;
	bool gzip; /* the client takes it */
};

struct logs_reply {
	int status;
	const char *type;
	bool gzip;
	int retry_after_s; /* 0: none */
	bool slow, endless;
	struct buf body;
};

#endif
