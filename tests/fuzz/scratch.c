#include "config.h"

#include "tests/fuzz/scratch.h"

#include "tests/fuzz/fuzz.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

static char folder[] = "/tmp/fuzz-XXXXXX";

static int
on_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void
folder_remove(void)
{
	(void)nftw(folder, on_entry, 8, FTW_DEPTH | FTW_PHYS);
}

const char *
scratch_folder(void)
{
	static const char *made;

	if (made == NULL) {
		check((made = mkdtemp(folder)) != NULL);
		check(atexit(folder_remove) == 0);
	}
	return made;
}
