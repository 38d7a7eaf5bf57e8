#include "config.h"

#include "cli/setup/xattrs.h"

#include <string.h>
#include <sys/xattr.h>

#define NAMES_MAX 4096  /* bytes of all names; the kernel's limit is 64 KiB */
#define VALUE_MAX 16384 /* bytes; file systems keep few attributes that are longer */

static enum res
xattr_get(struct buf *out, int fd, const char *name)
{
	uint8_t value[VALUE_MAX];
	ssize_t n = fgetxattr(fd, name, value, sizeof value);

	if (n < 0) /* gone meanwhile, or not for us to read */
		return RES_OK;
	buf_put(out, span_of(name, strlen(name) + 1));
	buf_u32(out, (uint32_t)n);
	buf_put(out, span_of(value, (size_t)n));
	return buf_ok(out) ? RES_OK : RES_LIMIT;
}

enum res
xattrs_get(struct buf *out, int fd)
{
	char names[NAMES_MAX];
	ssize_t n = flistxattr(fd, names, sizeof names);
	enum res res = RES_OK;

	for (ssize_t i = 0; i < n && res == RES_OK; i += (ssize_t)strlen(names + i) + 1)
		res = xattr_get(out, fd, names + i);
	return res;
}

void
xattrs_put(int fd, struct span kept)
{
	struct cursor in = cursor_over(kept);

	while (cursor_left(&in) > 0) {
		const uint8_t *at = kept.p + (kept.n - cursor_left(&in));
		const uint8_t *end = memchr(at, '\0', cursor_left(&in));
		struct span name = cursor_take(&in, end != NULL ? (size_t)(end - at) + 1 : 0);
		uint32_t n = cursor_u32(&in);
		struct span value = cursor_take(&in, n);

		if (end == NULL || !cursor_ok(&in))
			return;
		(void)fsetxattr(fd, (const char *)name.p, value.p, value.n, 0);
	}
}
