/*
 * data_file.h - the files of tests/data that unit tests read.
 */
#ifndef TESTS_UNIT_VERIFY_DATA_FILE_H
#define TESTS_UNIT_VERIFY_DATA_FILE_H

#include "base/bytes.h"

#include <stdio.h>

#define TEST_FILE_MAX (16 * 1024 * 1024)

/* A whole file of tests/data; the test fails without it. Yours to free. */
static inline struct buf
data_file(const char *name)
{
	char path[512];
	struct buf out = buf_max(TEST_FILE_MAX);
	size_t n;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", DATA_DIR, name);
	f = fopen(path, "rb");
	if (f == NULL)
		fail_msg("no %s", path);
	do {
		uint8_t *room = buf_room(&out, 65536);

		n = room == NULL ? 0 : fread(room, 1, 65536, f);
		buf_added(&out, n);
	} while (n > 0);
	(void)fclose(f);
	return out;
}

#endif
