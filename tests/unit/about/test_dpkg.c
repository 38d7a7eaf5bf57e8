/* The versions of installed packages, from dpkg's status file. */
#include "about/dpkg.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#define LONG_LINE "0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789"
#define LONGER_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE LONG_LINE

static const struct {
	const char *what, *file, *version;
} rows[] = {
	{"an installed package", "Package: liba\nStatus: install ok installed\nVersion: 1.0-1\n\n", "1.0-1"},
	{"a package that is held", "Package: liba\nStatus: hold ok installed\nVersion: 1.0-1\n", "1.0-1"},
	{"a package with the newer name", "Package: libat64\nStatus: install ok installed\nVersion: 2.0-1\n", "2.0-1"},
	{"a removed package", "Package: liba\nStatus: deinstall ok config-files\nVersion: 1.0-1\n", ""},
	{"another package", "Package: libab\nStatus: install ok installed\nVersion: 1.0-1\n", ""},
	{"a package whose name is a part of the wanted one", "Package: lib\nStatus: install ok installed\nVersion: 1.0-1\n", ""},
	{"the second of two", "Package: b\nStatus: install ok installed\nVersion: 9\n\nPackage: liba\nStatus: install ok installed\nVersion: 1\n", "1"},
	{"the first of two architectures",
	 "Package: liba\nStatus: install ok installed\nVersion: 1\n\nPackage: liba\nStatus: install ok installed\nVersion: 2\n", "1"},
	{"a field of another package is not taken", "Package: liba\nStatus: install ok installed\n\nPackage: b\nVersion: 9\n", ""},
	{"a line that is too long, and looks like a field in the middle",
	 "Package: liba\nStatus: install ok installed\nVersion: 1\nDepends: " LONGER_LINE "\n\n", "1"},
	{"a version that is too long", "Package: liba\nStatus: install ok installed\nVersion: " LONG_LINE "\n", ""},
	{"an empty name", "Package: \nStatus: install ok installed\nVersion: 1\n", ""},
	{"a file that ends in a line", "Package: liba\nStatus: install ok installed\nVersion: 1", ""},
	{"an empty file", "\n", ""},
};

static void
installed_versions_are_found(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
		struct dpkg_wanted wanted[2] = {{.packages = "libc6"}, {.packages = "libat64 liba"}};
		char text[2048];
		FILE *file;

		memcpy(text, rows[i].file, strlen(rows[i].file) + 1);
		file = fmemopen(text, strlen(text), "r");
		assert_non_null(file);
		dpkg_read(file, wanted, 2);
		fclose(file);
		if (strcmp(wanted[1].version, rows[i].version) != 0 || wanted[0].version[0] != '\0')
			fail_msg("%s: \"%s\"", rows[i].what, wanted[1].version);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(installed_versions_are_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
