/*
 * entry.h - one name in the file system as it is: absent, a regular file, or a symbolic link; read, compared, put back.
 *
 * What setup changes is small configuration: a file above ENTRY_FILE_MAX is not touched.
 */
#ifndef CLI_SETUP_ENTRY_H
#define CLI_SETUP_ENTRY_H

#include "base/bytes.h"
#include "base/res.h"

#include <sys/types.h>
#include <time.h>

#define ENTRY_FILE_MAX   (256 * 1024)
#define ENTRY_TARGET_MAX 1024
#define ENTRY_XATTRS_MAX 65536 /* an ACL or a label has some hundred bytes */
#define ENTRY_DIGEST_LEN 65    /* SHA-256 in hex, and a NUL */

enum entry_kind { ENTRY_ABSENT, ENTRY_FILE, ENTRY_LINK };

struct entry {
	enum entry_kind kind;
	mode_t mode; /* permission bits; of a file */
	uid_t uid;
	gid_t gid;
	struct timespec mtime; /* 0: now */
	struct buf bytes;      /* owned: the content of a file, or where a link points to */
	struct buf xattrs;     /* owned: extended attributes of a file (xattrs.h) */
};

void entry_free(struct entry *);
/* Reads the present state. A missing folder is an absent entry. RES_UNSUPPORTED: a folder or a device. RES_LIMIT:
 * too large. */
enum res entry_read(struct entry *, const char *path);
/* Kind, bytes, mode and owner are the same; the time is not compared, nor are extended attributes, which the system may add. */
bool entry_equal(const struct entry *, const struct entry *);
/* The digest of the kind, the mode, the owner and the bytes, so that a change of any of them is detected. */
enum res entry_digest(char digest[ENTRY_DIGEST_LEN], const struct entry *);
/*
 * Brings the name to the state of the entry, atomically (a new name, then rename). A file that cannot be replaced by
 * rename because it is a mount point (a container's /etc/resolv.conf) is written in place. Missing folders are not
 * created. RES_IO: errno.
 */
enum res entry_write(const char *path, const struct entry *);

#endif
