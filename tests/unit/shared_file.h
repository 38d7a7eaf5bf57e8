/*
 * shared_file.h - real data that lies beside the tree where a developer has it. A test that wants it says so and
 * skips when it is absent.
 */
#ifndef TESTS_SHARED_FILE_H
#define TESTS_SHARED_FILE_H

#include "base/bytes.h"

#include <stdio.h>

#define SHARED_FILE_MAX (16 * 1024 * 1024)

/* The whole file, or false. */
static inline bool
shared_file(struct buf *out, const char *name)
{
	char path[512];
	size_t n;
	FILE *f;

	*out = buf_max(SHARED_FILE_MAX);
	(void)snprintf(path, sizeof path, "%s/%s", SHARED_DIR, name);
	f = fopen(path, "rb");
	if (f == NULL) {
		print_message("             (skipped: no %s)\n", name);
		return false;
	}
	do {
		uint8_t *room = buf_room(out, 65536);

		n = room == NULL ? 0 : fread(room, 1, 65536, f);
		buf_added(out, n);
	} while (n > 0);
	(void)fclose(f);
	return true;
}

#endif
