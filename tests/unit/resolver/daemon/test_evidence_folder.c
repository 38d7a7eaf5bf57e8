#include "resolver/daemon/evidence_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define MAX_BYTES 100000

static char folder[64];
static int dir = -1;

static int
begin(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/evidence-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	dir = open(folder, O_RDONLY | O_DIRECTORY);
	return dir < 0;
}

static int
inside(void)
{
	return openat(dir, REFUSAL_FOLDER, O_RDONLY | O_DIRECTORY);
}

static int
end(void **state)
{
	DIR *d = fdopendir(inside());
	const struct dirent *e;

	(void)state;
	while (d != NULL && (e = readdir(d)) != NULL)
		(void)unlinkat(dirfd(d), e->d_name, 0);
	if (d != NULL)
		closedir(d);
	(void)unlinkat(dir, REFUSAL_FOLDER, AT_REMOVEDIR);
	(void)close(dir);
	return rmdir(folder);
}

static size_t
count(uint64_t *bytes)
{
	int fd = inside();
	DIR *d = fdopendir(fd);
	const struct dirent *e;
	struct stat st;
	size_t n = 0;

	*bytes = 0;
	while ((e = readdir(d)) != NULL)
		if (fstatat(fd, e->d_name, &st, 0) == 0 && S_ISREG(st.st_mode)) {
			*bytes += (uint64_t)st.st_size;
			n++;
		}
	closedir(d);
	return n;
}

static bool
has(const char *file)
{
	int fd = inside();
	bool there = faccessat(fd, file, F_OK, 0) == 0;

	close(fd);
	return there;
}

static enum res
put(int i, size_t pem, unsigned max)
{
	static char text[MAX_BYTES];
	char name[REFUSAL_NAME_MAX];

	memset(text, 'p', pem);
	snprintf(name, sizeof name, "reason-%d", i);
	return evidence_folder_put(dir, name, span_of(text, pem), span_str("{}\n"), max, MAX_BYTES);
}

static void
a_flood_leaves_the_newest(void **state)
{
	uint64_t bytes;

	(void)state;
	for (int i = 0; i < 200; i++) {
		assert_int_equal(put(i, 100, 10), RES_OK);
		assert_true(count(&bytes) <= 20);
	}
	for (int i = 190; i < 200; i++) {
		char file[64];

		snprintf(file, sizeof file, "reason-%d.pem", i);
		assert_true(has(file));
	}
	assert_int_equal(count(&bytes), 20);
}

static void
bytes_have_a_maximum(void **state)
{
	uint64_t bytes;

	(void)state;
	for (int i = 0; i < 50; i++) {
		assert_int_equal(put(i, 30000, 100), RES_OK);
		(void)count(&bytes);
		assert_true(bytes <= MAX_BYTES);
	}
	assert_true(bytes > MAX_BYTES / 2);
	assert_int_equal(put(50, MAX_BYTES - 3, 100), RES_OK);
	assert_int_equal(count(&bytes), 2);
	assert_int_equal(put(51, MAX_BYTES - 2, 100), RES_LIMIT);
	assert_true(has("reason-50.pem"));
}

static void
evidence_of_one_name_is_kept_once(void **state)
{
	uint64_t bytes, again;

	(void)state;
	assert_int_equal(put(1, 100, 10), RES_OK);
	(void)count(&bytes);
	assert_int_equal(put(1, 200, 10), RES_OK);
	assert_int_equal(count(&again), 2);
	assert_int_equal(bytes, again);
}

static void
a_peer_without_certificates_has_only_a_verdict(void **state)
{
	uint64_t bytes;

	(void)state;
	assert_int_equal(put(1, 0, 10), RES_OK);
	assert_int_equal(count(&bytes), 1);
	assert_true(has("reason-1.json"));
}

static void
nothing_is_kept_when_the_limit_is_zero(void **state)
{
	(void)state;
	assert_int_equal(put(1, 100, 0), RES_LIMIT);
	assert_int_equal(inside(), -1);
}

static void
temporary_files_of_a_crash_are_removed(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(put(1, 100, 10), RES_OK);
	fd = inside();
	close(openat(fd, "reason-2.pem.0123456789abcdef", O_WRONLY | O_CREAT, 0600));
	close(fd);
	assert_int_equal(put(3, 100, 10), RES_OK);
	assert_false(has("reason-2.pem.0123456789abcdef"));
	assert_true(has("reason-1.pem"));
}

static void
names_differ_for_chains_and_reasons(void **state)
{
	const uint8_t a[32] = {0xab, 0xcd}, b[32] = {1};
	char one[REFUSAL_NAME_MAX], two[REFUSAL_NAME_MAX];

	(void)state;
	assert_string_equal(evidence_name(one, "ct-no-scts", a, span_str("x")), evidence_name(two, "ct-no-scts", a, span_str("x")));
	assert_int_equal(strncmp(one, "ct-no-scts-abcd000000000000-", 28), 0);
	assert_string_not_equal(one, evidence_name(two, "untrusted", a, span_str("x")));
	assert_string_not_equal(one, evidence_name(two, "ct-no-scts", b, span_str("x")));
	assert_string_not_equal(one, evidence_name(two, "ct-no-scts", a, span_str("y")));
	assert_string_not_equal(one, evidence_name(two, "ct-no-scts", NULL, span_str("x")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_flood_leaves_the_newest, begin, end),
		cmocka_unit_test_setup_teardown(bytes_have_a_maximum, begin, end),
		cmocka_unit_test_setup_teardown(evidence_of_one_name_is_kept_once, begin, end),
		cmocka_unit_test_setup_teardown(a_peer_without_certificates_has_only_a_verdict, begin, end),
		cmocka_unit_test_setup_teardown(nothing_is_kept_when_the_limit_is_zero, begin, end),
		cmocka_unit_test_setup_teardown(temporary_files_of_a_crash_are_removed, begin, end),
		cmocka_unit_test(names_differ_for_chains_and_reasons),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
