/* Which files are read, whose they may be, and what each of them adds: the main file and those of conf.d. */
#include "config/settings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void
write_file(const char *folder, const char *name, const char *text, mode_t mode)
{
	char path[256];
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", folder, name);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	fclose(f);
	assert_int_equal(chmod(path, mode), 0);
}

struct folder {
	char path[64];
	char conf_d[96];
	char file[96];
};

static void
folder_make(struct folder *f)
{
	(void)snprintf(f->path, sizeof f->path, "%s", "/tmp/ctstub-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	(void)snprintf(f->conf_d, sizeof f->conf_d, "%s/conf.d", f->path);
	(void)snprintf(f->file, sizeof f->file, "%s/ctstub.conf", f->path);
	assert_int_equal(mkdir(f->conf_d, 0755), 0);
}

static void
folder_remove(struct folder *f)
{
	static const char *const names[] = {"ctstub.conf", "conf.d/10-a.conf", "conf.d/20-b.conf", "conf.d/.hidden.conf",
	    "conf.d/note.txt"};
	char path[256];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		(void)snprintf(path, sizeof path, "%s/%s", f->path, names[i]);
		(void)unlink(path);
	}
	assert_int_equal(rmdir(f->conf_d), 0);
	assert_int_equal(rmdir(f->path), 0);
}

static void
sections_of_one_title_merge_over_conf_d(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	struct folder f;

	(void)state;
	folder_make(&f);
	write_file(f.path, "ctstub.conf", "workers = 1\nupstream \"corp\" { address = {\"192.0.2.1\"}  ct = \"off\"\n"
	    " disallow = {\"issuer CN=a\"} }\n", 0644);
	write_file(f.conf_d, "20-b.conf", "workers = 3\nupstream \"corp\" { disallow += {\"issuer CN=c\"} port = 8853 }\n", 0644);
	write_file(f.conf_d, "10-a.conf", "workers = 2\nupstream \"corp\" { address = {\"192.0.2.2\"} disallow += {\"issuer CN=b\"} }\n",
	    0644);
	write_file(f.conf_d, ".hidden.conf", "nonsense", 0644);
	write_file(f.conf_d, "note.txt", "nonsense", 0644);
	assert_int_equal(settings_read(&s, f.file, &errors), RES_OK);
	assert_int_equal(s->workers, 3);
	assert_int_equal(s->n_upstream, 1);
	assert_int_equal(s->n_file, 3);
	assert_int_equal(s->upstream[0].address.n, 1);
	assert_int_equal(s->upstream[0].address.v[0].ip[3], 2);
	assert_int_equal(s->upstream[0].address.v[0].port, 8853);
	assert_string_equal(s->upstream[0].ct, "off");
	assert_int_equal(s->upstream[0].disallow.n, 3);
	assert_string_equal(s->upstream[0].disallow.v[1], "issuer CN=b");
	assert_int_equal(s->upstream[0].disallow.place[0].line, 3);
	assert_non_null(strstr(s->upstream[0].disallow.place[2].file, "20-b.conf"));
	settings_free(s);
	folder_remove(&f);
}

static const struct {
	const char *what, *file, *conf_d, *drop_in; /* "->": a link that leads nowhere */
	bool expected;
} main_files[] = {
    {"nothing at all", NULL, NULL, NULL, false},
    {"an empty conf.d", NULL, "", NULL, false},
    {"a note in conf.d", NULL, "", "note.txt", false},
    {"a hidden file in conf.d", NULL, "", ".hidden.conf", false},
    {"a main file alone", "", NULL, NULL, true},
    {"an unmounted main file", "->", "", NULL, true},
    {"an unmounted conf.d", NULL, "->", NULL, true},
    {"a file in conf.d without a main file", NULL, "", "10-a.conf", true},
};

static void
entry_make(const char *path, const char *what)
{
	FILE *f;

	if (strcmp(what, "->") == 0) {
		assert_int_equal(symlink("nowhere/at-all", path), 0);
		return;
	}
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
}

static void
only_where_nothing_is_the_compiled_in_defaults_apply(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof main_files / sizeof *main_files; i++) {
		char drop_in[128];
		struct folder f;

		folder_make(&f);
		(void)snprintf(drop_in, sizeof drop_in, "%s/%s", f.conf_d, main_files[i].drop_in != NULL ? main_files[i].drop_in : "");
		if (main_files[i].file != NULL)
			entry_make(f.file, main_files[i].file);
		if (main_files[i].conf_d == NULL || *main_files[i].conf_d != '\0')
			assert_int_equal(rmdir(f.conf_d), 0);
		if (main_files[i].conf_d != NULL && *main_files[i].conf_d != '\0')
			entry_make(f.conf_d, main_files[i].conf_d);
		if (main_files[i].drop_in != NULL)
			entry_make(drop_in, "");
		if (settings_file_is_expected(f.file) != main_files[i].expected)
			fail_msg("%s", main_files[i].what);
		if (access(f.conf_d, F_OK) != 0) {
			(void)unlink(f.conf_d);
			assert_int_equal(mkdir(f.conf_d, 0755), 0);
		}
		folder_remove(&f);
	}
}

static void
a_conf_d_that_leads_nowhere_is_an_error(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	struct folder f;

	(void)state;
	folder_make(&f);
	write_file(f.path, "ctstub.conf", "workers = 2\n", 0644);
	assert_int_equal(rmdir(f.conf_d), 0);
	entry_make(f.conf_d, "->");
	assert_int_equal(settings_read(&s, f.file, &errors), RES_MALFORMED);
	assert_int_equal(errors.n, 1);
	assert_non_null(strstr(errors.line[0], f.conf_d));
	config_errors_free(&errors);
	assert_int_equal(unlink(f.conf_d), 0);
	assert_int_equal(settings_read(&s, f.file, &errors), RES_OK);
	settings_free(s);
	assert_int_equal(mkdir(f.conf_d, 0755), 0);
	folder_remove(&f);
}

static void
errors_of_every_file_are_reported_in_one_run(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;
	struct folder f;
	char expected[160];

	(void)state;
	folder_make(&f);
	write_file(f.path, "ctstub.conf", "x = 1\n{ \ny = 1\n", 0644);
	write_file(f.conf_d, "10-a.conf", "\n\nz = 1\n", 0644);
	assert_int_equal(settings_read(&s, f.file, &errors), RES_MALFORMED);
	assert_int_equal(errors.n, 3);
	(void)snprintf(expected, sizeof expected, "%s/ctstub.conf:1: unknown option \"x\"", f.path);
	assert_int_equal(strncmp(errors.line[0], expected, strlen(expected)), 0);
	(void)snprintf(expected, sizeof expected, "%s/conf.d/10-a.conf:3: unknown option \"z\"", f.path);
	assert_int_equal(strncmp(errors.line[2], expected, strlen(expected)), 0);
	config_errors_free(&errors);
	folder_remove(&f);
}

static void
files_that_others_could_have_written_are_refused(void **state)
{
	static const struct {
		const char *what;
		mode_t mode;
		bool other_owner, taken;
	} rows[] = {
	    {"G05 only the owner can write", 0644, false, true},
	    {"G05 only the owner can read", 0600, false, true},
	    {"G05 everybody can write", 0666, false, false},
	    {"G05 others can write", 0602, false, false},
	    {"G05 another user owns it", 0644, true, false},
	};
	struct folder f;

	(void)state;
	folder_make(&f);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_errors errors = {0};
		struct settings *s = NULL;

		if (rows[i].other_owner && geteuid() != 0)
			continue; /* only root can give a file away */
		write_file(f.path, "ctstub.conf", "workers = 2\n", rows[i].mode);
		if (rows[i].other_owner)
			assert_int_equal(chown(f.file, 4711, 4711), 0);
		if ((settings_read(&s, f.file, &errors) == RES_OK) != rows[i].taken)
			fail_msg("%s", rows[i].what);
		assert_int_equal(errors.n, rows[i].taken ? 0 : 1);
		config_errors_free(&errors);
		settings_free(s);
	}
	folder_remove(&f);
}

/* A user who can write the folder can remove a file of root's that makes the rules stricter. */
static void
a_conf_d_that_others_can_write_is_refused(void **state)
{
	static const struct {
		const char *what;
		mode_t mode;
		bool other_owner, taken;
	} rows[] = {
	    {"only its owner can write", 0755, false, true},
	    {"only its owner can enter", 0700, false, true},
	    {"everybody can write", 0777, false, false},
	    {"others can write", 0757, false, false},
	    {"everybody can write, and remove what is theirs (sticky)", 01777, false, true},
	    {"another user owns it", 0755, true, false},
	    {"another user owns it, sticky", 01755, true, false},
	};
	struct folder f;

	(void)state;
	folder_make(&f);
	write_file(f.path, "ctstub.conf", "workers = 2\n", 0644);
	write_file(f.conf_d, "10-a.conf", "workers = 3\n", 0644);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct config_errors errors = {0};
		struct settings *s = NULL;

		if (rows[i].other_owner && geteuid() != 0)
			continue; /* only root can give a folder away */
		if (rows[i].other_owner)
			assert_int_equal(chown(f.conf_d, 4711, 4711), 0);
		assert_int_equal(chmod(f.conf_d, rows[i].mode), 0);
		if ((settings_read(&s, f.file, &errors) == RES_OK) != rows[i].taken)
			fail_msg("%s", rows[i].what);
		assert_int_equal(errors.n, rows[i].taken ? 0 : 1);
		if (!rows[i].taken)
			assert_non_null(strstr(errors.line[0], "/conf.d can be written by others or belongs to another user"));
		config_errors_free(&errors);
		settings_free(s);
	}
	folder_remove(&f);
}

static void
a_missing_file_is_an_error(void **state)
{
	struct config_errors errors = {0};
	struct settings *s = NULL;

	(void)state;
	assert_int_equal(settings_read(&s, "/nowhere/ctstub.conf", &errors), RES_MALFORMED);
	assert_int_equal(errors.n, 1);
	assert_string_equal(errors.line[0], "cannot read /nowhere/ctstub.conf: No such file or directory");
	config_errors_free(&errors);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(sections_of_one_title_merge_over_conf_d),
	    cmocka_unit_test(only_where_nothing_is_the_compiled_in_defaults_apply),
	    cmocka_unit_test(a_conf_d_that_leads_nowhere_is_an_error),
	    cmocka_unit_test(errors_of_every_file_are_reported_in_one_run),
	    cmocka_unit_test(files_that_others_could_have_written_are_refused),
	    cmocka_unit_test(a_conf_d_that_others_can_write_is_refused),
	    cmocka_unit_test(a_missing_file_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
