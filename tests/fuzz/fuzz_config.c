/*
 * fuzz_config.c - a whole configuration: the main file, conf.d beside it, and the lists that it names.
 *
 * The input is files, separated by bytes of 0: the main file, two of conf.d, a hosts file, a filter list, a disallow file, limits
 * of anchors. `@` in a file stands for the folder. It is compiled as at start and as at a reload. It is either accepted, or
 * refused with readable lines; an accepted one is printed, and reads again as the same.
 */
#include "config.h"

#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/scratch.h"

#include "base/text.h"
#include "config/reader.h"
#include "resolver/plan.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES     7
#define INPUT_MAX 16384

const bool fuzz_is_script = true; /* prefixes are fed to fuzz_settings */

static const char *folder;


/* conf.d/00.conf sets the anchors whatever the main file has: the system's take a hundred times as long to read as all the
 * rest. */
static const char first_conf[] = "trust { anchors = \"" DATA_DIR "/replay/anchor.pem\" }  user = \"\"  state-dir = \"\"\n";

static void
file_write(const char *name, struct span text)
{
	char path[128];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	check((f = fopen(path, "wb")) != NULL);
	for (size_t i = 0; i < text.n; i++)
		if (text.p[i] == '@')
			(void)fputs(folder, f);
		else
			(void)fputc(text.p[i], f);
	check(fclose(f) == 0);
}

static void
folder_make(void)
{
	char path[128];

	folder = scratch_folder();
	(void)snprintf(path, sizeof path, "%s/conf.d", folder);
	check(mkdir(path, 0700) == 0);
	file_write("conf.d/00.conf", span_str(first_conf));
}

static void
errors_check(const struct config_errors *errors, bool refused)
{
	check(!refused || errors->n > 0);
	for (size_t i = 0; i < errors->n; i++) {
		struct span line = span_str(errors->line[i]);

		check(line.n > 0);
		while (line.n > 0) {
			uint32_t c = 0;
			size_t n = utf8_read(&c, line);

			check(n > 0 && !unicode_is_control(c));
			line = span_slice(line, n, line.n);
		}
	}
}

static struct buf
printed(const char *path, bool *taken)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	struct buf out = buf_max(4 * 1024 * 1024);
	char *text = NULL;
	size_t n = 0;
	FILE *f;

	*taken = settings_read(&s, path, &errors) == RES_OK;
	errors_check(&errors, !*taken);
	if (*taken) {
		check((f = open_memstream(&text, &n)) != NULL && settings_print(s, f) == RES_OK && fclose(f) == 0);
		buf_put(&out, span_of(text, n));
		free(text);
	}
	check(buf_ok(&out));
	settings_free(s);
	config_errors_free(&errors);
	return out;
}

/* Printed, and read again from one file. */
static bool
prints_itself(const char *path)
{
	char copy[128];
	bool taken, again;
	struct buf first = printed(path, &taken), second;
	FILE *f;

	(void)snprintf(copy, sizeof copy, "%s/copy", folder);
	if (taken && first.n <= CONFIG_FILE_MAX) {
		check(mkdir(copy, 0700) == 0);
		(void)snprintf(copy, sizeof copy, "%s/copy/c", folder);
		check((f = fopen(copy, "wb")) != NULL && fwrite(first.p, 1, first.n, f) == first.n && fclose(f) == 0);
		second = printed(copy, &again);
		check(again && span_equal(buf_span(&first), buf_span(&second)));
		buf_free(&second);
		check(unlink(copy) == 0);
		(void)snprintf(copy, sizeof copy, "%s/copy", folder);
		check(rmdir(copy) == 0);
	}
	buf_free(&first);
	return taken;
}

static void
compile(const char *path, bool at_boot)
{
	struct config_errors errors = {0};
	struct plan *plan = NULL;
	enum res res = plan_read(&plan, path, 1, at_boot, &errors);

	check((res == RES_OK) == (plan != NULL));
	errors_check(&errors, res != RES_OK);
	plan_unref(plan);
	config_errors_free(&errors);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
	static const char *const names[FILES] = {"main.conf", "conf.d/10.conf", "conf.d/20.conf", "hosts", "filter", "disallow", "limits"};
	struct span rest = span_of(data, n);
	char path[128];

	if (n > INPUT_MAX)
		return 0;
	if (folder == NULL)
		folder_make();
	for (size_t i = 0; i < FILES; i++) {
		const uint8_t *end = rest.n > 0 ? memchr(rest.p, 0, rest.n) : NULL;
		size_t length = end != NULL ? (size_t)(end - rest.p) : rest.n;

		file_write(names[i], span_slice(rest, 0, length));
		rest = span_slice(rest, end != NULL ? length + 1 : length, rest.n);
	}
	(void)snprintf(path, sizeof path, "%s/main.conf", folder);
	if (prints_itself(path)) {
		compile(path, true);
		compile(path, false);
	}
	return 0;
}
