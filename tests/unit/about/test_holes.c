/* Which known vulnerabilities a library has, by its version and that of its package; and the table of them. */
#include "about/holes.h"
#include "about/version.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

static const struct hole a_hole = {
	.library = "nghttp2", .since = "1.30.0", .fixed = "1.61.0", .id = "CVE-2024-28182",
	.patched = "1.43.0-1+deb11u2 1.52.0-1+deb12u2", .why = "",
};

static const struct {
	const char *what;
	struct library library;
	enum hole_state state;
} rows[] = {
	{"the version that fixed it", {.name = "nghttp2", .version = "1.61.0"}, HOLE_CLOSED},
	{"a later version", {.name = "nghttp2", .version = "1.64.0"}, HOLE_CLOSED},
	{"a version from before the vulnerability", {.name = "nghttp2", .version = "1.29.0"}, HOLE_CLOSED},
	{"another library", {.name = "GnuTLS", .version = "1.52.0"}, HOLE_CLOSED},
	{"a version that is not known", {.name = "nghttp2"}, HOLE_CLOSED},
	{"an old version of no package", {.name = "nghttp2", .version = "1.52.0"}, HOLE_UNSURE},
	{"an old version in a package that is not in the table",
	 {.name = "nghttp2", .version = "1.50.0", .package = "1.50.0-1ubuntu3"}, HOLE_UNSURE},
	{"the package before the one that fixed it",
	 {.name = "nghttp2", .version = "1.52.0", .package = "1.52.0-1+deb12u1"}, HOLE_OPEN},
	{"the package that fixed it", {.name = "nghttp2", .version = "1.52.0", .package = "1.52.0-1+deb12u2"}, HOLE_CLOSED},
	{"a later package", {.name = "nghttp2", .version = "1.52.0", .package = "1.52.0-1+deb12u10"}, HOLE_CLOSED},
	{"the package of an older release",
	 {.name = "nghttp2", .version = "1.43.0", .package = "1.43.0-1+deb11u1"}, HOLE_OPEN},
	{"the package of an older release that fixed it",
	 {.name = "nghttp2", .version = "1.43.0", .package = "1.43.0-1+deb11u2"}, HOLE_CLOSED},
};

static void
versions_and_packages_are_judged(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		if (hole_state(&a_hole, &rows[i].library) != rows[i].state)
			fail_msg("%s: %d", rows[i].what, hole_state(&a_hole, &rows[i].library));
}

static bool
is_a_library(const char *name)
{
	static const char *const names[] = {
#define LIBRARY(name, ask, symbol, built_with, packages) name,
#include "about/libraries.def"
#undef LIBRARY
	};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void
table_is_sound(void **state)
{
	(void)state;
	assert_true(n_holes >= 5);
	for (size_t i = 0; i < n_holes; i++) {
		const struct hole *h = &holes[i];

		if (!is_a_library(h->library) || strncmp(h->id, "CVE-", 4) != 0 || strlen(h->why) < 20)
			fail_msg("%s of %s", h->id, h->library);
		if (h->since != NULL && version_compare(h->since, h->fixed) >= 0)
			fail_msg("%s: since %s, fixed %s", h->id, h->since, h->fixed);
		if (h->patched != NULL && version_compare(h->patched, h->fixed) >= 0)
			fail_msg("%s: %s is not older than %s", h->id, h->patched, h->fixed);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_packages_are_judged),
		cmocka_unit_test(table_is_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
