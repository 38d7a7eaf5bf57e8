/*
 * shared_file.h - files that tests read: those of tests/data, and real data that lies beside the tree where a
 * developer has it. A test that wants the latter says so and skips when it is absent.
 */
#ifndef TESTS_SHARED_FILE_H
#define TESTS_SHARED_FILE_H

#include "base/bytes.h"

#include <stdio.h>

#define TEST_FILE_MAX (16 * 1024 * 1024)

/* The whole file, or false. */
static inline bool
file_read(struct buf *out, const char *folder, const char *name)
{
	char path[512];
	size_t n;
	FILE *f;

	*out = buf_max(TEST_FILE_MAX);
	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "rb");
	if (f == NULL)
		return false;
	do {
		uint8_t *room = buf_room(out, 65536);

		n = room == NULL ? 0 : fread(room, 1, 65536, f);
		buf_added(out, n);
	} while (n > 0);
	(void)fclose(f);
	return true;
}

/* From beside the tree. */
static inline bool
shared_file(struct buf *out, const char *name)
{
	if (file_read(out, SHARED_DIR, name))
		return true;
	print_message("             (skipped: no %s)\n", name);
	return false;
}

/* From tests/data: it must be there. */
static inline struct buf
data_file(const char *name)
{
	struct buf b;

	if (!file_read(&b, DATA_DIR, name))
		fail_msg("no %s/%s", DATA_DIR, name);
	return b;
}

#endif
