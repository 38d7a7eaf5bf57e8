#include "transport/tls.h"
#include "transport/transport.h"
#include "verify/why.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#define IDENTITY_FILE_MAX (1024 * 1024) /* a chain and a key in PEM are a few KiB */

static enum res
file_read(struct buf *out, const char *file, char **why)
{
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;

	if (fd >= 0) {
		do {
			uint8_t *p = buf_room(out, 4096);

			n = p == NULL ? -1 : read(fd, p, 4096);
			if (n > 0)
				buf_added(out, (size_t)n);
		} while (n > 0 || (n < 0 && errno == EINTR && buf_ok(out)));
	}
	if (n != 0)
		(void)why_say(why, RES_IO, "cannot read %s: %s", file,
			      buf_ok(out) ? strerror(errno) : "too large");
	if (fd >= 0)
		close(fd);
	return n == 0 ? RES_OK : RES_IO;
}

enum res
tp_identity_load(struct tp_identity **out, const char *cert_file, const char *key_file, char **why)
{
	struct buf cert = buf_max(IDENTITY_FILE_MAX), key = buf_max(IDENTITY_FILE_MAX);
	const char *what;
	enum res res = file_read(&cert, cert_file, why);

	if (res == RES_OK)
		res = file_read(&key, key_file, why);
	if (res == RES_OK) {
		res = tls_identity_new(out, buf_span(&cert), buf_span(&key), &what);
		if (res != RES_OK)
			(void)why_say(why, res, "%s with %s: %s", cert_file, key_file, what);
	}
	if (key.p != NULL)
		explicit_bzero(key.p, key.cap);
	buf_free(&key);
	buf_free(&cert);
	return res;
}
