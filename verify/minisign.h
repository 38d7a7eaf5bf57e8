/*
 * minisign.h - detached Ed25519 signatures of files by an organisation's own key.
 *
 * The text form is minisign's, with signatures over the file itself ("Ed"); what minisign makes by default signs a
 * BLAKE2b hash ("ED"), which GnuTLS does not know and is RES_UNSUPPORTED here: `minisign -S -l` makes the other kind.
 * Reading and checking only; nothing here knows files, time or what is signed.
 */
#ifndef VERIFY_MINISIGN_H
#define VERIFY_MINISIGN_H

#include "base/bytes.h"
#include "base/res.h"

#define MINISIGN_FILE_MAX 8192 /* of a key or signature; they have 120 and 300 bytes, and comments */
#define MINISIGN_ID       8
#define MINISIGN_KEY      32
#define MINISIGN_SIG      64

struct minisign_key {
	uint8_t id[MINISIGN_ID]; /* distinguishes keys, and proves nothing */
	uint8_t key[MINISIGN_KEY];
};

/* A public key: an untrusted comment, then base64. *why on failure (yours; NULL: no memory). */
enum res minisign_key_read(struct minisign_key *, struct span file, char **why);
/* Did this key sign these bytes and the trusted comment of the signature? *comment (may be NULL) gets that comment, a
 * span over the signature. RES_MALFORMED: no; *why says what is wrong. */
enum res minisign_verify(const struct minisign_key *, struct span data, struct span signature,
			 struct span *comment, char **why);

#endif
