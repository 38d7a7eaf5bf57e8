/*
 * replay.c - feeds stored inputs to a fuzz target: the corpus as an ordinary test, with any compiler.
 *
 *   fuzz_X [FILE | FOLDER]...      without arguments: the folder X below $FUZZ_CORPUS
 *
 * Every input is copied into memory of exactly its size, so that a read past its end is seen by the sanitizers.
 * Besides each file, every prefix of less than PREFIX_MAX bytes is fed, as parsers fail first on truncated input. A file of
 * DER is also fed with each of its elements damaged. Scripts (fuzz_is_script) are only fed whole.
 *
 * Valgrind, which is forty times slower, finds uninitialised values, which the sanitizers do not: with UNDER_VALGRIND=sample
 * it gets each file, but only every VALGRIND_STEP-th prefix and script, and nothing damaged; with any other value, everything
 * that is not damaged.
 */
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/mutilate.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define INPUT_MAX  (1024 * 1024)
#define PREFIX_MAX 256
#define PATH_SIZE  4096

#define VALGRIND_STEP 8 /* prefixes: one for each eight bytes; scripts: seconds instead of a few minutes */

static unsigned long inputs;
static const char *valgrind; /* NULL: not under valgrind */

static size_t
step(void)
{
	return valgrind != NULL && strcmp(valgrind, "sample") == 0 ? VALGRIND_STEP : 1;
}

static void
feed(const uint8_t *data, size_t n)
{
	uint8_t *exact = malloc(n ? n : 1);

	if (!exact) {
		fprintf(stderr, "no memory for %zu bytes\n", n);
		exit(1);
	}
	if (n)
		memcpy(exact, data, n);
	LLVMFuzzerTestOneInput(exact, n);
	free(exact);
	inputs++;
}

static int
replay_file(const char *path)
{
	static uint8_t data[INPUT_MAX];
	FILE *f = fopen(path, "rb");
	size_t n;

	if (!f) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	n = fread(data, 1, sizeof data, f);
	if (ferror(f) || !feof(f)) {
		fprintf(stderr, "%s: cannot be read, or is larger than %d bytes\n", path, INPUT_MAX);
		fclose(f);
		return 1;
	}
	fclose(f);
	for (size_t k = 0; &fuzz_is_script == NULL && k < n && k < PREFIX_MAX; k += step())
		feed(data, k);
	feed(data, n);
	if (&fuzz_is_script == NULL && valgrind == NULL)
		mutilate(data, n, feed);
	return 0;
}

static int
replay_folder(const char *path)
{
	struct dirent **entry;
	int n = scandir(path, &entry, NULL, alphasort), bad = 0;

	if (n < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	for (int i = 0; i < n; i++) {
		char file[PATH_SIZE];
		bool taken = &fuzz_is_script == NULL || (size_t)i % step() == 0;

		if (taken && entry[i]->d_name[0] != '.') {
			if (snprintf(file, sizeof file, "%s/%s", path, entry[i]->d_name) >= (int)sizeof file)
				bad = 1;
			else
				bad |= replay_file(file);
		}
		free(entry[i]);
	}
	free(entry);
	return bad;
}

static int
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return replay_folder(path);
	return replay_file(path);
}

int
main(int argc, char **argv)
{
	int bad = 0;

	valgrind = getenv("UNDER_VALGRIND");
	for (int i = 1; i < argc; i++)
		bad |= replay(argv[i]);
	if (argc < 2) {
		const char *top = getenv("FUZZ_CORPUS"), *name = strstr(argv[0], "fuzz_"), *next;
		char folder[PATH_SIZE];

		/* The last "fuzz_" of the path, as folders above may have it in their names, too. */
		while (name && (next = strstr(name + 1, "fuzz_")))
			name = next;
		if (!top || !name) {
			fprintf(stderr, "give inputs, or set FUZZ_CORPUS and name the program fuzz_X\n");
			return 2;
		}
		if (snprintf(folder, sizeof folder, "%s/%s", top, name + strlen("fuzz_")) >= (int)sizeof folder)
			return 2;
		bad = replay(folder);
	}
	if (inputs == 0) {
		fprintf(stderr, "no input was found\n");
		return 1;
	}
	printf("%lu inputs\n", inputs);
	return bad;
}
